//! The satisfaction report, read from the totals: scores beside the group, the wave before, and the ranks.

use touchpoint::ServicePort;

use super::rank::{self, Ranked, Unit, UnitKind};
use super::{Ces, Change, Difference, Name, Nps, Score, Totals};
use crate::rules;

/// A unit's score of one port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortScore {
    /// The port.
    pub port: ServicePort,
    /// The unit's score.
    pub score: Score,
    /// The group's score.
    pub group: Score,
    /// Against the earlier wave; nothing where there is none.
    pub change: Option<Change>,
    /// Among the units of its kind; nothing for the group.
    pub place: Option<Place>,
}

/// Where a unit stands among its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// From 1; nothing where the sample is too small.
    pub rank: Option<u32>,
    /// How many units have a rank.
    pub of: u32,
}

/// A unit's score of one survey item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indicator {
    /// The port.
    pub port: ServicePort,
    /// The item.
    pub item: Name,
    /// The unit's score.
    pub score: Score,
    /// The group's score.
    pub group: Score,
    /// Against the earlier wave; nothing where there is none.
    pub change: Option<Change>,
}

impl Totals {
    /// The greatest wave id, as ASCII text, that has a counting answer.
    pub fn latest_wave(&self) -> Option<&Name> {
        self.waves.last_key_value().map(|(wave, _)| wave)
    }

    /// The greatest smaller wave id in which the group has a value of this port.
    pub fn earlier_wave(&self, port: ServicePort, wave: &Name) -> Option<&Name> {
        let ((of_port, earlier), _) = self.ports.range(..(port, wave.clone())).next_back()?;
        (*of_port == port).then_some(earlier)
    }

    /// A unit's score of one port in one wave.
    pub fn score(&self, unit: &Unit, port: ServicePort, wave: &Name) -> Score {
        self.ports.get(&(port, wave.clone())).and_then(|units| units.get(unit)).copied().unwrap_or_default()
    }

    /// A unit's score of one item in one wave.
    pub fn item_score(&self, unit: &Unit, port: ServicePort, item: &Name, wave: &Name) -> Score {
        let items = self.items.get(&(port, wave.clone()));
        items.and_then(|items| items.get(item)?.get(unit)).copied().unwrap_or_default()
    }

    /// A unit's scores in one wave beside the group's, the earlier wave's and its rank. The earlier wave defaults to
    /// [`Self::earlier_wave`] of each port.
    pub fn port_scores(
        &self,
        unit: &Unit,
        wave: &Name,
        earlier: Option<&Name>,
        ports: &[ServicePort],
        rules: &rules::Satisfaction,
    ) -> Vec<PortScore> {
        let score = |port: &ServicePort| PortScore {
            port: *port,
            score: self.score(unit, *port, wave),
            group: self.score(&Unit::Group, *port, wave),
            change: self.change(unit, wave, earlier, *port, rules),
            place: self.place_of(unit, *port, wave, rules),
        };
        ports.iter().map(score).collect()
    }

    /// 同比: a unit's change of one port from the earlier wave; nothing where there is none.
    pub fn change(
        &self,
        unit: &Unit,
        wave: &Name,
        earlier: Option<&Name>,
        port: ServicePort,
        rules: &rules::Satisfaction,
    ) -> Option<Change> {
        let earlier = earlier.or_else(|| self.earlier_wave(port, wave))?;
        Some(change(earlier, self.score(unit, port, earlier), &self.score(unit, port, wave), rules))
    }

    /// A unit's score of each item of which the group has a valid CSAT answer, by port, then item.
    pub fn indicators(
        &self,
        unit: &Unit,
        wave: &Name,
        earlier: Option<&Name>,
        ports: &[ServicePort],
        rules: &rules::Satisfaction,
    ) -> Vec<Indicator> {
        let mut indicators = Vec::new();
        for port in ports {
            let earlier = earlier.or_else(|| self.earlier_wave(*port, wave));
            for item in self.items.get(&(*port, wave.clone())).into_iter().flat_map(|items| items.keys()) {
                let score_in = |wave: &Name| self.item_score(unit, *port, item, wave);
                indicators.push(Indicator {
                    port: *port,
                    item: item.clone(),
                    score: score_in(wave),
                    group: self.item_score(&Unit::Group, *port, item, wave),
                    change: earlier.map(|earlier| change(earlier, score_in(earlier), &score_in(wave), rules)),
                });
            }
        }
        indicators
    }

    /// 排名: all units of a kind by one port in one wave; too small samples last.
    pub fn rank(&self, kind: UnitKind, port: ServicePort, wave: &Name, rules: &rules::Satisfaction) -> Vec<Ranked> {
        let units = self.ports.get(&(port, wave.clone())).into_iter().flatten();
        let of_kind = units.filter_map(|(unit, score)| {
            let (_, name) = unit.ranked_as().filter(|(of, _)| *of == kind)?;
            Some((name.clone(), *score))
        });
        rank::rank(of_kind, rules.rank_minimum)
    }

    /// A unit's net promoter score of one port in one wave.
    pub fn nps(&self, unit: &Unit, port: ServicePort, wave: &Name) -> Nps {
        self.nps.get(&(port, wave.clone())).and_then(|units| units.get(unit)).copied().unwrap_or_default()
    }

    /// A unit's customer effort of one port in one wave.
    pub fn ces(&self, unit: &Unit, port: ServicePort, wave: &Name) -> Ces {
        self.ces.get(&(port, wave.clone())).and_then(|units| units.get(unit)).copied().unwrap_or_default()
    }

    fn place_of(&self, unit: &Unit, port: ServicePort, wave: &Name, rules: &rules::Satisfaction) -> Option<Place> {
        let (kind, name) = unit.ranked_as()?;
        let ranked = self.rank(kind, port, wave, rules);
        let of = ranked.iter().filter(|it| it.rank.is_some()).count() as u32;
        let rank = ranked.iter().find(|it| it.unit == *name).and_then(|it| it.rank);
        Some(Place { rank, of })
    }
}

fn change(wave: &Name, earlier: Score, later: &Score, rules: &rules::Satisfaction) -> Change {
    Change { wave: wave.clone(), score: earlier, difference: Difference::between(&earlier, later, rules) }
}
