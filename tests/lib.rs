//! Holds no code: the tests of the whole live in the test binary beside it.
