//! The funnel by cohort and lead source, with margins. Section 5.

use std::collections::BTreeMap;

use crate::clock::DAY;
use crate::funnel::{Funnel, STEPS};
use crate::round::basis_points;

/// One step of the funnel, in one cohort and lead source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// One of [`STEPS`].
    pub step: &'static str,
    /// Customers who ever reached it.
    pub count: i64,
    /// n/KNOWN in basis points.
    pub of_known_bp: Option<i64>,
    /// n/previous step in basis points; nothing for KNOWN.
    pub of_previous_bp: Option<i64>,
    /// Twice the median of whole days from KNOWN, since "the mean of the middle two" may end in a half.
    pub median_half_days: Option<i64>,
}

/// "By cohort ... and lead source ..., with margins": nothing in the key stands for all.
pub(crate) fn table(funnels: &[Funnel]) -> BTreeMap<(Option<String>, Option<String>), Vec<Cell>> {
    let mut keys = vec![(None, None)];
    for funnel in funnels {
        keys.push((Some(funnel.cohort.clone()), None));
        keys.push((None, Some(funnel.lead_source.clone())));
        keys.push((Some(funnel.cohort.clone()), Some(funnel.lead_source.clone())));
    }
    let mut table = BTreeMap::new();
    for (cohort, source) in keys {
        let inside: Vec<&Funnel> = funnels
            .iter()
            .filter(|funnel| cohort.as_ref().is_none_or(|cohort| *cohort == funnel.cohort))
            .filter(|funnel| source.as_ref().is_none_or(|source| *source == funnel.lead_source))
            .collect();
        table.insert((cohort, source), cells(&inside));
    }
    table
}

fn cells(funnels: &[&Funnel]) -> Vec<Cell> {
    let mut cells: Vec<Cell> = Vec::new();
    for (index, step) in STEPS.into_iter().enumerate() {
        let mut days = Vec::new();
        for funnel in funnels {
            if let (Some(known), Some(reached)) = (funnel.reached[0], funnel.reached[index]) {
                days.push((reached - known).div_euclid(DAY));
            }
        }
        let count = days.len() as i64;
        cells.push(Cell {
            step,
            count,
            of_known_bp: basis_points(count, cells.first().map_or(count, |known| known.count)),
            of_previous_bp: cells.last().and_then(|previous| basis_points(count, previous.count)),
            median_half_days: median_twice(days),
        });
    }
    cells
}

/// Twice the median: "mean of the middle two".
fn median_twice(mut days: Vec<i64>) -> Option<i64> {
    days.sort_unstable();
    if days.is_empty() {
        return None;
    }
    // With an odd number the middle two are one and the same.
    Some(days[(days.len() - 1) / 2] + days[days.len() / 2])
}
