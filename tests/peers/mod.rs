//! What the public tests of other projects assert, held against our computations. Where the cases come from:
//! tests/fixtures/NOTICE.

mod expected;
mod funnels;
mod mrr;
mod retention;
