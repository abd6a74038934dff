//! The satisfaction report: scores by unit, wave and port, their changes and ranks, NPS and CES.

use touchpoint::{ServicePort, Violations};
use views::satisfaction::{Ces, Change, Indicator, Name, Nps, Place, PortScore, Ranked, Score, Trend, Unit, UnitKind};

use crate::errors::Error;
use crate::{names, query, v1};

/// Reads the field `unit` of a request; left out, it is the group.
pub fn unit(unit: Option<&v1::Unit>) -> Result<Unit, Error> {
    use v1::unit::Unit as Sent;
    let (field, text, make): (_, _, fn(Name) -> Unit) = match unit.and_then(|unit| unit.unit.as_ref()) {
        None => return Ok(Unit::Group),
        Some(Sent::CompanyId(text)) => ("unit.company_id", text, Unit::Company),
        Some(Sent::ProjectId(text)) => ("unit.project_id", text, Unit::Project),
    };
    match wave(field, text)? {
        Some(name) => Ok(make(name)),
        None => Err(Error::field(field, "expected a code")),
    }
}

/// Reads a wave id (or another code) of a request; nothing if it is left out.
pub fn wave(field: &str, text: &str) -> Result<Option<Name>, Error> {
    let mut broken = Violations::default();
    let code = query::code(field, text, &mut broken);
    Error::check(broken).map(|()| code.map(|code| Name::from(code.as_str())))
}

/// Reads `ports` of a request: each once, in the order of [`ServicePort`]; all if none is named.
pub fn ports(numbers: &[i32]) -> Result<Vec<ServicePort>, Error> {
    let mut broken = Violations::default();
    let mut asked = Vec::with_capacity(ServicePort::ALL.len());
    for (index, &number) in numbers.iter().enumerate() {
        match names::port_from(number) {
            Some(port) => asked.push(port),
            None => broken.add(format!("ports[{index}]"), format!("expected a service port, got {number}")),
        }
    }
    Error::check(broken)?;
    let wanted = |port: &ServicePort| asked.is_empty() || asked.contains(port);
    Ok(ServicePort::ALL.iter().copied().filter(wanted).collect())
}

/// What is ranked, from the number of its twin; nothing for UNSPECIFIED and for numbers that this build does not know.
pub fn unit_kind_from(number: i32) -> Option<UnitKind> {
    match v1::UnitKind::try_from(number).ok()? {
        v1::UnitKind::Unspecified => None,
        v1::UnitKind::Company => Some(UnitKind::Company),
        v1::UnitKind::Project => Some(UnitKind::Project),
    }
}

/// A score.
pub fn score(score: &Score) -> v1::Score {
    v1::Score {
        n: score.n,
        satisfied: score.satisfied,
        top: score.top,
        rate_bp: score.rate_bp(),
        top_box_bp: score.top_box_bp(),
        mean_index_hundredths: score.mean_index_hundredths(),
    }
}

/// A unit's score of one port.
pub fn port_score(it: &PortScore) -> v1::PortScore {
    v1::PortScore {
        port: names::port(it.port).into(),
        score: Some(score(&it.score)),
        group: Some(score(&it.group)),
        change: it.change.as_ref().map(change),
        rank: it.place.as_ref().map(place),
    }
}

/// A unit's score of one port beside an earlier wave.
pub fn wave_comparison(it: &PortScore) -> v1::WaveComparison {
    v1::WaveComparison {
        port: names::port(it.port).into(),
        score: Some(score(&it.score)),
        change: it.change.as_ref().map(change),
    }
}

/// A unit's score of one item.
pub fn indicator(it: &Indicator) -> v1::Indicator {
    v1::Indicator {
        port: names::port(it.port).into(),
        item_code: it.item.to_string(),
        score: Some(score(&it.score)),
        group: Some(score(&it.group)),
        change: it.change.as_ref().map(change),
    }
}

/// A ranking, in its order.
pub fn ranking(ranked: &[Ranked]) -> Vec<v1::RankedUnit> {
    let of = ranked.iter().filter(|it| it.rank.is_some()).count() as u32;
    let unit = |it: &Ranked| v1::RankedUnit {
        unit_id: it.unit.to_string(),
        rank: Some(place(&Place { rank: it.rank, of })),
        score: Some(score(&it.score)),
    };
    ranked.iter().map(unit).collect()
}

/// A net promoter score.
pub fn nps(nps: &Nps) -> v1::Nps {
    v1::Nps {
        n: nps.n(),
        promoters: nps.promoters,
        passives: nps.passives,
        detractors: nps.detractors,
        nps_bp: nps.bp(),
    }
}

/// A customer effort.
pub fn ces(ces: &Ces) -> v1::Ces {
    v1::Ces { n: ces.n, easy: ces.easy, ces_bp: ces.bp() }
}

fn change(change: &Change) -> v1::Change {
    let difference = change.difference;
    v1::Change {
        previous_wave_id: change.wave.to_string(),
        previous: Some(score(&change.score)),
        difference_pp_hundredths: difference.map(|it| it.bp),
        z_hundredths: difference.map(|it| it.z_hundredths),
        trend: difference.map_or(v1::Trend::Unspecified, |it| trend(it.trend)).into(),
    }
}

const fn trend(trend: Trend) -> v1::Trend {
    match trend {
        Trend::Flat => v1::Trend::Flat,
        Trend::SlightUp => v1::Trend::SlightUp,
        Trend::SlightDown => v1::Trend::SlightDown,
        Trend::MarkedUp => v1::Trend::MarkedUp,
        Trend::MarkedDown => v1::Trend::MarkedDown,
    }
}

const fn place(place: &Place) -> v1::Rank {
    v1::Rank { rank: place.rank, of: place.of, insufficient_sample: place.rank.is_none() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(error: Error) -> String {
        match error {
            Error::Invalid(list) => list[0].field.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn units_default_to_the_group_and_wrong_codes_are_named() {
        let sent = |unit| v1::Unit { unit: Some(unit) };
        assert_eq!(unit(None), Ok(Unit::Group));
        let project = sent(v1::unit::Unit::ProjectId("P003".to_owned()));
        assert_eq!(unit(Some(&project)), Ok(Unit::Project("P003".into())));
        for wrong in ["", "no code"] {
            let company = sent(v1::unit::Unit::CompanyId(wrong.to_owned()));
            assert_eq!(field(unit(Some(&company)).unwrap_err()), "unit.company_id");
        }
    }

    #[test]
    fn ports_are_answered_once_in_their_order() {
        let number = |port| names::port(port) as i32;
        let (handover, overall) = (number(ServicePort::Handover), number(ServicePort::Overall));
        assert_eq!(ports(&[handover, overall, handover]), Ok(vec![ServicePort::Overall, ServicePort::Handover]));
        assert_eq!(ports(&[]).unwrap(), ServicePort::ALL);
        assert_eq!(field(ports(&[overall, 0]).unwrap_err()), "ports[1]");
    }

    #[test]
    fn a_score_without_values_has_no_rates() {
        let empty = score(&Score::default());
        assert_eq!((empty.n, empty.rate_bp, empty.top_box_bp, empty.mean_index_hundredths), (0, None, None, None));
        let some = score(&Score { n: 9, satisfied: 7, top: 3, sum: 35 });
        assert_eq!(
            (some.rate_bp, some.top_box_bp, some.mean_index_hundredths),
            (Some(7_778), Some(3_333), Some(7_222))
        );
    }

    #[test]
    fn too_small_samples_are_said_to_be_so() {
        let ranked = |unit: &str, rank| Ranked { unit: unit.into(), rank, score: Score::default() };
        let units = ranking(&[ranked("A", Some(1)), ranked("B", Some(1)), ranked("D", None)]);
        let last = units[2].rank.unwrap();
        assert_eq!((last.rank, last.of, last.insufficient_sample), (None, 2, true));
        assert_eq!(units[1].rank.unwrap().rank, Some(1));
    }
}
