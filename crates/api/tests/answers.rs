//! From messages to answers: a customer's touchpoints are filed, the views answer, and the answers become messages.
#![allow(clippy::unwrap_used, reason = "a failed step of a test ends the test")]

use api::v1::deciding_condition::Found;
use api::v1::touchpoint::Event as Member;
use api::{churn, complaint, funnel, names, report, satisfaction, segmentation, standing, touchpoints, v1};
use touchpoint::{CustomerId, Event, Position, Recorded, ServicePort, Timestamp};
use views::churn::{Band, Churn};
use views::lifecycle::Stage;
use views::rules::Rules;
use views::satisfaction::{Class, Loyalty, Name, Satisfaction, Unit};
use views::segmentation::{Label, Segmentation, Tier, explain, table};
use views::{Moment, Record, Sign, View};

const CUSTOMER: CustomerId = CustomerId::from_u128(7);
const DAYS: i64 = Timestamp::DAY;

fn now() -> Timestamp {
    "2025-06-30T09:00:00Z".parse().unwrap()
}

/// A customer to whom these things happened, so many microseconds ago.
fn record(story: Vec<(i64, Member)>) -> Record {
    let mut record = Record::default();
    for (index, (ago, member)) in (1..).zip(story) {
        let occurred_at = now().plus_micros(-ago);
        let message = v1::Touchpoint {
            id: touchpoint::EventId::from_u128(index).to_string(),
            source: "test".to_owned(),
            customer_id: CUSTOMER.to_string(),
            occurred_at: Some(names::timestamp(occurred_at)),
            channel: v1::Channel::InPerson.into(),
            company_id: Some("C01".to_owned()),
            project_id: Some("P003".to_owned()),
            event: Some(member),
            ..Default::default()
        };
        let json = touchpoints::to_json(&message);
        let event = Event::decode(&json).unwrap();
        record.file(&Recorded { position: Position(index as u64), recorded_at: occurred_at, event });
    }
    record
}

fn answer<V: View>(record: &Record) -> V::Answer {
    V::answer(record, &Rules::default(), &mut Moment::now(now())).unwrap()
}

fn totals<V: View>(answer: &V::Answer) -> V::Totals {
    let mut totals = V::Totals::default();
    V::place(&mut totals, CUSTOMER, &V::placement(answer), Sign::Add);
    totals
}

fn visit() -> Member {
    Member::VisitRecorded(v1::VisitRecorded {
        visit_id: "V-1".to_owned(),
        kind: v1::VisitKind::First.into(),
        purpose: v1::VisitPurpose::SalesCentre.into(),
        lead_source: v1::LeadSource::Advert.into(),
        consultant_id: "K-9".to_owned(),
        motive: v1::Motive::FirstHome.into(),
        rooms: Some(3),
        budget_max_fen: Some(400_000_000),
        ..Default::default()
    })
}

fn lodged() -> Member {
    Member::ComplaintLodged(v1::ComplaintLodged {
        complaint_id: "TS-1".to_owned(),
        port: v1::ServicePort::RepairService.into(),
        category: "LEAK".to_owned(),
        severity: v1::ComplaintSeverity::High.into(),
        group_id: Some("G-7".to_owned()),
        ..Default::default()
    })
}

fn acknowledged() -> Member {
    Member::ComplaintAcknowledged(v1::ComplaintAcknowledged { complaint_id: "TS-1".to_owned() })
}

fn answered(item: &str, metric: v1::Metric, score: u32) -> Member {
    Member::SurveyAnswered(v1::SurveyAnswered {
        survey_id: "S-1".to_owned(),
        wave_id: "2025".to_owned(),
        port: v1::ServicePort::Overall.into(),
        item_code: item.to_owned(),
        metric: metric.into(),
        score: Some(score),
        ..Default::default()
    })
}

fn withdrawn() -> Member {
    Member::ConsentWithdrawn(v1::ConsentWithdrawn { purpose: v1::ConsentPurpose::Profiling.into() })
}

/// Example C1 of the domain: a prospect, silent for 7 days.
#[test]
fn a_risk_has_its_figures_and_where_the_customer_belongs() {
    let answer = answer::<Churn>(&record(vec![(7 * DAYS, visit())]));
    let risk = churn::risk(CUSTOMER, &answer, now());
    assert_eq!(risk.p_millionths, Some(377_541));
    assert_eq!(risk.band(), v1::RiskBand::Medium);
    assert_eq!(risk.lifecycle.as_ref().unwrap().stage(), v1::LifecycleStage::Prospect);
    assert_eq!((risk.days_silent, risk.horizon_days), (Some(7), Some(90)));
    assert_eq!((risk.reasons.len(), risk.calibrated), (0, false));
    let belonging = risk.belonging.unwrap();
    assert_eq!([belonging.company_id, belonging.project_id, belonging.consultant_id], ["C01", "P003", "K-9"]);
    let counts = churn::band_counts(&totals::<Churn>(&answer).bands(&views::churn::Narrow::All));
    let medium = v1::BandCount { band: v1::RiskBand::Medium.into(), customers: 1 };
    assert_eq!(counts.iter().filter(|count| count.customers > 0).collect::<Vec<_>>(), [&medium]);
}

#[test]
fn an_explanation_names_the_events_behind_stage_and_rfm_and_what_decides_on_segments() {
    let record = record(vec![(5 * DAYS, visit()), (3 * DAYS, visit())]);
    let given = explain(&record, &Rules::default(), &mut Moment::now(now())).unwrap();
    let explained = segmentation::explained(CUSTOMER, &given);
    let id = |number: u128| touchpoint::EventId::from_u128(number).to_string();
    assert_eq!(
        explained.lifecycle.as_ref().unwrap().made_by.as_ref().unwrap().event_id,
        id(1),
        "the first visit makes a PROSPECT"
    );
    let ids = |evidence: &[v1::Evidence]| evidence.iter().map(|it| it.event_id.clone()).collect::<Vec<_>>();
    let behind: Vec<_> = explained.rfm.iter().flat_map(|rfm| &rfm.reasons).map(|it| ids(&it.evidence)).collect();
    assert_eq!(behind, [vec![id(2)], vec![id(1), id(2)], vec![]], "R, F and M");
    let first_home = explained.rule_segments.iter().find(|it| it.name == "first_home").unwrap();
    assert_eq!(ids(&first_home.evidence), [id(2)], "the latest visit that says why");
    let decided = |name: &str| {
        let decision = explained.segment_decisions.iter().find(|it| it.name == name).unwrap().decision.clone();
        decision.map(|it| (it.holds, it.conditions)).unwrap()
    };
    let condition = |condition: &str, holds, found| v1::DecidingCondition {
        condition: condition.to_owned(),
        negated: false,
        holds,
        found,
    };
    let motive = condition("motive = [\"FIRST_HOME\"]", true, Some(Found::Value("FIRST_HOME".to_owned())));
    assert_eq!(decided("first_home"), (true, vec![motive]));
    let complaints = "count = { events = [\"ComplaintLodged\"], days = 90, min = 2 }";
    assert_eq!(decided("complaints_unheard"), (false, vec![condition(complaints, false, Some(Found::Number(0)))]));
    let plain = segmentation::customer_segments(CUSTOMER, &given.answer);
    assert_eq!(plain.lifecycle.unwrap().made_by, None);
    assert!(plain.rfm.unwrap().reasons.is_empty() && plain.segment_decisions.is_empty());
}

#[test]
fn reasons_carry_their_points_and_the_dates_of_their_evidence() {
    let story = vec![(20 * DAYS, visit()), (5 * DAYS, lodged())];
    let risk = churn::risk(CUSTOMER, &answer::<Churn>(&record(story)), now());
    let reason = risk.reasons.iter().find(|reason| reason.code == "OPEN_COMPLAINT").unwrap();
    assert_eq!(reason.points_millionths, Some(1_300_000));
    assert_eq!(reason.evidence[0].event_id, "00000000-0000-0000-0000-000000000002");
    assert_eq!(reason.evidence[0].occurred_at, Some(names::timestamp(now().plus_micros(-5 * DAYS))));
    let sum: i64 = risk.reasons.iter().filter_map(|reason| reason.points_millionths).sum();
    assert_eq!(risk.points_millionths, Some(sum));
}

#[test]
fn who_withholds_the_profile_is_answered_with_lifecycle_and_complaints_only() {
    let story = vec![
        (30 * DAYS, visit()),
        (9 * DAYS, answered("OVERALL_OVERALL", v1::Metric::Csat, 2)),
        (5 * DAYS, lodged()),
        (DAYS, withdrawn()),
    ];
    let record = record(story);
    let lifecycle = Some(v1::Lifecycle { stage: v1::LifecycleStage::Prospect.into(), ..Default::default() });
    let (customer_id, withheld) = (CUSTOMER.to_string(), true);

    let risk = churn::risk(CUSTOMER, &answer::<Churn>(&record), now());
    let expected =
        v1::Risk { customer_id: customer_id.clone(), withheld, lifecycle: lifecycle.clone(), ..Default::default() };
    assert_eq!(risk, expected);

    let segments = segmentation::customer_segments(CUSTOMER, &answer::<Segmentation>(&record));
    let (id, stage) = (customer_id.clone(), lifecycle.clone());
    let expected = v1::CustomerSegments { customer_id: id, withheld, lifecycle: stage, ..Default::default() };
    assert_eq!(segments, expected);

    let index = satisfaction::customer_index(CUSTOMER, &answer::<Satisfaction>(&record));
    assert_eq!(index.complaints.len(), 1);
    let expected = v1::CustomerIndex {
        customer_id,
        withheld,
        lifecycle,
        complaints: index.complaints.clone(),
        ..Default::default()
    };
    assert_eq!(index, expected);
}

#[test]
fn a_customer_index_shows_what_it_is_made_of() {
    let story = vec![
        (9 * DAYS, answered("OVERALL_OVERALL", v1::Metric::Csat, 5)),
        (9 * DAYS, answered("AGAIN", v1::Metric::Repurchase, 4)),
        (9 * DAYS, answered("TELL", v1::Metric::Recommend, 5)),
        (2 * DAYS, lodged()),
    ];
    let index = satisfaction::customer_index(CUSTOMER, &answer::<Satisfaction>(&record(story)));
    assert_eq!(index.loyalty_class(), v1::LoyaltyClass::Favourable);
    let codes: Vec<_> = index.loyalty_reasons.iter().map(|reason| reason.code.as_str()).collect();
    assert_eq!(codes, ["OVERALL", "REPURCHASE", "RECOMMEND"]);
    assert_eq!(index.observations.iter().map(|it| it.weight_millionths).sum::<u32>(), 1_000_000);
    let inferred = index.observations.iter().find(|it| it.inferred).unwrap();
    assert_eq!((inferred.value, inferred.complaint_id.as_str()), (1, "TS-1"));
    assert!(index.index_hundredths.is_some());
}

#[test]
fn a_complaint_has_three_clocks() {
    let minutes = |count: i64| count * Timestamp::MINUTE;
    let story = vec![(2 * DAYS, lodged()), (2 * DAYS - minutes(50), acknowledged())];
    let answer = answer::<Satisfaction>(&record(story));
    let case = satisfaction::case_of(CUSTOMER, &answer.complaints[0]);
    assert_eq!((case.state(), case.severity()), (v1::ComplaintState::Acknowledged, v1::ComplaintSeverity::High));
    assert_eq!((case.group_id.as_str(), case.project_id.as_str(), case.contract_id.as_str()), ("G-7", "P003", ""));
    let acknowledgement = case.acknowledgement.unwrap();
    assert_eq!(acknowledgement.level(), v1::ServiceLevel::Met);
    assert_eq!(acknowledgement.taken, Some(prost_types::Duration { seconds: 50 * 60, nanos: 0 }));
    let total = case.total.unwrap();
    assert_eq!((total.level(), total.taken), (v1::ServiceLevel::Pending, None));
    assert_eq!(total.due_at, Some(names::timestamp(now().plus_days(1))));
    let levels =
        satisfaction::service_levels(&totals::<Satisfaction>(&answer).service_levels(&Unit::Group, None, None));
    assert_eq!((levels.complaints, levels.open, levels.acknowledgement.unwrap().rate_bp), (1, 1, Some(10_000)));
    assert_eq!(levels.total.unwrap().rate_bp, None);
}

#[test]
fn segments_and_totals_agree() {
    let answer = answer::<Segmentation>(&record(vec![(7 * DAYS, visit())]));
    let segments = segmentation::customer_segments(CUSTOMER, &answer);
    let (rfm, demand) = (segments.rfm.unwrap(), segments.demand.unwrap());
    assert_eq!((rfm.recency, rfm.frequency, rfm.monetary), (5, 2, 1));
    assert_eq!(rfm.label(), v1::RfmLabel::GeneralDevelop);
    assert_eq!((demand.motive(), demand.household()), (v1::Motive::FirstHome, v1::Household::Unspecified));
    assert_eq!((demand.rooms, demand.budget_min_fen, demand.budget_max_fen), (Some(3), None, Some(400_000_000)));
    assert_eq!(segments.value.unwrap().reasons.len(), 4);

    let rules = Rules::default();
    let counted = segmentation::totals(&totals::<Segmentation>(&answer), &rules);
    assert_eq!(counted.customers, 1);
    assert_eq!(counted.stages.iter().map(|count| count.customers).sum::<u64>(), 1);
    assert_eq!(counted.rfm_labels.iter().map(|count| count.customers).sum::<u64>(), 1);
    assert_eq!(counted.value_tiers.iter().map(|count| count.customers).sum::<u64>(), 1);
    assert_eq!(counted.motives.iter().map(|count| count.customers).sum::<u64>(), 1);
    assert_eq!(counted.households[0], v1::HouseholdCount { household: 0, customers: 1 });
    assert_eq!(counted.rule_segments.len(), rules.segmentation.segments.len());
}

#[test]
fn the_funnel_begins_with_the_whole() {
    let answer = answer::<Segmentation>(&record(vec![(7 * DAYS, visit())]));
    let rows = funnel::rows(&table([&answer.funnel]));
    assert_eq!(rows[0].cohort, "");
    assert_eq!(rows[0].source, Some(v1::funnel_row::Source::AllLeadSources(true)));
    let reached: Vec<_> = rows[0].steps.iter().map(|step| step.customers).collect();
    assert_eq!(reached, [1, 1, 0, 0, 0]);
    let cell = rows.last().unwrap();
    assert_eq!(cell.cohort, "2025-06");
    assert_eq!(cell.source, Some(v1::funnel_row::Source::LeadSource(v1::LeadSource::Advert.into())));
}

#[test]
fn a_report_reads_unit_wave_and_port() {
    let story = vec![
        (9 * DAYS, answered("OVERALL_OVERALL", v1::Metric::Csat, 5)),
        (9 * DAYS, answered("NPS", v1::Metric::Nps, 9)),
    ];
    let totals = totals::<Satisfaction>(&answer::<Satisfaction>(&record(story)));
    let (unit, wave) = (Unit::Project("P003".into()), Name::from("2025"));
    let rules = Rules::default().satisfaction;
    let scores = totals.port_scores(&unit, &wave, None, &[ServicePort::Overall], &rules);
    let score = report::port_score(&scores[0]);
    assert_eq!(score.score.unwrap().rate_bp, Some(10_000));
    assert_eq!(score.change, None);
    assert!(score.rank.unwrap().insufficient_sample);
    assert_eq!(report::nps(&totals.nps(&unit, ServicePort::Overall, &wave)).nps_bp, Some(10_000));
    assert_eq!(report::ces(&totals.ces(&unit, ServicePort::Overall, &wave)).ces_bp, None);
}

#[test]
fn members_are_asked_for_by_selector_or_scope() {
    let rules = Rules::default();
    let by = |selector| v1::MemberSelector { selector: Some(selector) };
    let groups = |selector: Option<v1::MemberSelector>, company: &str| {
        let scope = v1::Scope { company_id: company.to_owned(), ..Default::default() };
        segmentation::groups(selector.as_ref(), &api::query::Scope::read(Some(&scope)).unwrap(), &rules)
    };
    use v1::member_selector::Selector;
    assert_eq!(groups(Some(by(Selector::Stage(v1::LifecycleStage::Lost.into()))), "C01").unwrap().len(), 2);
    assert_eq!(groups(None, "C01").unwrap().len(), 1);
    assert!(groups(None, "").unwrap().is_empty());
    for (selector, field) in [
        (Some(by(Selector::Stage(0))), "selector.stage"),
        (Some(by(Selector::ValueTier(99))), "selector.value_tier"),
        (Some(by(Selector::RuleSegment("nobody".to_owned()))), "selector.rule_segment"),
    ] {
        let Err(api::errors::Error::Invalid(list)) = groups(selector, "") else { panic!("{field} is accepted") };
        assert_eq!(list[0].field, field);
    }
}

/// The views name their values as the protos do.
#[test]
fn twins_have_the_same_names() {
    let same = |twin: &str, prefix: &str, name: &str| assert_eq!(twin, format!("{prefix}_{name}"));
    Stage::ALL.iter().for_each(|&it| same(standing::stage(it).as_str_name(), "LIFECYCLE_STAGE", it.name()));
    Band::ALL.iter().for_each(|&it| same(churn::band(it).as_str_name(), "RISK_BAND", it.name()));
    Class::ALL.iter().for_each(|&it| same(satisfaction::class(it).as_str_name(), "SATISFACTION_CLASS", it.name()));
    Loyalty::ALL.iter().for_each(|&it| same(satisfaction::loyalty(it).as_str_name(), "LOYALTY_CLASS", it.name()));
    Label::ALL.iter().for_each(|&it| same(segmentation::label(it).as_str_name(), "RFM_LABEL", it.name()));
    Tier::ALL.iter().for_each(|&it| same(segmentation::tier(it).as_str_name(), "VALUE_TIER", it.name()));
    use views::complaint::{Outcome, State};
    for it in [
        State::Lodged,
        State::Acknowledged,
        State::Assessed,
        State::InProgress,
        State::Resolved,
        State::Closed,
        State::Withdrawn,
    ] {
        same(complaint::state(it).as_str_name(), "COMPLAINT_STATE", it.name());
    }
    for it in [Outcome::Met, Outcome::Breached, Outcome::Pending, Outcome::Withdrawn] {
        same(complaint::service_level(it).as_str_name(), "SERVICE_LEVEL", it.name());
    }
}
