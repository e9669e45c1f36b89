//! A simulated dating platform: writes the four source databases as if people had used the app for some months.
//!
//! One discrete-event model ([`simulate()`]) lives through the history in order of time. What a person does depends on
//! the seed, the person and the occasion alone, so that a history is the same in every run, whatever the scheduling. Rows
//! leave the model as they become final and are copied into the databases while the model goes on.
//!
//! Nothing here knows of analytics: the figures that come out are for others to compute. The model aims at shapes that
//! figures of real platforms have (retention, rhythm, conversion), not at any real platform.

mod error;
mod load;
mod population;
mod schema;
mod simulate;

pub use error::SimulatorError;
pub use schema::Schema;
pub use simulate::{Population, Summary, TableRows, Targets, simulate};
