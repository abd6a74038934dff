//! Decode and fold alone, from memory, on one core: what a projector that is catching up could do at best.

use std::hint::black_box;
use std::sync::Arc;

use anyhow::Result;
use projector::{Batch, Generation};
use touchpoint::Event;
use views::View;
use views::churn::Churn;
use views::rules::Rules;
use views::satisfaction::Satisfaction;
use views::segmentation::Segmentation;

use crate::Scale;
use crate::corpus::{CUSTOMERS, Corpus, UNTIL, origin};
use crate::sample::{median, on_core};
use crate::table::{Row, Table, rate};

/// Runs of which the median is taken.
const RUNS: usize = 5;
/// Events a second, for the slowest view.
const TARGET: f64 = 800_000.0;

/// Rates of one run.
struct Run {
    count: f64,
    decode: f64,
    folds: [f64; 3],
}

/// Measures it.
pub(crate) fn run(scale: Scale) -> Result<Vec<Table>> {
    let corpus = Corpus::new(scale.of(CUSTOMERS));
    let (batches, events) = (corpus.batches(), corpus.entries.len() as f64);
    let runs: Vec<Run> = (0..RUNS).map(|_| one(&batches, events)).collect::<Result<_>>()?;
    let of = |pick: fn(&Run) -> f64| median(&runs.iter().map(pick).collect::<Vec<_>>());
    let (count, decode) = (of(|run| run.count), of(|run| run.decode));
    let mut table =
        Table::new(format!("Decode + fold from memory, one core: {}, median of {RUNS} runs", corpus.about()));
    table.add(Row::new("count only", rate(count)));
    table.add(Row::new("decode only", rate(decode)).beside(format!("{} count", rate(count)), decode / count));
    let views = [(Segmentation::NAME, of(|run| run.folds[0])), (Satisfaction::NAME, of(|run| run.folds[1]))];
    for (view, fold) in views.into_iter().chain([(Churn::NAME, of(|run| run.folds[2]))]) {
        let row = Row::new(format!("decode + fold {view}"), rate(fold));
        let row = row.beside(format!("{} decode", rate(decode)), fold / decode);
        table.add(row.target(format!("≥ {}", rate(TARGET)), fold >= TARGET));
    }
    Ok(vec![table])
}

fn one(batches: &[Batch], events: f64) -> Result<Run> {
    let count = events / on_core(|| counted(batches))?;
    let decode = events / on_core(|| decoded(batches))?;
    let folds = [fold::<Segmentation>(batches)?, fold::<Satisfaction>(batches)?, fold::<Churn>(batches)?];
    Ok(Run { count, decode, folds: folds.map(|seconds| events / seconds) })
}

/// Looks at each entry and at the ends of its body.
fn counted(batches: &[Batch]) -> usize {
    let entries = batches.iter().flat_map(|batch| &batch.entries);
    entries.filter(|entry| entry.body.first() == Some(&b'{') && entry.body.last() == Some(&b'}')).count()
}

fn decoded(batches: &[Batch]) -> usize {
    let entries = batches.iter().flat_map(|batch| &batch.entries);
    entries.filter(|entry| black_box(Event::decode(black_box(&entry.body))).is_ok()).count()
}

/// Seconds of a core.
fn fold<V: View>(batches: &[Batch]) -> Result<f64> {
    let generation = Generation::<V>::new(origin(), Arc::new(Rules::default()));
    on_core(|| {
        batches.iter().for_each(|batch| generation.fold(batch, UNTIL));
        generation.settle(UNTIL);
    })
}
