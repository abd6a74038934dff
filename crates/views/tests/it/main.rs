//! The views by the worked examples of the domain, and laws over nasty histories that the oracle judges.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod churn;
mod laws;
mod many;
mod satisfaction;
mod satisfaction_customers;
mod satisfaction_laws;
mod segmentation;
mod segmentation_decision_laws;
mod segmentation_decisions;
mod segmentation_laws;
mod segmentation_lists;
mod segmentation_rules;
mod segmentation_segments;
mod support;
