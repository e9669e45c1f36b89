//! Decides when a job is due.
