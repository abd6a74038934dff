//! The view services over real connections, on a log in memory.

mod churn;
mod freshness;
mod operation;
mod others;
mod support;
