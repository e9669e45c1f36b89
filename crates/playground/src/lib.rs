//! The services of a small dating platform, to be used by hand: register, log in, like, write, subscribe. What is done
//! through them stands in the source databases as a real platform's services would leave it, with the app's own events
//! beside it, so that every figure can be traced back to a call.
//!
//! Nothing here knows of analytics. An address is a file: `POST /api/matches` is `matches.rs`. The services share one
//! process, so that a token of the user service is known to the others; whoever may reach them may register.

mod body;
mod database;
mod device;
mod error;
mod events;
mod fields;
mod layers;
mod matches;
mod messages;
mod passwords;
mod people;
mod refusal;
mod routes;
mod sessions;
mod tokens;
mod users;

pub use database::Playground;
pub use error::PlaygroundError;
pub use routes::{communication_service, interaction_service, user_service};
