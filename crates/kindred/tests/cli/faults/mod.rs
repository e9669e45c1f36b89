//! What goes wrong around a run: processes that are killed, paused or doubled, servers and wires that fail, full disks,
//! files that change underneath, clocks that jump.
//!
//! Every fault meets the same night (`night.rs`), and afterwards tables and lake must be those of an undisturbed run
//! (`outcome.rs`). `docs/reliability.md` says what is promised; `make test-faults` runs the long forms too.

mod bucket;
mod clock;
mod disk;
mod files;
mod gate;
mod kills;
mod night;
pub(crate) mod outcome;
mod pause;
mod processes;
mod publication;
mod round;
mod sources;
mod steps;
mod warehouse;
