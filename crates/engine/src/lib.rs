//! The engine: DataFusion over the lake, speaking the SQL of `queries/`.
//!
//! A [`Session`] sees the files of one lake snapshot and the rows that earlier queries of the same piece of work have
//! given. Queries are found by name in the [`QueryLibrary`] and get their parameters bound, never spliced in. Memory
//! is bounded for the whole process, and every plan has a deadline.
//!
//! This crate knows no metric (that is SQL), writes nothing, and never reads a source.

mod bind;
mod by_hour;
mod error;
mod few_keys;
mod footers;
mod functions;
mod library;
mod materialized;
mod params;
mod session;
mod shares;
mod table;
mod work;

pub use datafusion;
pub use error::EngineError;
pub use library::{Query, QueryLibrary};
pub use params::{Params, Value};
pub use session::{Engine, EngineOptions, Rows, Session};
pub use work::Work;
