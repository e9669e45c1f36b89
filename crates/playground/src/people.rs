//! Other people: whether there is somebody of an id whom one may like or write to.

use axum::http::StatusCode;
use uuid::{Builder, Uuid};

use crate::Playground;
use crate::refusal::Refusal;
use crate::sessions::Caller;

impl Playground {
    /// Somebody else with an account in use.
    pub(crate) async fn other(&self, caller: &Caller, id: Uuid) -> Result<Uuid, Refusal> {
        if id == caller.user_id {
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                "this is about somebody else than oneself",
            ));
        }
        let found = sqlx::query_scalar("select exists (select from users where id = $1 and status = 'active')");
        let found: bool = found.bind(id).fetch_one(&self.users).await?;
        if found {
            Ok(id)
        } else {
            Err(Refusal::new(
                StatusCode::NOT_FOUND,
                format!("there is nobody with the id {id}"),
            ))
        }
    }
}

/// Two people, whichever is named first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair {
    pub(crate) smaller: Uuid,
    pub(crate) larger: Uuid,
}

impl Pair {
    pub(crate) fn new(one: Uuid, other: Uuid) -> Self {
        Self {
            smaller: one.min(other),
            larger: one.max(other),
        }
    }

    fn hash(self) -> blake3::Hash {
        blake3::hash(&[*self.smaller.as_bytes(), *self.larger.as_bytes()].concat())
    }

    /// The id of what the two say to each other.
    pub(crate) fn conversation(self) -> Uuid {
        let mut id = [0; 16];
        id.copy_from_slice(&self.hash().as_bytes()[..16]);
        Builder::from_custom_bytes(id).into_uuid()
    }

    /// The key of an advisory lock that only one of the two takes at a time.
    pub(crate) fn lock(self) -> i64 {
        let mut key = [0; 8];
        key.copy_from_slice(&self.hash().as_bytes()[16..24]);
        i64::from_le_bytes(key)
    }
}
