use std::collections::BTreeSet;

use touchpoint::Timestamp;
use views::complaint::{Clock, State};
use views::rules::Rules;
use views::satisfaction::{Case as Complaint, Evidence, ItemValue, Observation, PortValue, Profile, Satisfaction};
use views::{Moment, View};

use crate::agreement::{context, standing};
use crate::history::Case;

const HISTORIES: u64 = 2_000;

#[test]
fn satisfaction_agrees_with_the_oracle() {
    let rules = Rules::default();
    for case in (0..HISTORIES).map(|seed| Case::new(20_000 + seed)) {
        let wanted = case.for_oracle();
        for (as_of, known_at) in case.moments() {
            let context = context("satisfaction", case.seed, as_of, known_at);
            let answer = Satisfaction::answer(&case.record, &rules, &mut Moment::new(as_of, known_at));
            let Some(wanted_answer) = oracle::satisfaction(&wanted, as_of, known_at) else {
                assert_eq!(answer, None, "{context}");
                continue;
            };
            let answer = answer.unwrap_or_else(|| panic!("an answer {context}"));
            if case.seed.is_multiple_of(8) {
                let customer = oracle::customer(&wanted, as_of, known_at).expect("the oracle answers both or none");
                standing(&answer.standing, &customer, &context);
            }
            same_set(
                answer.port_values.iter().map(port_value),
                &wanted_answer.port_values,
                wanted_port_value,
                &context,
            );
            same_set(
                answer.item_values.iter().map(item_value),
                &wanted_answer.item_values,
                wanted_item_value,
                &context,
            );
            assert_eq!(answer.complaints.len(), wanted_answer.complaints.len(), "complaints {context}");
            for (given, wanted) in answer.complaints.iter().zip(&wanted_answer.complaints) {
                same_complaint(given, wanted, as_of, &context);
            }
            match (&answer.profile, &wanted_answer.opinion) {
                (None, None) => {}
                (Some(given), Some(wanted)) => same_profile(given, wanted, &context),
                (given, wanted) => panic!("{given:?} instead of {wanted:?} {context}"),
            }
        }
    }
}

fn same_set<W, T: Ord + std::fmt::Debug>(
    given: impl Iterator<Item = T>,
    wanted: &[W],
    read: impl Fn(&W) -> T,
    context: &str,
) {
    let mut given: Vec<_> = given.collect();
    let mut wanted: Vec<_> = wanted.iter().map(read).collect();
    given.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(given, wanted, "{context}");
}

fn ids(evidence: &[Evidence]) -> BTreeSet<u128> {
    evidence.iter().map(|it| it.event.as_u128()).collect()
}

type Unit = (Option<String>, Option<String>, String);

fn unit(
    company: &Option<touchpoint::Code<'_>>,
    project: &Option<touchpoint::Code<'_>>,
    wave: &touchpoint::Code<'_>,
) -> Unit {
    let text = |code: &Option<touchpoint::Code<'_>>| code.as_ref().map(ToString::to_string);
    (text(company), text(project), wave.to_string())
}

fn port_value(it: &PortValue) -> (Unit, String, i64, i64, BTreeSet<u128>) {
    let unit = unit(&it.company, &it.project, &it.wave);
    (unit, it.port.to_string(), i64::from(it.value), it.dated_at.micros(), ids(&it.evidence))
}

fn wanted_port_value(it: &oracle::PortValue) -> (Unit, String, i64, i64, BTreeSet<u128>) {
    let unit = (it.company.clone(), it.project.clone(), it.wave.clone());
    (unit, it.port.clone(), it.value, it.at, it.evidence.iter().copied().collect())
}

fn item_value(it: &ItemValue) -> (Unit, String, String, String, i64, u128) {
    let unit = unit(&it.company, &it.project, &it.wave);
    let score = i64::from(it.score);
    (unit, it.port.to_string(), it.item.to_string(), it.metric.to_string(), score, it.event.event.as_u128())
}

fn wanted_item_value(it: &oracle::ItemValue) -> (Unit, String, String, String, i64, u128) {
    let unit = (it.company.clone(), it.project.clone(), it.wave.clone());
    (unit, it.port.clone(), it.item.clone(), it.metric.clone(), it.score, it.event)
}

fn same_complaint(given: &Complaint, wanted: &oracle::Complaint, as_of: Timestamp, context: &str) {
    let context = format!("complaint {} {context}", wanted.complaint_id);
    let text = |code: &Option<touchpoint::Code<'_>>| code.as_ref().map(ToString::to_string);
    assert_eq!(given.id.as_str(), wanted.complaint_id, "{context}");
    assert_eq!(given.lodged_at.micros(), wanted.lodged_at, "{context}");
    assert_eq!(text(&given.company), wanted.company, "{context}");
    assert_eq!(text(&given.project), wanted.project, "{context}");
    assert_eq!(given.port.name(), wanted.port, "{context}");
    assert_eq!(text(&given.group), wanted.group_id, "{context}");
    assert_eq!(given.state.name(), wanted.state, "{context}");
    assert_eq!(given.escalated, wanted.escalated, "{context}");
    assert_eq!(given.severity.name(), wanted.severity, "{context}");
    assert_eq!(given.total.limit, wanted.limit, "{context}");
    assert_eq!(i64::from(given.ignored_steps), wanted.ignored_steps, "{context}");
    assert_eq!(given.reopenings as usize, wanted.reopenings.len(), "{context}");
    let outcomes = [given.acknowledgement, given.first_resolution, given.total].map(|clock| clock.outcome.name());
    assert_eq!(outcomes, [wanted.acknowledge_outcome, wanted.first_outcome, wanted.total_outcome], "{context}");
    same_time(&given.acknowledgement, wanted.acknowledged_after, given, &context);
    same_time(&given.first_resolution, wanted.first_resolved_after, given, &context);
    assert_eq!(given.is_overdue(), wanted.overdue(), "{context}");
    if let Some(taken) = given.total.taken {
        assert_eq!(taken, wanted.total_open, "total, at {as_of}, {context}");
    }
}

/// The time until it was done. The clock of a withdrawn complaint has stopped, whether it was done or not.
fn same_time(clock: &Clock, wanted: Option<i64>, complaint: &Complaint, context: &str) {
    if complaint.state != State::Withdrawn || wanted.is_some() {
        assert_eq!(clock.taken, wanted, "{context}");
    }
}

fn same_profile(given: &Profile, wanted: &oracle::Opinion, context: &str) {
    assert_eq!(given.index.map(i64::from), wanted.index, "index {context}");
    assert_eq!(given.class.name(), wanted.class, "class {context}");
    assert_eq!(given.loyalty.name(), wanted.loyalty, "loyalty {context}");
    let observation =
        |it: &Observation| (it.port.to_string(), i64::from(it.value), it.inferred_from.is_some(), it.dated_at.micros());
    let wanted_observation = |it: &oracle::Observation| (it.port.clone(), it.quality, it.inferred, it.at);
    same_set(given.observations.iter().map(observation), &wanted.observations, wanted_observation, context);
}
