//! Tokens: known by the hash of them alone, each with a name for the log, a role and a limit of its own.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::header;
use base64::prelude::{BASE64_STANDARD, Engine};
use governor::clock::Clock;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::Access;

/// How often a token may be used within a minute: as many at once, and one more every half second.
const REQUESTS_A_MINUTE: NonZeroU32 = NonZeroU32::new(120).expect("is not zero");

/// What a token permits; each role permits what those before it do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// To read figures, runs, jobs, alerts, metrics and documentation.
    Viewer,
    /// To start and stop runs and jobs, and to empty the cache.
    Operator,
    /// To erase people.
    Admin,
}

impl Role {
    /// Every role, the one that permits least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// The role's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A token that is known.
#[derive(Clone)]
pub struct Token {
    /// What logs and metrics call its user.
    pub name: String,
    /// What it permits.
    pub role: Role,
    /// The SHA-256 of the token.
    pub digest: [u8; 32],
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("name", &self.name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// Whoever uses a token. Clones share its limit.
#[derive(Debug, Clone)]
pub(crate) struct Caller(Arc<(Token, DefaultDirectRateLimiter)>);

impl Caller {
    pub(super) fn new(token: Token) -> Self {
        Self(Arc::new((
            token,
            RateLimiter::direct(Quota::per_minute(REQUESTS_A_MINUTE)),
        )))
    }

    /// The token's name.
    pub(crate) fn name(&self) -> &str {
        &self.0.0.name
    }

    pub(super) fn role(&self) -> Role {
        self.0.0.role
    }

    /// Counts a request.
    ///
    /// # Errors
    /// How long to wait, when there were too many.
    pub(super) fn count(&self) -> Result<(), Duration> {
        let limiter = &self.0.1;
        limiter
            .check()
            .map_err(|refused| refused.wait_time_from(limiter.clock().now()))
    }
}

impl Access {
    /// Whose token the request carries; nobody's when it carries none that is known.
    pub(crate) fn caller(&self, request: &Request) -> Option<&Caller> {
        if self.is_open() {
            return None;
        }
        let value = request.headers().get(header::AUTHORIZATION)?.as_bytes();
        let digest = match bearer(value) {
            Some(token) => Sha256::digest(token),
            // A browser sends a password by itself, also with what a stranger's page asks for: to read alone.
            None if request.method().is_safe() => Sha256::digest(password(value)?),
            None => return None,
        };
        // Every token is looked at, each for as long as the others, so that time tells nothing.
        self.callers.iter().fold(None, |found, caller| {
            let is_its = bool::from(caller.0.0.digest.ct_eq(&digest));
            if is_its { Some(caller) } else { found }
        })
    }
}

/// What stands behind `Authorization: Bearer`.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    behind(b"Bearer ", value)
}

/// The password of `Authorization: Basic`, which is where a browser puts what a person has typed in. The user's name may
/// be anything.
fn password(value: &[u8]) -> Option<Vec<u8>> {
    let typed = BASE64_STANDARD.decode(behind(b"Basic ", value)?).ok()?;
    let colon = typed.iter().position(|byte| *byte == b':')?;
    let password = typed[colon + 1..].trim_ascii();
    (!password.is_empty()).then(|| password.to_vec())
}

fn behind<'a>(scheme: &[u8], value: &'a [u8]) -> Option<&'a [u8]> {
    let (found, rest) = value.split_at_checked(scheme.len())?;
    let rest = rest.trim_ascii();
    (found.eq_ignore_ascii_case(scheme) && !rest.is_empty()).then_some(rest)
}
