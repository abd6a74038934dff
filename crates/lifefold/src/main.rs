//! The lifefold binary.
fn main() {}
