//! Who may call: tokens by role, how often a token may be used, and which web page may ask.
//!
//! Without tokens everything is open. With tokens every route of a [`Guarded`] group demands one; which group a route
//! stands in is seen in `routes.rs`.

mod guard;
mod origin;
mod token;

use axum::http::HeaderValue;

pub(crate) use guard::Guarded;
pub(crate) use token::Caller;
pub use token::{Role, Token};

/// Who may call a server, and from which page. The default is everyone, and no page but the server's own.
#[derive(Debug, Default)]
pub struct Access {
    callers: Vec<Caller>,
    frontend: Option<HeaderValue>,
}

impl Access {
    /// Whoever has one of these tokens may call, as far as its role goes; everyone may when there are none. `frontend`
    /// is the origin of the one web page of another origin that may, as browsers write it: `https://host:port`.
    #[must_use]
    pub fn new(tokens: Vec<Token>, frontend: Option<HeaderValue>) -> Self {
        Self {
            callers: tokens.into_iter().map(Caller::new).collect(),
            frontend,
        }
    }

    /// Whether everyone may call.
    pub(crate) fn is_open(&self) -> bool {
        self.callers.is_empty()
    }
}
