//! Laws of rule segments and lists over nasty histories, with rules that ask about everything that can be asked.

use crate::laws::history::Case;
use history::nasty::Config;
use touchpoint::{CustomerId, Timestamp};
use views::rules::Rules;
use views::segmentation::{Answer, Cell, Group, Placement, Segmentation, Totals};
use views::{Moment, Sign, View};

const HISTORIES: u64 = 600;
const CUSTOMERS: u64 = 60;
/// How often the nearest timer is followed, for a population.
const TIMERS: usize = 400;

/// Conditions, each of them a segment.
const CONDITIONS: [&str; 31] = [
    r#"{ stage = ["PROSPECT", "LOST"] }"#,
    r#"{ label = ["KEY_VALUE", "KEY_DEVELOP", "GENERAL_WIN_BACK"] }"#,
    r#"{ tier = ["BASIC"] }"#,
    r#"{ not = { motive = ["INVESTMENT", "UPGRADE"] } }"#,
    r#"{ household = ["COUPLE", "EMPTY_NEST", "SINGLE"] }"#,
    r#"{ rooms = { min = 2, max = 3 } }"#,
    r#"{ not = { rooms = { max = 3 } } }"#,
    r#"{ budget_min_fen = { min = 1 } }"#,
    r#"{ budget_max_fen = { max = 500000000 } }"#,
    r#"{ recency = { min = 3, max = 4 } }"#,
    r#"{ frequency = { min = 3 } }"#,
    r#"{ monetary = { max = 1 } }"#,
    r#"{ days_silent = { min = 0, max = 0 } }"#,
    r#"{ days_silent = { min = 1, max = 30 } }"#,
    r#"{ days_silent = { min = 89 } }"#,
    r#"{ not = { days_silent = { max = 180 } } }"#,
    r#"{ live_contracts = { min = 1, max = 1 } }"#,
    r#"{ contract_value_fen = { min = 1 } }"#,
    r#"{ contract_value_fen = { max = 0 } }"#,
    r#"{ largest_contract_fen = { max = 300000000 } }"#,
    r#"{ conversions = { min = 1 } }"#,
    r#"{ open_contract = true }"#,
    r#"{ count = { events = ["VisitRecorded"], days = 30, min = 1 } }"#,
    r#"{ count = { events = ["VisitRecorded", "SurveyAnswered"], days = 365, min = 1, max = 2 } }"#,
    r#"{ count = { events = ["ComplaintLodged"], where = { severity = ["HIGH", "CRITICAL"] }, min = 1 } }"#,
    r#"{ count = { events = ["ComplaintLodged", "DefectLogged"], max = 1 } }"#,
    r#"{ count = { events = ["SurveyAnswered"], where = { port = "OVERALL", score = [1, 2, 3] }, days = 730, min = 1 } }"#,
    r#"{ count = { events = ["SurveyAnswered"], where = { not_applicable = true }, min = 1 } }"#,
    r#"{ count = { events = ["RevisitCompleted"], days = 90, max = 0 } }"#,
    r#"{ all = [ { stage = ["RUN_IN", "STABLE"] }, { any = [ { count = { events = ["ComplaintLodged"], days = 180, min = 1 } }, { not = { days_silent = { max = 60 } } } ] } ] }"#,
    r#"{ any = [ { all = [ { monetary = { min = 3 } }, { count = { events = ["ReferralMade"], days = 365, max = 0 } } ] }, { not = { any = [ { tier = ["BASIC"] }, { open_contract = false } ] } } ] }"#,
];

fn segments() -> String {
    let segment = |(index, when)| format!("[[segments]]\nname = \"s{index:02}\"\nwhen = {when}\n");
    CONDITIONS.iter().enumerate().map(segment).collect()
}

fn rules() -> Rules {
    Rules::parse(&segments()).expect("the conditions are right")
}

/// The rule segments of a customer, each with the events behind it.
type Memberships = Vec<(String, Vec<u128>)>;

fn given(answer: &Answer) -> Option<Memberships> {
    let ids = |events: &[touchpoint::EventId]| events.iter().map(|event| event.as_u128()).collect();
    let segments = answer.profile.as_ref()?.segments.iter();
    Some(segments.map(|membership| (membership.name.to_string(), ids(&membership.evidence))).collect())
}

fn wanted(answer: oracle::Segmentation) -> Option<Memberships> {
    let ids = |events: &[oracle::Evidence]| events.iter().map(|(_, event)| *event).collect();
    Some(
        answer
            .profile?
            .segments
            .iter()
            .map(|membership| (membership.name.clone(), ids(&membership.evidence)))
            .collect(),
    )
}

#[test]
fn rule_segments_agree_with_the_oracle() {
    let (rules, segments) = (rules(), oracle::parse_segments(&segments()).expect("the conditions are right"));
    let (mut inside, mut outside) = ([0; CONDITIONS.len()], [0; CONDITIONS.len()]);
    for case in (0..HISTORIES).map(|seed| Case::new(20_000 + seed)) {
        let history = case.for_oracle_by_domain();
        for (as_of, known_at) in case.moments() {
            let answer = Segmentation::answer(&case.record, &rules, &mut Moment::new(as_of, known_at));
            let wanted = oracle::segmentation(&history, as_of, known_at, &segments).and_then(wanted);
            let given = answer.as_ref().and_then(given);
            assert_eq!(given.is_some(), wanted.is_some(), "seed {} at {as_of}, known at {known_at:?}", case.seed);
            let (given, wanted) = (given.unwrap_or_default(), wanted.unwrap_or_default());
            assert_eq!(given, wanted, "seed {} at {as_of}, known at {known_at:?}", case.seed);
            for (index, (inside, outside)) in inside.iter_mut().zip(&mut outside).enumerate() {
                *(if given.iter().any(|(name, _)| *name == format!("s{index:02}")) { inside } else { outside }) += 1;
            }
        }
    }
    // Every condition was asked both ways, else this test would say little.
    assert!(inside.iter().chain(&outside).all(|count| *count > 0), "{inside:?} {outside:?}");
}

#[test]
fn an_answer_by_many_rules_is_constant_up_to_valid_until() {
    let rules = rules();
    for case in (0..HISTORIES).map(|seed| Case::new(30_000 + seed)) {
        for (as_of, known_at) in case.moments() {
            let mut moment = Moment::new(as_of, known_at);
            let answer = Segmentation::answer(&case.record, &rules, &mut moment);
            let span = moment.valid_until().since(as_of).min(4_000 * Timestamp::DAY);
            for later in [span / 7, span / 2, span - 1].map(|after| as_of.plus_micros(after)) {
                let again = Segmentation::answer(&case.record, &rules, &mut Moment::new(later, known_at));
                assert_eq!(again, answer, "seed {}, {as_of} to {later}, known at {known_at:?}", case.seed);
            }
        }
    }
}

/// A population whose lists and totals follow time by its timers alone.
struct Live<'c> {
    rules: &'c Rules,
    cases: &'c [Case],
    placed: Vec<(Option<Placement>, Timestamp)>,
    totals: Totals,
}

impl<'c> Live<'c> {
    fn new(rules: &'c Rules, cases: &'c [Case], at: Timestamp) -> Self {
        let mut live =
            Self { rules, cases, placed: vec![(None, Timestamp::MIN); cases.len()], totals: Totals::default() };
        (0..cases.len()).for_each(|index| live.move_customer(index, at));
        live
    }

    fn customer(index: usize) -> CustomerId {
        CustomerId::from_u128(index as u128)
    }

    fn move_customer(&mut self, index: usize, at: Timestamp) {
        let mut moment = Moment::now(at);
        let answer = Segmentation::answer(&self.cases[index].record, self.rules, &mut moment);
        let new = answer.as_ref().map(Segmentation::placement);
        let (old, _) = std::mem::replace(&mut self.placed[index], (new.clone(), moment.valid_until()));
        for (placement, sign) in [(old, Sign::Remove), (new, Sign::Add)] {
            if let Some(placement) = placement {
                Segmentation::place(&mut self.totals, Self::customer(index), &placement, sign);
            }
        }
    }

    /// Follows the nearest timer; nothing if there is none left.
    fn next(&mut self) -> Option<Timestamp> {
        let nearest = self.placed.iter().map(|(_, until)| *until).min().filter(|until| *until < Timestamp::MAX)?;
        let due: Vec<_> = (0..self.cases.len()).filter(|index| self.placed[*index].1 == nearest).collect();
        due.into_iter().for_each(|index| self.move_customer(index, nearest));
        Some(nearest)
    }
}

#[test]
fn lists_and_totals_follow_time_without_any_event() {
    let rules = rules();
    // Of one age, so that the timers of all are followed.
    let cases = (40_000..).map(Case::new).filter(|case| case.interesting.first() > Some(&Config::default().start));
    let cases: Vec<_> = cases.take(CUSTOMERS as usize).collect();
    let start = cases.iter().flat_map(|case| case.interesting.first()).min().expect("there are histories");
    let mut live = Live::new(&rules, &cases, *start);
    let mut followed = 0;
    while let Some(at) = live.next().filter(|_| followed < TIMERS) {
        followed += 1;
        if followed % 10 == 0 {
            let fresh = Live::new(&rules, &cases, at).totals;
            assert_eq!(live.totals, fresh, "at {at}");
            check_sums(&fresh);
        }
    }
    assert_eq!(followed, TIMERS);
}

/// What totals say of one another.
fn check_sums(totals: &Totals) {
    let stages: u64 = views::lifecycle::Stage::ALL.iter().map(|stage| totals.stage(*stage)).sum();
    assert_eq!(stages, totals.customers);
    assert_eq!(totals.funnel(Cell::default())[0], totals.customers);
    let of = |wanted: fn(&Group) -> bool| -> u64 {
        totals.groups().filter(|(group, _)| wanted(group)).map(|(_, count)| count).sum()
    };
    for sum in [
        of(|group| matches!(group, Group::Stage(_))),
        of(|group| matches!(group, Group::Label(_))),
        of(|group| matches!(group, Group::Tier(_))),
    ] {
        assert_eq!(sum + totals.withheld, totals.customers);
    }
}
