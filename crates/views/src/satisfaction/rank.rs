//! 排名: units ranked by the exact rate of one port in one wave.

use std::cmp::Ordering;

use super::{Name, Score};
use crate::rules;

/// What is ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnitKind {
    /// 一线公司.
    Company,
    /// 项目.
    Project,
}

/// Whose figures: the group is all of them pooled.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// 集团.
    Group,
    /// 一线公司.
    Company(Name),
    /// 项目.
    Project(Name),
}

impl Unit {
    /// Its kind and code; nothing for the group.
    pub fn ranked_as(&self) -> Option<(UnitKind, &Name)> {
        match self {
            Self::Group => None,
            Self::Company(name) => Some((UnitKind::Company, name)),
            Self::Project(name) => Some((UnitKind::Project, name)),
        }
    }
}

/// A unit of a ranking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranked {
    /// The code of the company or project.
    pub unit: Name,
    /// From 1; equal rates share a rank and the next is passed over. Nothing where the sample is too small.
    pub rank: Option<u32>,
    /// Its score.
    pub score: Score,
}

impl Ranked {
    /// It is listed after this one, which may stand on the list no more.
    pub fn follows(&self, other: &Self, rules: &rules::Satisfaction) -> bool {
        listed(self, other, rules.rank_minimum).is_gt()
    }
}

/// Ranks units; those with fewer values than `least` come last, by id.
pub(super) fn rank(units: impl Iterator<Item = (Name, Score)>, least: u32) -> Vec<Ranked> {
    let mut units: Vec<_> = units.map(|(unit, score)| Ranked { unit, rank: None, score }).collect();
    units.sort_by(|one, other| listed(one, other, least));
    for place in 0..units.len() {
        let score = units[place].score;
        if is_sufficient(&score, least) {
            let tied = place.checked_sub(1).map(|before| &units[before]);
            let tied = tied.filter(|before| before.score.rate_order(&score).is_eq()).and_then(|before| before.rank);
            units[place].rank = tied.or(Some(place as u32 + 1));
        }
    }
    units
}

fn is_sufficient(score: &Score, least: u32) -> bool {
    score.n >= u64::from(least)
}

/// By rate, share of the best value and number of values, all descending, then id.
fn listed(one: &Ranked, other: &Ranked, least: u32) -> Ordering {
    let by_id = one.unit.cmp(&other.unit);
    match (is_sufficient(&one.score, least), is_sufficient(&other.score, least)) {
        (true, true) => {
            let by_rate = other.score.rate_order(&one.score);
            by_rate.then(other.score.top_order(&one.score)).then(other.score.n.cmp(&one.score.n)).then(by_id)
        }
        (false, false) => by_id,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(n: u64, satisfied: u64, top: u64) -> Score {
        Score { n, satisfied, top, sum: 0 }
    }

    #[test]
    fn ties_are_listed_by_top_box_then_n_then_id() {
        let units = [
            ("P5", score(30, 15, 10)),
            ("P4", score(30, 15, 10)),
            ("P3", score(60, 30, 20)),
            ("P2", score(40, 20, 20)),
            ("P9", score(29, 29, 29)),
            ("P1", score(30, 16, 0)),
            ("P8", score(1, 0, 0)),
            ("P6", score(30, 14, 14)),
        ];
        let ranked = rank(units.into_iter().map(|(unit, score)| (unit.into(), score)), 30);
        let listed: Vec<_> = ranked.iter().map(|it| (it.unit.as_str(), it.rank)).collect();
        let expected = [
            ("P1", Some(1)),
            ("P2", Some(2)),
            ("P3", Some(2)),
            ("P4", Some(2)),
            ("P5", Some(2)),
            ("P6", Some(6)),
            ("P8", None),
            ("P9", None),
        ];
        assert_eq!(listed, expected);
    }
}
