//! Whole-population answers: every customer evaluated for another instant, and lists and totals made of that.

use std::sync::Arc;

use anyhow::Result;
use projector::Generation;
use touchpoint::Position;
use views::churn::Churn;
use views::rules::Rules;
use views::satisfaction::Satisfaction;
use views::segmentation::Segmentation;
use views::{Moment, View};

use crate::Scale;
use crate::corpus::{Corpus, UNTIL, origin};
use crate::host;
use crate::sample::{median, wall};
use crate::table::{Row, Table, seconds};

/// Customers of a log of 5 M events.
const CUSTOMERS: u64 = 625_000;
/// Questions of which the median is taken.
const RUNS: usize = 5;
/// Seconds, for each view.
const TARGET: f64 = 1.5;
/// Between the questions' instants.
const STEP_DAYS: i64 = -100;

/// Measures it.
pub(crate) fn run(scale: Scale) -> Result<Vec<Table>> {
    let corpus = Corpus::new(scale.of(CUSTOMERS));
    let title = format!("Lists and totals as of another day: {}, median of {RUNS} days", corpus.about());
    let mut table = Table::new(title);
    table.add(row::<Segmentation>(&corpus));
    table.add(row::<Satisfaction>(&corpus));
    table.add(row::<Churn>(&corpus));
    Ok(vec![table])
}

fn row<V: View>(corpus: &Corpus) -> Row {
    let generation = Generation::<V>::on_threads(host::cores(), origin(), Arc::new(Rules::default()));
    corpus.batches().iter().for_each(|batch| generation.fold(batch, UNTIL));
    let live = wall(|| generation.go_live(UNTIL));
    let days = (1..=RUNS as i64).map(|step| UNTIL.plus_days(step * STEP_DAYS));
    let runs: Vec<_> = days
        .map(|day| {
            wall(|| drop(generation.totals_at(&generation.rules_at(None, Position::MAX).rules, Moment::now(day))))
        })
        .collect();
    let taken = median(&runs);
    let row = Row::new(V::NAME, seconds(taken)).beside(format!("{} to go live", seconds(live)), taken / live);
    row.target(format!("≤ {}", seconds(TARGET)), taken <= TARGET)
}
