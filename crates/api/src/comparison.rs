//! What a figure came to in a window, and in the one before it.

use serde::{Serialize, de};
use utoipa::ToSchema;

use crate::figure::Figure;

/// What a request may be compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "lowercase")]
pub(crate) enum Compare {
    /// The same number of buckets before the window's complete ones.
    Previous,
}

impl std::str::FromStr for Compare {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "previous" => Ok(Self::Previous),
            _ => Err("`previous` is all that there is"),
        }
    }
}

impl<'de> de::Deserialize<'de> for Compare {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A figure over the window's complete buckets, and over the same number of buckets before them.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub(crate) struct Compared {
    /// Over the window's complete buckets.
    current: Option<Figure>,
    /// Over the buckets before them; null when one of these was never computed.
    previous: Option<Figure>,
    /// From the previous to the current, in per cent; null when the previous is null or 0.
    change: Option<Figure>,
}

impl Compared {
    pub(crate) fn of(current: Option<Figure>, previous: Option<Figure>) -> Self {
        Self {
            current,
            previous,
            change: Figure::change(previous, current),
        }
    }
}
