//! A simulated dating platform: writes the four source databases as if people had used the app for some months, and goes
//! on from there in real time.
//!
//! One discrete-event model lives through the time in order. What a person does depends on the seed, the person and the
//! occasion alone, so that a history is the same in every run, whatever the scheduling. The model tells of a row once,
//! with all that will happen to it, and the databases are given what has happened by an instant: [`simulate()`] writes
//! a history as it stands at its end, [`follow()`] what happens after it.
//!
//! Nothing here knows of analytics: the figures that come out are for others to compute. The model aims at shapes that
//! figures of real platforms have (retention, rhythm, conversion), not at any real platform.

mod address;
mod database;
mod error;
mod follow;
mod load;
mod platform;
mod population;
mod record;
mod rows;
mod schema;

pub use address::connect_options;
pub use error::SimulatorError;
pub use follow::{Follower, follow};
pub use load::simulate;
pub use platform::{Population, Summary, TableRows, Targets};
pub use population::{Offer, offers};
pub use record::MODEL;
pub use schema::Schema;
