//! The examples S1 to S7 of the domain, and what surrounds them, from real events to answers and totals.

use crate::satisfaction_customers::{Customer, at, totals};
use touchpoint::{Metric, ServicePort};
use views::complaint::{Outcome, State};
use views::rules::Rules;
use views::satisfaction::{
    Answer, Class, Loyalty, Name, Narrow, Profile, Satisfaction, Scope, Score, Totals, Trend, Unit, UnitKind,
};
use views::{Moment, View};

const NOW: &str = "2025-06-01T00:00:00Z";

/// An answer to an item: the fields of its data.
fn answer(wave: &str, port: &str, item: &str, metric: &str, score: u8) -> String {
    format!(
        r#"{{"survey_id":"Q-{wave}","wave_id":"{wave}","port":"{port}","item_code":"{item}","metric":"{metric}","score":{score}}}"#
    )
}

fn headline(wave: &str, port: &str, score: u8) -> String {
    answer(wave, port, &format!("{port}_OVERALL"), "CSAT", score)
}

fn about_complaint(wave: &str, port: &str, score: u8, complaint: &str) -> String {
    headline(wave, port, score).replace('}', &format!(r#","complaint_id":"{complaint}"}}"#))
}

fn lodged(complaint: &str, port: &str, severity: &str) -> String {
    format!(r#"{{"complaint_id":"{complaint}","port":"{port}","category":"LEAK","severity":"{severity}"}}"#)
}

fn step(complaint: &str) -> String {
    format!(r#"{{"complaint_id":"{complaint}"}}"#)
}

fn resolved(complaint: &str) -> String {
    format!(r#"{{"complaint_id":"{complaint}","resolution":"REPAIRED","root_cause":"PIPE"}}"#)
}

fn reopened(complaint: &str) -> String {
    format!(r#"{{"complaint_id":"{complaint}","reason":"AGAIN"}}"#)
}

fn profile(customer: &Customer, time: &str) -> Profile {
    customer.answer::<Satisfaction>(time).unwrap().profile.unwrap()
}

fn index(customer: &Customer, time: &str) -> Option<u32> {
    profile(customer, time).index
}

/// So many customers of a project who answer the headline of a port with these scores, one after the other.
fn respondents(first: u128, unit: (&str, &str), wave: &str, scores: &[u8]) -> Vec<Customer> {
    let respondent = |(number, score): (usize, &u8)| {
        let mut customer = Customer::new(first + number as u128).of(unit.0, unit.1);
        customer.tell("2025-05-01T00:00:00Z", "SurveyAnswered", &headline(wave, "OVERALL", *score));
        customer
    };
    scores.iter().enumerate().map(respondent).collect()
}

/// n scores of which so many are 4 and the others 3.
fn scores(satisfied: usize, n: usize) -> Vec<u8> {
    (0..n).map(|index| if index < satisfied { 4 } else { 3 }).collect()
}

fn group_score(totals: &Totals, port: ServicePort, wave: &str) -> Score {
    totals.score(&Unit::Group, port, &Name::from(wave))
}

#[test]
fn s1_one_port() {
    let mut customers = respondents(1, ("C01", "P001"), "2025", &[5, 5, 5, 4, 4, 4, 4, 3, 1]);
    let mut silent = Customer::new(99).of("C01", "P001");
    let not_applicable = headline("2025", "OVERALL", 5).replace(r#""score":5"#, r#""not_applicable":true"#);
    silent.tell("2025-05-01T00:00:00Z", "SurveyAnswered", &not_applicable);
    customers.push(silent);
    let totals = totals::<Satisfaction>(&customers, NOW);
    let score = group_score(&totals, ServicePort::Overall, "2025");
    assert_eq!(score.n, 9);
    assert_eq!(score.rate_bp(), Some(7_778));
    assert_eq!(score.top_box_bp(), Some(3_333));
    assert_eq!(score.mean_index_hundredths(), Some(7_222));
    assert_eq!(group_score(&totals, ServicePort::Handover, "2025").rate_bp(), None);
}

#[test]
fn s2_the_latest_by_order_is_the_headline() {
    let mut customer = Customer::new(1).of("C01", "P001");
    customer.tell("2025-03-01T00:00:00Z", "SurveyAnswered", &headline("2025", "SALES_SERVICE", 2));
    let latest = customer.tell("2025-03-10T00:00:00Z", "SurveyAnswered", &headline("2025", "SALES_SERVICE", 4));
    let (time, recorded) = (at("2025-03-05T00:00:00Z"), at("2025-04-01T00:00:00Z"));
    customer.tell_late(time, recorded, "SurveyAnswered", &headline("2025", "SALES_SERVICE", 1));
    let answer = customer.answer::<Satisfaction>(NOW).unwrap();
    let [value] = &answer.port_values[..] else { panic!("{:?}", answer.port_values) };
    assert_eq!((value.value, value.dated_at), (4, at("2025-03-10T00:00:00Z")));
    assert_eq!(value.evidence.iter().map(|it| it.event).collect::<Vec<_>>(), [latest]);
    assert_eq!(answer.item_values.len(), 1);
    let before = customer.answer::<Satisfaction>("2025-03-06T00:00:00Z").unwrap();
    assert_eq!(before.port_values[0].value, 1);
}

#[test]
fn s3_ranks_of_projects() {
    let projects = [
        ("A", 94, 100, 1_000),
        ("B", 188, 200, 2_000),
        ("C", 45, 50, 3_000),
        ("D", 20, 20, 4_000),
        ("E", 80, 100, 5_000),
    ];
    let customers: Vec<_> = projects
        .into_iter()
        .flat_map(|(project, yes, n, first)| respondents(first, ("C01", project), "2025", &scores(yes, n)))
        .collect();
    let totals = totals::<Satisfaction>(&customers, NOW);
    let (rules, wave) = (Rules::default().satisfaction, Name::from("2025"));
    let ranking = totals.rank(UnitKind::Project, ServicePort::Overall, &wave, &rules);
    let listed: Vec<_> = ranking.iter().map(|it| (it.unit.as_str(), it.rank)).collect();
    // A and B are tied, neither has a 5, and B has more answers.
    assert_eq!(listed, [("B", Some(1)), ("A", Some(1)), ("C", Some(3)), ("E", Some(4)), ("D", None)]);
    let group = group_score(&totals, ServicePort::Overall, "2025");
    assert_eq!((group.satisfied, group.n, group.rate_bp()), (427, 470, Some(9_085)));
    let company = Unit::Company(Name::from("C01"));
    assert_eq!(totals.score(&company, ServicePort::Overall, &wave), group);
    let score = |project: &str| {
        let unit = Unit::Project(Name::from(project));
        totals.port_scores(&unit, &wave, None, &[ServicePort::Overall], &rules)[0].place.unwrap()
    };
    assert_eq!((score("C").rank, score("C").of), (Some(3), 4));
    assert_eq!((score("D").rank, score("D").of), (None, 4));
    assert_eq!((score("nobody").rank, score("nobody").of), (None, 4));
}

#[test]
fn s4_year_on_year() {
    let mut customers = respondents(1_000, ("C01", "B"), "2024", &scores(130, 200));
    customers.extend(respondents(2_000, ("C01", "B"), "2025", &scores(188, 200)));
    customers.extend(respondents(3_000, ("C02", "F"), "2025", &scores(9, 10)));
    let totals = totals::<Satisfaction>(&customers, NOW);
    let rules = Rules::default().satisfaction;
    let change = |project: &str, wave: &str, earlier: Option<&str>| {
        let (unit, earlier) = (Unit::Project(Name::from(project)), earlier.map(Name::from));
        totals.change(&unit, &Name::from(wave), earlier.as_ref(), ServicePort::Overall, &rules)
    };
    let up = change("B", "2025", None).unwrap();
    assert_eq!((up.wave.as_str(), up.score.n), ("2024", 200));
    let difference = up.difference.unwrap();
    assert_eq!((difference.bp, difference.z_hundredths, difference.trend), (2_900, 718, Trend::MarkedUp));
    let down = change("B", "2024", Some("2025")).unwrap().difference.unwrap();
    assert_eq!((down.bp, down.z_hundredths, down.trend), (-2_900, -718, Trend::MarkedDown));
    // The earlier wave is the group's; the unit itself has no answers there.
    let new_unit = change("F", "2025", None).unwrap();
    assert_eq!((new_unit.wave.as_str(), new_unit.difference), ("2024", None));
    assert_eq!(change("B", "2024", None), None);
}

/// S5 at NOW: SALES 5 aged 365 days and QUALITY 4 aged 0.
fn s5_customer() -> Customer {
    let mut customer = Customer::new(1).of("C01", "P001");
    customer.tell("2024-06-01T00:00:00Z", "SurveyAnswered", &headline("2024", "SALES_SERVICE", 5));
    customer.tell(NOW, "SurveyAnswered", &headline("2025", "CONSTRUCTION_QUALITY", 4));
    customer
}

#[test]
fn s5_the_index_decays_by_age() {
    let customer = s5_customer();
    let profile = profile(&customer, NOW);
    assert_eq!((profile.index, profile.class), (Some(8_333), Class::Satisfied));
    let shares: Vec<_> = profile.observations.iter().map(|it| (it.port, it.value, it.share)).collect();
    let expected = [(ServicePort::ConstructionQuality, 4, 666_667), (ServicePort::SalesService, 5, 333_333)];
    assert_eq!(shares, expected);
    assert!(profile.observations.iter().all(|it| it.inferred_from.is_none() && it.evidence.len() == 1));
}

#[test]
fn s6_a_complaint_speaks_until_its_customer_does() {
    let mut customer = s5_customer();
    customer.tell(NOW, "ComplaintLodged", &lodged("K1", "REPAIR_SERVICE", "MEDIUM"));
    assert_eq!(index(&customer, NOW), Some(7_273));
    customer.tell(NOW, "ComplaintResolved", &resolved("K1"));
    let inferred = profile(&customer, NOW);
    assert_eq!(inferred.index, Some(7_727));
    let inferred = inferred.observations.iter().find(|it| it.inferred_from.is_some()).unwrap();
    assert_eq!((inferred.port, inferred.value, inferred.evidence.len()), (ServicePort::RepairService, 3, 2));
    customer.tell(NOW, "SurveyAnswered", &about_complaint("2025", "REPAIR_SERVICE", 4, "K1"));
    let answered = profile(&customer, NOW);
    assert_eq!(answered.index, Some(8_077));
    assert!(answered.observations.iter().all(|it| it.inferred_from.is_none()));
}

#[test]
fn s7_the_clock_stops_between_resolved_and_reopened() {
    let mut customer = Customer::new(1).of("C01", "P001");
    customer.tell("2025-05-01T09:00:00Z", "ComplaintLodged", &lodged("K1", "REPAIR_SERVICE", "MEDIUM"));
    customer.tell("2025-05-01T09:50:00Z", "ComplaintAcknowledged", &step("K1"));
    customer.tell("2025-05-06T09:00:00Z", "ComplaintResolved", &resolved("K1"));
    customer.tell("2025-05-08T09:00:00Z", "ComplaintReopened", &reopened("K1"));
    customer.tell("2025-05-11T09:00:00Z", "ComplaintResolved", &resolved("K1"));
    let case = customer.answer::<Satisfaction>(NOW).unwrap().complaints.remove(0);
    let hours = |taken: Option<i64>| taken.unwrap() / touchpoint::Timestamp::HOUR;
    assert_eq!(case.acknowledgement.taken, Some(50 * touchpoint::Timestamp::MINUTE));
    assert_eq!((hours(case.first_resolution.taken), case.first_resolution.outcome), (120, Outcome::Met));
    assert_eq!((hours(case.total.taken), case.total.outcome), (192, Outcome::Breached));
    let levels = totals::<Satisfaction>([&customer], NOW).service_levels(&Unit::Group, None, None);
    assert_eq!((levels.complaints, levels.open), (1, 0));
    assert_eq!((levels.first_resolution.rate_bp(), levels.total.rate_bp()), (Some(10_000), Some(0)));
    // Reopened: what is left of the limit was used up by the first spell.
    let open = customer.answer::<Satisfaction>("2025-05-08T09:00:00Z").unwrap().complaints.remove(0);
    assert_eq!(
        (open.state, open.total.outcome, open.total.due),
        (State::InProgress, Outcome::Pending, Some(at("2025-05-08T09:00:00Z")))
    );
    let late = customer.answer::<Satisfaction>("2025-05-08T09:00:00.000001Z").unwrap().complaints.remove(0);
    assert!(late.is_overdue());
}

#[test]
fn the_index_stands_still_between_events_and_window_ends() {
    let customer = s5_customer();
    let rules = Rules::default();
    let mut moment = Moment::now(at(NOW));
    let first = Satisfaction::answer(&customer.record, &rules, &mut moment).unwrap();
    // The customer is only known by answers, so that 90 days of silence end the stage LEAD first.
    assert_eq!(moment.valid_until(), at(NOW).plus_days(90));
    let mut moment = Moment::now(at(NOW).plus_days(90));
    let second = Satisfaction::answer(&customer.record, &rules, &mut moment).unwrap();
    assert_eq!(second.profile, first.profile);
    assert_eq!(moment.valid_until(), at("2024-06-01T00:00:00Z").plus_days(730));
    let left = Satisfaction::answer(&customer.record, &rules, &mut Moment::now(moment.valid_until())).unwrap();
    assert_eq!(left.profile.unwrap().index, Some(7_500));
    let long_after = profile(&customer, "2027-06-01T00:00:00Z");
    assert_eq!((long_after.index, long_after.class), (None, Class::Unknown));
}

#[test]
fn an_answer_about_a_complaint_gives_way_when_it_leaves_the_window() {
    let mut customer = Customer::new(1);
    customer.tell("2023-01-01T00:00:00Z", "ComplaintLodged", &lodged("K1", "REPAIR_SERVICE", "HIGH"));
    customer.tell("2023-01-02T00:00:00Z", "SurveyAnswered", &about_complaint("2023", "REPAIR_SERVICE", 5, "K1"));
    customer.tell("2024-01-01T00:00:00Z", "ComplaintResolved", &resolved("K1"));
    assert_eq!(index(&customer, "2024-12-31T23:59:59.999999Z"), Some(10_000));
    assert_eq!(index(&customer, "2025-01-01T00:00:00Z"), Some(2_500), "730 days after the answer, resolved late");
}

#[test]
fn a_withdrawn_complaint_says_nothing() {
    let mut customer = Customer::new(1);
    customer.tell("2025-05-01T00:00:00Z", "ComplaintLodged", &lodged("K1", "REPAIR_SERVICE", "HIGH"));
    assert_eq!(index(&customer, NOW), Some(0));
    customer.tell("2025-05-20T00:00:00Z", "ComplaintWithdrawn", &step("K1"));
    assert_eq!(index(&customer, NOW), None);
    let case = customer.answer::<Satisfaction>(NOW).unwrap().complaints.remove(0);
    assert_eq!((case.state, case.total.outcome), (State::Withdrawn, Outcome::Breached));
}

#[test]
fn a_port_without_headline_is_the_mean_rounded_half_up_and_belongs_to_its_latest_item() {
    let mut customer = Customer::new(1).of("C01", "P001");
    let item = |code: &str, score| answer("2025", "REPAIR_SERVICE", code, "CSAT", score);
    customer.tell("2025-05-01T00:00:00Z", "SurveyAnswered", &item("SPEED", 3));
    customer.company = "C02".into();
    customer.tell("2025-05-02T00:00:00Z", "SurveyAnswered", &item("MANNER", 4));
    let totals = totals::<Satisfaction>([&customer], NOW);
    let score = |unit: Unit| totals.score(&unit, ServicePort::RepairService, &Name::from("2025"));
    assert_eq!((score(Unit::Group).n, score(Unit::Group).sum), (1, 4));
    assert_eq!(score(Unit::Company(Name::from("C02"))).n, 1);
    assert_eq!(score(Unit::Company(Name::from("C01"))).n, 0);
    assert_eq!(score(Unit::Project(Name::from("P001"))).n, 1);
    let (rules, wave) = (Rules::default().satisfaction, Name::from("2025"));
    let items = totals.indicators(&Unit::Company(Name::from("C01")), &wave, None, ServicePort::ALL, &rules);
    let listed: Vec<_> = items.iter().map(|it| (it.item.as_str(), it.score.n, it.group.sum)).collect();
    assert_eq!(listed, [("MANNER", 0, 4), ("SPEED", 1, 3)]);
}

#[test]
fn nps_and_ces() {
    let mut customers = Vec::new();
    for (number, (nps, ces)) in [(10, 7), (9, 5), (8, 4), (6, 1), (0, 6)].into_iter().enumerate() {
        let mut customer = Customer::new(number as u128 + 1).of("C01", "P001");
        customer.tell("2025-05-01T00:00:00Z", "SurveyAnswered", &answer("2025", "OVERALL", "NPS", "NPS", nps));
        customer.tell("2025-05-01T00:00:00Z", "SurveyAnswered", &answer("2025", "CALL_CENTRE", "CES", "CES", ces));
        customers.push(customer);
    }
    customers.pop();
    let totals = totals::<Satisfaction>(&customers, NOW);
    let wave = Name::from("2025");
    let nps = totals.nps(&Unit::Project(Name::from("P001")), ServicePort::Overall, &wave);
    assert_eq!((nps.n(), nps.promoters, nps.passives, nps.detractors, nps.bp()), (4, 2, 1, 1, Some(2_500)));
    let ces = totals.ces(&Unit::Group, ServicePort::CallCentre, &wave);
    assert_eq!((ces.n, ces.easy, ces.bp()), (4, 2, Some(5_000)));
    assert_eq!(totals.nps(&Unit::Group, ServicePort::CallCentre, &wave).bp(), None);
    assert_eq!(totals.latest_wave(), Some(&wave));
}

#[test]
fn loyalty_needs_three_answers_in_the_window() {
    let mut customer = Customer::new(1);
    customer.tell("2023-07-01T00:00:00Z", "SurveyAnswered", &headline("2023", "OVERALL", 5));
    customer.tell("2025-05-01T00:00:00Z", "SurveyAnswered", &answer("2025", "OVERALL", "REP", "REPURCHASE", 4));
    assert_eq!(profile(&customer, NOW).loyalty, Loyalty::Unknown);
    customer.tell("2025-05-01T00:00:00Z", "SurveyAnswered", &answer("2025", "OVERALL", "REC", "RECOMMEND", 3));
    let profile_now = profile(&customer, NOW);
    assert_eq!(profile_now.loyalty, Loyalty::Vulnerable);
    let behind: Vec<_> = profile_now.loyalty_answers.iter().map(|it| (it.code(), it.metric, it.score)).collect();
    let expected =
        [("OVERALL", Metric::Csat, 5), ("REPURCHASE", Metric::Repurchase, 4), ("RECOMMEND", Metric::Recommend, 3)];
    assert_eq!(behind, expected);
    assert_eq!(profile(&customer, "2025-06-29T23:59:59.999999Z").loyalty, Loyalty::Vulnerable);
    assert_eq!(profile(&customer, "2025-06-30T00:00:00Z").loyalty, Loyalty::Unknown);
}

#[test]
fn who_withdrew_consent_counts_in_rates_but_has_no_profile() {
    let mut customer = s5_customer();
    customer.tell(NOW, "ComplaintLodged", &lodged("K1", "REPAIR_SERVICE", "LOW"));
    let classes = |customer: &Customer| totals::<Satisfaction>([customer], NOW).classes(&Scope::default());
    assert_eq!((classes(&customer).class(Class::Neutral), classes(&customer).withheld), (1, 0));
    customer.tell("2026-01-01T00:00:00Z", "ConsentWithdrawn", r#"{"purpose":"PROFILING"}"#);
    let Answer { profile, complaints, .. } = customer.answer::<Satisfaction>(NOW).unwrap();
    assert_eq!((profile, complaints.len()), (None, 1));
    let totals = totals::<Satisfaction>([&customer], NOW);
    let counted = totals.classes(&Scope::default());
    assert_eq!((counted.customers, counted.withheld, counted.class(Class::Neutral)), (1, 1, 0));
    assert_eq!(group_score(&totals, ServicePort::ConstructionQuality, "2025").n, 1);
    assert_eq!(totals.service_levels(&Unit::Group, None, None).acknowledgement.pending, 1);
}

#[test]
fn open_complaints_are_listed_by_the_end_of_their_limit() {
    let lodge = |number, project: &str, time, severity| {
        let mut customer = Customer::new(number).of("C01", project);
        customer.tell(time, "ComplaintLodged", &lodged("K1", "REPAIR_SERVICE", severity));
        customer
    };
    let late = lodge(1, "P001", "2025-05-20T00:00:00Z", "LOW");
    let soon = lodge(2, "P002", "2025-05-31T00:00:00.000001Z", "CRITICAL");
    let later = lodge(3, "P001", "2025-05-31T00:00:00Z", "HIGH");
    let mut done = lodge(4, "P001", "2025-05-31T00:00:00Z", "HIGH");
    done.tell(NOW, "ComplaintClosed", &step("K1"));
    let totals = totals::<Satisfaction>([&later, &soon, &done, &late], NOW);
    let listed =
        |narrow: &Narrow| -> Vec<_> { totals.open_complaints(narrow, None).map(|(place, _)| place.customer).collect() };
    assert_eq!(listed(&Narrow::default()), [late.id, soon.id, later.id]);
    assert_eq!(listed(&Narrow { overdue_only: true, ..Narrow::default() }), [late.id]);
    let project = Scope { project: Some(Name::from("P001")), ..Scope::default() };
    assert_eq!(listed(&Narrow { scope: project, ..Narrow::default() }), [late.id, later.id]);
    assert_eq!(listed(&Narrow { port: Some(ServicePort::Handover), ..Narrow::default() }), []);
    let any = Narrow::default();
    let (first, _) = totals.open_complaints(&any, None).next().unwrap();
    let rest: Vec<_> = totals.open_complaints(&any, Some(first)).map(|(place, _)| place.customer).collect();
    assert_eq!(rest, [soon.id, later.id]);
    let levels = totals.service_levels(&Unit::Project(Name::from("P001")), Some(ServicePort::RepairService), None);
    assert_eq!((levels.complaints, levels.open, levels.total.breached, levels.total.met), (3, 2, 1, 1));
}
