//! What it means that a store did not do what was asked, and what to check then.

use object_store::Error;
use object_store::client::HttpError;

/// Why a store did not do what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nobody answered, the answer broke off, or the store itself was in trouble.
    Away,
    /// The keys are wrong, or may not do this.
    Refused,
    /// There is no such bucket.
    NoBucket,
    /// An object was replaced or removed since it was listed.
    Changed,
    /// Anything else; the store's own words say what.
    Other,
}

impl Fault {
    /// Reads it from what the store answered.
    pub(crate) fn of(error: &Error) -> Self {
        match error {
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => Self::Refused,
            Error::Precondition { .. } => Self::Changed,
            Error::NotFound { .. } if is_no_bucket(&error.to_string()) => Self::NoBucket,
            Error::NotFound { .. } => Self::Changed,
            Error::Generic { .. } if is_of_the_wire(error) => Self::Away,
            Error::Generic { .. } => Self::of_words(&error.to_string()),
            _ => Self::Other,
        }
    }

    /// What refuses a listing is told in words only.
    fn of_words(said: &str) -> Self {
        let has_status = |status: &str| said.contains(&format!("status code: {status}"));
        if is_no_bucket(said) {
            Self::NoBucket
        } else if has_status("401") || has_status("403") {
            Self::Refused
        } else if has_status("5") || has_status("408") || has_status("429") {
            Self::Away
        } else {
            Self::Other
        }
    }

    /// Whether the store is not there for us: it does not answer, does not let us in, or has no such bucket.
    #[must_use]
    pub const fn is_unreachable(self) -> bool {
        matches!(self, Self::Away | Self::Refused | Self::NoBucket)
    }

    /// What to check, for a lake or an object of this address.
    #[must_use]
    pub fn advice(self, address: &str) -> &'static str {
        let scheme = address.split("://").next().unwrap_or_default();
        match (self, scheme) {
            (Self::Away, "s3" | "s3a") => {
                "no answer: check that the store is up and can be reached from here (LAKE_URL, AWS_ENDPOINT)"
            }
            (Self::Away, _) => "no answer: check that the store is up and can be reached from here (LAKE_URL)",
            (Self::Refused, "s3" | "s3a") => {
                "access is refused: check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what they may do"
            }
            (Self::Refused, "gs") => "access is refused: check GOOGLE_SERVICE_ACCOUNT and what it may do",
            (Self::Refused, _) => "access is refused: check the store's keys and what they may do",
            (Self::NoBucket, _) => "there is no such bucket: make it, or correct LAKE_URL",
            (Self::Changed | Self::Other, _) => "check the store's space, rights and network (LAKE_URL)",
        }
    }
}

/// As S3 and Google say it, and Azure.
fn is_no_bucket(said: &str) -> bool {
    said.contains("NoSuchBucket") || said.contains("ContainerNotFound")
}

/// Whether no answer came, or not to its end.
fn is_of_the_wire(error: &(dyn std::error::Error + 'static)) -> bool {
    error.is::<HttpError>() || error.source().is_some_and(is_of_the_wire)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(said: &'static str) -> Error {
        Error::Generic {
            store: "S3",
            source: said.into(),
        }
    }

    #[test]
    fn what_refuses_a_listing_is_read_from_its_words() {
        for (said, fault) in [
            (
                "Server returned non-2xx status code: 403 Forbidden: <Code>InvalidAccessKeyId</Code>",
                Fault::Refused,
            ),
            (
                "Server returned non-2xx status code: 404 Not Found: <Code>NoSuchBucket</Code>",
                Fault::NoBucket,
            ),
            (
                "Server returned non-2xx status code: 503 Service Unavailable: SlowDown",
                Fault::Away,
            ),
            (
                "Server returned non-2xx status code: 400 Bad Request: <Code>AuthorizationHeaderMalformed</Code>",
                Fault::Other,
            ),
        ] {
            assert_eq!(Fault::of(&generic(said)), fault, "{said}");
        }
    }

    #[test]
    fn an_object_that_is_gone_is_told_from_a_bucket_that_is() {
        let not_found = |said: &'static str| Error::NotFound {
            path: "facts/users".to_owned(),
            source: said.into(),
        };
        assert_eq!(Fault::of(&not_found("<Code>NoSuchKey</Code>")), Fault::Changed);
        assert_eq!(Fault::of(&not_found("<Code>NoSuchBucket</Code>")), Fault::NoBucket);
    }
}
