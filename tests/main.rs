//! Tests that see the whole of the workspace, in one binary, since each link of the engine is slow.

mod house_rules;
mod query_cases;
