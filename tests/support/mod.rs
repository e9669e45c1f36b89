//! What the tests of the whole share: a platform on real databases and a real lake, the cells of a table, and what
//! must hold of a warehouse and its lake after every run.

pub(crate) mod billing;
pub(crate) mod cells;
pub(crate) mod everything;
pub(crate) mod soundness;
pub(crate) mod world;

pub(crate) use cells::{Cells, differences};
pub(crate) use world::World;
