//! Whole-population answers: every customer evaluated for another instant or by other rules, and lists and totals made of
//! that.

use std::sync::Arc;

use anyhow::{Context, Result};
use projector::{Batch, Entry, Generation};
use touchpoint::{Code, EventId, Position, RulesActivated};
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
/// Rules under which many stand elsewhere in every view.
const OTHER_RULES: &str = "[lifecycle]\nlost_after_days = 30\n[satisfaction]\nwindow_days = 80\n\
    [segmentation.tier.from]\nVIP = 41\nHIGH = 20\nMID = 10\n[churn.band_from]\nMEDIUM = 0.11\n";

/// Measures it.
pub(crate) fn run(scale: Scale) -> Result<Vec<Table>> {
    let corpus = Corpus::new(scale.of(CUSTOMERS));
    let title = format!("Lists and totals as of another day: {}, median of {RUNS} days", corpus.about());
    let mut table = Table::new(title);
    add::<Segmentation>(&mut table, &corpus)?;
    add::<Satisfaction>(&mut table, &corpus)?;
    add::<Churn>(&mut table, &corpus)?;
    Ok(vec![table])
}

fn add<V: View>(table: &mut Table, corpus: &Corpus) -> Result<()> {
    let generation = Generation::<V>::on_threads(host::cores(), origin(), Arc::new(Rules::default()));
    corpus.batches().iter().for_each(|batch| generation.fold(batch, UNTIL));
    let live = wall(|| generation.go_live(UNTIL));
    let days = (1..=RUNS as i64).map(|step| UNTIL.plus_days(step * STEP_DAYS));
    let runs: Vec<_> = days
        .map(|day| {
            wall(|| drop(generation.totals_at(&generation.rules_at(None, Position::MAX).rules, Moment::now(day))))
        })
        .collect();
    let limit = format!("{} to go live", seconds(live));
    let row = |what, taken| Row::new(what, seconds(taken)).beside(&limit, taken / live);
    let taken = median(&runs);
    table.add(row(V::NAME.to_owned(), taken).target(format!("≤ {}", seconds(TARGET)), taken <= TARGET));
    let activation = activation(corpus.end().next())?;
    table.add(row(format!("{}: other rules activated", V::NAME), wall(|| generation.fold(&activation, UNTIL))));
    Ok(())
}

/// The message that activates other rules.
fn activation(position: Position) -> Result<Batch> {
    let rules = Rules::parse(OTHER_RULES)?;
    let event = RulesActivated {
        id: EventId::from_u128(position.0.into()),
        version: Code::new(rules.version().to_string()).context("a version")?,
        note: "".into(),
        rules: rules.to_toml().into(),
    };
    let entry = Entry { position, recorded_at: UNTIL, customer: None, body: event.to_json().into() };
    Ok(Batch { entries: vec![entry], digest: [0; 16], log_end: position })
}
