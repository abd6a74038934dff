//! The oracle by the worked examples of the domain, and its own laws.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod admission;
mod churn;
mod complaint;
mod laws;
mod population;
mod satisfaction;
mod segmentation;
mod story;
