//! Both servers over real HTTP, on a real warehouse, a database a test.

mod active_users;
mod errors;
mod etl_health;
mod health;
mod overview;
mod support;
mod trigger;
