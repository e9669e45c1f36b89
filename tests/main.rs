//! Tests that see the whole of the workspace, in one binary, since each link of the engine is slow.

mod house_rules;
mod oracle;
mod pipeline;
mod query_cases;
mod support;
