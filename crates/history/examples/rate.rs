//! How fast believable histories are made: `cargo run --release -p history --example rate [customers]`.

use std::time::Instant;

use history::believable::{Config, Population};
use touchpoint::Timestamp;

/// 2026-01-01T00:00:00Z.
const UNTIL: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);
const DEFAULT_CUSTOMERS: u64 = 125_000;

fn main() {
    let customers = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(DEFAULT_CUSTOMERS);
    let start = Instant::now();
    let totals = Population::new(Config::new(customers, 1, UNTIL)).totals();
    let seconds = start.elapsed().as_secs_f64();
    let rate = totals.sent() as f64 / seconds;
    println!("{customers} customers, {} events in {seconds:.2} s: {rate:.0} events/s", totals.sent());
}
