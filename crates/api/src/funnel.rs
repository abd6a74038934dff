//! The funnel's table.

use std::collections::BTreeMap;

use views::segmentation::{Cell, Row, Step};

use crate::{names, v1};

/// The rows of the funnel, in the order of its cells: margins before their parts, the whole first.
pub fn rows<const STEPS: usize>(table: &BTreeMap<Cell, [Row; STEPS]>) -> Vec<v1::FunnelRow> {
    table.iter().map(|(cell, steps)| row(*cell, steps)).collect()
}

fn row(cell: Cell, steps: &[Row]) -> v1::FunnelRow {
    use v1::funnel_row::Source;
    let source = match cell.source {
        None => Source::AllLeadSources(true),
        Some(source) => {
            let named = source.0.map_or(v1::LeadSource::Unspecified, names::lead_source);
            Source::LeadSource(named.into())
        }
    };
    v1::FunnelRow {
        cohort: cell.cohort.map(|month| month.to_string()).unwrap_or_default(),
        source: Some(source),
        steps: steps.iter().map(step_count).collect(),
    }
}

fn step_count(row: &Row) -> v1::FunnelStepCount {
    let bp = |share: Option<u64>| share.and_then(|share| u32::try_from(share).ok());
    v1::FunnelStepCount {
        step: step(row.step).into(),
        customers: row.count,
        of_known_bp: bp(row.of_known_bp),
        of_previous_bp: bp(row.of_previous_bp),
        median_half_days: row.median_half_days,
    }
}

const fn step(step: Step) -> v1::FunnelStep {
    match step {
        Step::Known => v1::FunnelStep::Known,
        Step::Visited => v1::FunnelStep::Visited,
        Step::Subscribed => v1::FunnelStep::Subscribed,
        Step::Signed => v1::FunnelStep::Signed,
        Step::Delivered => v1::FunnelStep::Delivered,
    }
}
