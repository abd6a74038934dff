//! Nasty histories: valid throughout, the same every time, and rich in the situations that they are for.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use history::nasty::{self, Config, History};
use history::{Arrival, Arrived, Form, Order, Planned, VoidTarget, arrange};
use touchpoint::{Event, EventId, Fen, Kind, Metric, Scalar, ServicePort, Timestamp, Touchpoint};

const CUSTOMERS: u64 = 1_500;
const MINUTE: i64 = 60_000_000;

/// A name, the least share of customers who have it, and how it is seen.
type Situation = (&'static str, f64, fn(&[Planned]) -> bool);

fn population() -> Vec<History> {
    nasty::population(1, CUSTOMERS, &Config::default())
}

fn arrival(order: Order) -> Arrival {
    Arrival { order, start: Timestamp::from_micros(0), import: false }
}

/// How many customers have such an event or history.
fn share(histories: &[History], is_such: impl Fn(&[Planned]) -> bool) -> f64 {
    histories.iter().filter(|history| is_such(&history.planned)).count() as f64 / histories.len() as f64
}

fn has(kind: Kind) -> impl Fn(&[Planned]) -> bool {
    move |planned| planned.iter().any(|item| item.event.body.kind() == kind)
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let bytes = |seed| {
        let all = nasty::flatten(&nasty::population(seed, 100, &Config::default()));
        all.iter().map(Planned::body).collect::<Vec<_>>()
    };
    assert_eq!(bytes(1), bytes(1));
    assert_ne!(bytes(1), bytes(2));
}

#[test]
fn every_event_is_valid_and_read_back_as_it_was() {
    let config = Config { position_voids: true, huge_money: true, ..Config::default() };
    for history in nasty::population(2, CUSTOMERS, &config) {
        assert!(!history.planned.is_empty());
        for planned in &history.planned {
            let body = planned.body();
            let event = Event::decode(&body).unwrap_or_else(|broken| panic!("{broken}: {planned:?}"));
            assert_eq!(event, planned.event);
            assert_eq!(event.customer, history.customer);
        }
    }
}

#[test]
fn the_same_id_always_has_the_same_bytes() {
    for history in population() {
        let mut bodies: HashMap<EventId, Vec<u8>> = HashMap::new();
        for planned in &history.planned {
            let body = planned.body();
            assert_eq!(*bodies.entry(planned.event.id).or_insert_with(|| body.clone()), body);
        }
    }
}

#[test]
fn conflicts_come_only_when_asked_for() {
    let planned = nasty::flatten(&population()[..200]);
    let (all, added) = nasty::with_conflicts(&planned, 3);
    assert_eq!(all.len(), planned.len() + added);
    assert!(added > 50);
    for other in &all[planned.len()..] {
        assert!(Event::decode(&other.body()).is_ok());
        let same_id = |item: &&Planned| (item.event.customer, item.event.id) == (other.event.customer, other.event.id);
        let original = planned.iter().find(same_id).unwrap();
        assert_ne!(original.body(), other.body());
    }
}

#[test]
fn every_event_type_is_met_by_one_customer_in_fifty() {
    let histories = population();
    let shares: BTreeMap<_, _> = Kind::ALL.iter().map(|kind| (*kind, share(&histories, has(*kind)))).collect();
    let rare: Vec<_> = shares.iter().filter(|(_, share)| **share < 0.02).collect();
    assert!(rare.is_empty(), "{rare:?}");
}

#[test]
fn the_situations_that_break_folds_are_frequent() {
    let histories = population();
    let situations: [Situation; 19] = [
        ("ties in time", 0.3, ties),
        ("a thing opened twice", 0.2, opened_twice),
        ("a step dated before its opening", 0.1, step_before_opening),
        ("an unresolved reference", 0.2, unresolved),
        ("a contract signed again", 0.03, signed_again),
        ("a loyalty class", 0.1, loyalty_class),
        ("a converted referral", 0.05, converted_referral),
        ("a void recorded before its target", 0.03, void_recorded_first),
        ("a void of a void", 0.02, |planned| voids_a(planned, Kind::EventVoided)),
        ("a void of an erasure", 0.005, |planned| voids_a(planned, Kind::CustomerErased)),
        ("an exact duplicate", 0.2, duplicated),
        ("occurred after recorded", 0.2, |planned| planned.iter().any(|p| p.event.occurred_at > p.recorded_at)),
        ("more complaints than add points", 0.02, |planned| opened(planned, Kind::ComplaintLodged) > 4),
        ("more contracts than add to the tier", 0.02, |planned| opened(planned, Kind::ContractSigned) > 3),
        ("more recommendations than add to the tier", 0.01, |planned| opened(planned, Kind::ReferralConverted) > 4),
        ("an answer of the first version", 0.1, |planned| planned.iter().any(|p| p.form == Form::FirstVersion)),
        ("a wave that is no year", 0.2, odd_wave),
        ("a price amended to nothing", 0.01, |planned| planned.iter().any(is_free)),
        ("firstrecordedat", 0.5, |planned| planned.iter().any(|p| p.event.first_recorded_at.is_some())),
    ];
    for (name, least, situation) in situations {
        let share = share(&histories, situation);
        assert!(share >= least, "{name}: {share}");
    }
}

/// How many things events of this type name, each by its code.
fn opened(planned: &[Planned], kind: Kind) -> usize {
    let of_kind = planned.iter().filter(|item| item.event.body.kind() == kind);
    of_kind.filter_map(|item| opens(item).or_else(|| follows(item))).collect::<BTreeSet<_>>().len()
}

fn odd_wave(planned: &[Planned]) -> bool {
    let is_odd = |wave: &str| wave.parse::<u16>().is_err();
    planned.iter().any(|item| matches!(&item.event.body, Touchpoint::SurveyAnswered(it) if is_odd(it.wave_id.as_str())))
}

fn is_free(planned: &Planned) -> bool {
    matches!(&planned.event.body, Touchpoint::ContractAmended(amended) if amended.price_fen == Some(Fen(0)))
}

fn ties(planned: &[Planned]) -> bool {
    let ids: BTreeSet<_> = planned.iter().map(|item| (item.event.occurred_at, item.event.id)).collect();
    let times: BTreeSet<_> = ids.iter().map(|(at, _)| at).collect();
    times.len() < ids.len()
}

/// The contract, complaint, subscription, defect or referral that an event opens.
fn opens(planned: &Planned) -> Option<String> {
    Some(match &planned.event.body {
        Touchpoint::ContractSigned(event) => event.contract_id.to_string(),
        Touchpoint::ComplaintLodged(event) => event.complaint_id.to_string(),
        Touchpoint::SubscriptionPlaced(event) => event.subscription_id.to_string(),
        Touchpoint::DefectLogged(event) => event.defect_id.to_string(),
        Touchpoint::ReferralMade(event) => event.referral_id.to_string(),
        _ => return None,
    })
}

fn opened_twice(planned: &[Planned]) -> bool {
    let opened: BTreeSet<_> = planned.iter().filter_map(|item| Some((opens(item)?, item.event.id))).collect();
    let things: BTreeSet<_> = opened.iter().map(|(thing, _)| thing).collect();
    things.len() < opened.len()
}

/// The contract, complaint or referral that an event is a step of.
fn follows(planned: &Planned) -> Option<String> {
    if opens(planned).is_some() {
        return None;
    }
    let field = |name| match planned.event.body.field(name) {
        Some(Scalar::Text(code)) => Some(code.into_owned()),
        _ => None,
    };
    field("referral_id").or_else(|| field("complaint_id")).or_else(|| field("contract_id"))
}

fn step_before_opening(planned: &[Planned]) -> bool {
    planned.iter().any(|step| {
        let Some(thing) = follows(step) else { return false };
        let mut openings = planned.iter().filter(|item| opens(item).as_ref() == Some(&thing)).peekable();
        openings.peek().is_some() && openings.all(|item| item.event.occurred_at > step.event.occurred_at)
    })
}

fn unresolved(planned: &[Planned]) -> bool {
    let opened: BTreeSet<_> = planned.iter().filter_map(opens).collect();
    planned.iter().filter_map(follows).any(|thing| !opened.contains(&thing))
}

/// A contract signed again after it was cancelled.
fn signed_again(planned: &[Planned]) -> bool {
    planned.iter().any(|item| {
        let Touchpoint::ContractCancelled(cancelled) = &item.event.body else { return false };
        let id = cancelled.contract_id.to_string();
        planned
            .iter()
            .any(|other| opens(other).as_ref() == Some(&id) && other.event.occurred_at > item.event.occurred_at)
    })
}

/// The three answers that make a loyalty class.
fn loyalty_class(planned: &[Planned]) -> bool {
    let answered = |metric: Metric| {
        planned.iter().any(|item| {
            matches!(&item.event.body, Touchpoint::SurveyAnswered(answer)
                if (answer.metric, answer.port) == (metric, ServicePort::Overall) && answer.score.is_some())
        })
    };
    [Metric::Csat, Metric::Repurchase, Metric::Recommend].into_iter().all(answered)
}

fn converted_referral(planned: &[Planned]) -> bool {
    let made: BTreeSet<_> = planned.iter().filter_map(opens).collect();
    let of_referral = |item: &&Planned| item.event.body.kind() == Kind::ReferralConverted;
    planned.iter().filter(of_referral).filter_map(follows).any(|thing| made.contains(&thing))
}

fn targets(planned: &[Planned]) -> impl Iterator<Item = (&Planned, &Planned)> {
    planned.iter().filter_map(|void| {
        let Touchpoint::EventVoided(body) = &void.event.body else { return None };
        let target = planned.iter().find(|item| Some(item.event.id) == body.target_event_id)?;
        Some((void, target))
    })
}

fn void_recorded_first(planned: &[Planned]) -> bool {
    targets(planned).any(|(void, target)| void.recorded_at < target.recorded_at)
}

fn voids_a(planned: &[Planned], kind: Kind) -> bool {
    targets(planned).any(|(_, target)| target.event.body.kind() == kind)
}

fn duplicated(planned: &[Planned]) -> bool {
    planned.iter().map(|item| item.event.id).collect::<BTreeSet<_>>().len() < planned.len()
}

#[test]
fn interesting_instants_are_ascending_and_hit_borders_exactly() {
    for history in &population()[..300] {
        assert!(history.interesting.is_sorted_by(|one, next| one < next));
        for at in history.planned.iter().map(|item| item.event.occurred_at) {
            for moment in [at, at.plus_days(30), at.plus_days(365).plus_micros(-1), at.plus_days(730).plus_micros(1)] {
                assert!(history.interesting.binary_search(&moment).is_ok());
            }
        }
    }
}

#[test]
fn leap_days_are_reached() {
    let leap = touchpoint::Date::from_ymd(2024, 2, 29).unwrap();
    let moved_in = |planned: &[Planned]| {
        planned.iter().any(|item| matches!(&item.event.body, Touchpoint::MovedIn(moved) if moved.on == leap))
    };
    assert!(share(&population(), moved_in) > 0.005);
}

fn check_log(planned: &[Planned], log: &[Arrived], arrival: Arrival) {
    assert_eq!(log.iter().map(|arrived| arrived.index).collect::<BTreeSet<_>>().len(), planned.len());
    assert!(log.is_sorted_by_key(|arrived| arrived.recorded_at), "recorded_at goes back");
    for (offset, arrived) in log.iter().enumerate() {
        assert_eq!(arrived.position.0, offset as u64 + 2);
        assert!(arrived.recorded_at >= arrival.start);
        let event = Event::decode(&arrived.body).unwrap_or_else(|broken| panic!("{broken}"));
        assert!(event.occurred_at <= arrived.recorded_at.plus_micros(5 * MINUTE));
        assert!(event.first_recorded_at.is_none_or(|first| first <= arrived.recorded_at));
        assert!(!arrival.import || event.first_recorded_at.is_some());
    }
}

#[test]
fn every_arrival_keeps_the_rules_of_the_log() {
    let planned = nasty::flatten(&population()[..100]);
    for order in [Order::Given, Order::Recorded, Order::Occurred, Order::Reversed, Order::Shuffled(1)] {
        for import in [false, true] {
            let arrival = Arrival { import, ..arrival(order) };
            check_log(&planned, &arrange(&planned, arrival), arrival);
        }
    }
}

#[test]
fn shuffles_differ_by_seed_and_bodies_do_not_depend_on_the_order() {
    let planned = nasty::flatten(&population()[..20]);
    let (one, other) = (arrange(&planned, arrival(Order::Shuffled(1))), arrange(&planned, arrival(Order::Shuffled(2))));
    assert_ne!(one, other);
    assert_eq!(one, arrange(&planned, arrival(Order::Shuffled(1))));
    let bodies = |log: Vec<Arrived>| log.into_iter().map(|arrived| arrived.body).collect::<BTreeSet<_>>();
    assert_eq!(bodies(one), bodies(other));
}

#[test]
fn unreadable_bodies_and_voids_of_a_second_copy_come_when_asked_for() {
    let config = Config { position_voids: true, unreadable: 0.1, ..Config::default() };
    let planned = nasty::flatten(&nasty::population(6, CUSTOMERS, &config));
    let log = arrange(&planned, arrival(Order::Recorded));
    let (mut without_id, mut with_id, mut second_copies) = (0, 0, 0);
    for arrived in &log {
        let item = &planned[arrived.index];
        match (Event::decode(&arrived.body), item.form) {
            (Err(broken), Form::CutOff) => without_id += usize::from(broken.id.is_none()),
            (Err(broken), Form::UnknownVersion) => with_id += usize::from(broken.id == Some(item.event.id)),
            (Ok(event), Form::Current | Form::FirstVersion) => {
                if let (VoidTarget::Copy(target), Touchpoint::EventVoided(void)) = (item.target, event.body) {
                    let named = log.iter().find(|other| Some(other.position) == void.target_position).unwrap();
                    assert_eq!(named.index, target);
                    let first = planned.iter().position(|other| other.event.id == planned[target].event.id);
                    second_copies += usize::from(first != Some(target));
                }
            }
            (read, form) => panic!("{form:?} is {read:?}"),
        }
    }
    assert!(without_id > 100 && with_id > 100 && second_copies > 10, "{without_id} {with_id} {second_copies}");
}

#[test]
fn voids_by_position_name_the_first_position_of_their_target() {
    let config = Config { position_voids: true, ..Config::default() };
    let planned = nasty::flatten(&nasty::population(4, 500, &config));
    let log = arrange(&planned, arrival(Order::Shuffled(5)));
    let mut seen = 0;
    for arrived in &log {
        let VoidTarget::Index(target) = planned[arrived.index].target else { continue };
        let id = |index: usize| (planned[index].event.customer, planned[index].event.id);
        let first = log.iter().find(|other| id(other.index) == id(target)).unwrap();
        let event = Event::decode(&arrived.body).unwrap();
        let Touchpoint::EventVoided(void) = event.body else { panic!("only voids have targets") };
        assert_eq!((void.target_position, void.target_event_id), (Some(first.position), None));
        seen += 1;
    }
    assert!(seen > 20, "{seen}");
}
