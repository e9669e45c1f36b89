//! What must hold of figures whatever the history: random histories through the real queries, against the naive way.

mod naive_money;
mod revenue;
