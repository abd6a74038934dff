//! What if: DiffRules of the three views.

use std::collections::{BTreeMap, BTreeSet};

use api::v1;
use api::v1::churn_risk_service_client::ChurnRiskServiceClient;
use api::v1::satisfaction_service_client::SatisfactionServiceClient;
use api::v1::segmentation_service_client::SegmentationServiceClient;
use tonic::transport::Channel;
use tonic_types::StatusExt;
use views::churn::Churn;
use views::satisfaction::Satisfaction;
use views::segmentation::Segmentation;

use crate::support::{Log, field, now, serve};

const CUSTOMERS: u64 = 120;

fn at_now() -> Option<v1::ViewQuery> {
    Some(v1::ViewQuery { as_of: Some(api::names::timestamp(now())), ..Default::default() })
}

/// The margin of a matrix: customers by the value before.
fn before(diff: &v1::RulesDiff, axis: &str) -> BTreeMap<String, u64> {
    let mut margin = BTreeMap::new();
    let matrix = diff.matrices.iter().find(|matrix| matrix.axis == axis).unwrap();
    matrix.cells.iter().for_each(|cell| *margin.entry(cell.from.clone()).or_default() += cell.customers);
    margin
}

/// Counts by the name of a value, without the zeros and without the prefix of the enumeration.
fn counted<'a>(prefix: &str, counts: impl Iterator<Item = (&'a str, u64)>) -> BTreeMap<String, u64> {
    let named = counts.filter(|(_, count)| *count > 0);
    named.map(|(name, count)| (name.strip_prefix(prefix).unwrap().to_owned(), count)).collect()
}

/// Customers who are in another cell than on the diagonal.
fn off_diagonal(diff: &v1::RulesDiff) -> u64 {
    let cells = diff.matrices.iter().flat_map(|matrix| &matrix.cells);
    cells.filter(|cell| cell.from != cell.to).map(|cell| cell.customers).sum()
}

async fn churn(
    client: &mut ChurnRiskServiceClient<Channel>,
    candidate: &str,
    page_size: i32,
) -> (v1::RulesDiff, Vec<v1::MovedCustomer>) {
    let candidate = candidate.to_owned();
    let mut request = v1::ChurnRiskServiceDiffRulesRequest { candidate, page_size, ..Default::default() };
    let (mut diff, mut moved) = (None, Vec::new());
    loop {
        let page = client.diff_rules(request.clone()).await.unwrap().into_inner();
        assert_eq!(page.diff.is_some(), request.page_token.is_empty(), "the whole is said once");
        assert!(page.moved.len() == page_size as usize || page.next_page_token.is_empty());
        diff = diff.or(page.diff);
        moved.extend(page.moved);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return (diff.unwrap(), moved);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_pages_are_of_the_position_of_the_first_one() {
    let (log, customers) = Log::believable(CUSTOMERS);
    let end = log.end();
    let running = serve::<Churn>(&log).await;
    let mut client = ChurnRiskServiceClient::new(running.channel.clone());
    let candidate = "[churn.reasons.SILENCE]\npoints_per_gap = 0\n".to_owned();
    let mut request = v1::ChurnRiskServiceDiffRulesRequest { candidate, page_size: 3, ..Default::default() };
    let first = client.diff_rules(request.clone()).await.unwrap().into_inner();
    let min_position = log.hold_back_visit(customers[0]);
    log.release();
    let query = Some(v1::ViewQuery { min_position, ..Default::default() });
    client.count_bands(v1::CountBandsRequest { scope: None, query }).await.unwrap();
    request.page_token = first.next_page_token;
    let second = client.diff_rules(request).await.unwrap().into_inner();
    let [first, second] = [first.meta, second.meta].map(Option::unwrap);
    assert_eq!([first.position, second.position], [end; 2]);
    assert_eq!((first.unresolved_references, second.lag_events), (second.unresolved_references, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bands_move_with_their_reasons_and_pages_lead_through_them() {
    let (log, _) = Log::believable(CUSTOMERS);
    let running = serve::<Churn>(&log).await;
    let mut client = ChurnRiskServiceClient::new(running.channel.clone());
    let (diff, all) = churn(&mut client, "[churn.reasons.SILENCE]\npoints_per_gap = 0\n", 1_000).await;
    assert_eq!(diff.customers, diff.moved + diff.shifted + diff.same + diff.withheld);
    assert_eq!((diff.moved, off_diagonal(&diff)), (all.len() as u64, all.len() as u64));
    assert!(diff.moved > 5 && diff.shifted > 0 && diff.same > 0, "{diff:?}");
    let each: BTreeSet<_> = all.iter().map(|it| &it.customer_id).collect();
    assert_eq!(each.len(), all.len(), "everybody once");
    for customer in &all {
        let [change] = &customer.reasons[..] else { panic!("{customer:?}") };
        assert_eq!((change.code.as_str(), change.after_millionths), ("SILENCE", None));
        assert!(change.before_millionths.unwrap() > 0);
        let figure = &customer.figures[0];
        assert!(figure.name == "p_millionths" && figure.before > figure.after, "{figure:?}");
    }
    let (again, pages) = churn(&mut client, "[churn.reasons.SILENCE]\npoints_per_gap = 0\n", 3).await;
    assert_eq!((again, pages), (diff.clone(), all));

    let count = v1::CountBandsRequest { scope: None, query: at_now() };
    let bands = client.count_bands(count).await.unwrap().into_inner();
    let counts = bands.bands.iter().map(|it| (it.band().as_str_name(), it.customers));
    assert_eq!(before(&diff, "band"), counted("RISK_BAND_", counts));
    assert_eq!((diff.customers, diff.withheld), (bands.customers, bands.withheld));
    assert!(diff.withheld > 0, "somebody withheld consent");

    let (nothing, nobody) = churn(&mut client, "", 10).await;
    assert_eq!((nothing.moved, nothing.shifted, nothing.withheld_changed, nobody.len()), (0, 0, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stages_tiers_labels_and_segments_move() {
    let (log, _) = Log::believable(CUSTOMERS);
    let running = serve::<Segmentation>(&log).await;
    let mut client = SegmentationServiceClient::new(running.channel.clone());
    let candidate = "[lifecycle]\nlost_after_days = 30\n[segmentation.tier.from]\nMID = 5\n\
                     [[segments]]\nname = \"in_doubt\"\nwhen = { stage = [\"LOST\"] }\n";
    let request = v1::SegmentationServiceDiffRulesRequest {
        candidate: candidate.to_owned(),
        query: at_now(),
        page_size: 1_000,
        ..Default::default()
    };
    let answer = client.diff_rules(request).await.unwrap().into_inner();
    let diff = answer.diff.unwrap();
    assert_eq!(diff.customers, diff.moved + diff.shifted + diff.same + diff.withheld);
    assert_eq!(answer.moved.len() as u64, diff.moved);
    let totals = v1::CountMembersRequest { scope: None, query: at_now() };
    let totals = client.count_members(totals).await.unwrap().into_inner();
    let stages = totals.stages.iter().map(|it| (it.stage().as_str_name(), it.customers));
    assert_eq!(before(&diff, "stage"), counted("LIFECYCLE_STAGE_", stages));
    let tiers = totals.value_tiers.iter().map(|it| (it.tier().as_str_name(), it.customers));
    assert_eq!(before(&diff, "value_tier"), counted("VALUE_TIER_", tiers));
    let labels = totals.rfm_labels.iter().map(|it| (it.label().as_str_name(), it.customers));
    assert_eq!(before(&diff, "rfm_label"), counted("RFM_LABEL_", labels));

    let names: Vec<_> = diff.segments.iter().map(|it| it.name.as_str()).collect();
    assert!(names.contains(&"in_doubt") && names.contains(&"first_home"), "{names:?}");
    for segment in &diff.segments {
        assert_eq!(segment.after + segment.lost, segment.before + segment.gained, "{segment:?}");
        let served = totals.rule_segments.iter().find(|it| it.name == segment.name);
        assert_eq!(segment.before, served.map_or(0, |it| it.customers));
        let gained = answer.moved.iter().filter(|it| it.segments_gained.contains(&segment.name)).count();
        let lost = answer.moved.iter().filter(|it| it.segments_lost.contains(&segment.name)).count();
        assert_eq!((segment.gained, segment.lost), (gained as u64, lost as u64));
    }
}

/// Of everybody on every page, what decides under both rules is said of just the segments that are gained or lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gains_or_loses_a_segment_is_told_what_decides() {
    let (log, _) = Log::believable(CUSTOMERS);
    let running = serve::<Segmentation>(&log).await;
    let mut client = SegmentationServiceClient::new(running.channel.clone());
    let candidate = "[[segments]]\nname = \"in_doubt\"\nwhen = { not = { stage = [\"LEAD\", \"PROSPECT\"] } }\n\
                     [[segments]]\nname = \"first_home\"\nwhen = { motive = [\"UPGRADE\"] }\n";
    let mut request = v1::SegmentationServiceDiffRulesRequest {
        candidate: candidate.to_owned(),
        query: at_now(),
        page_size: 7,
        ..Default::default()
    };
    let (mut pages, mut told) = (0, BTreeSet::new());
    loop {
        let page = client.diff_rules(request.clone()).await.unwrap().into_inner();
        for customer in &page.moved {
            let moves = customer.segments_gained.iter().chain(&customer.segments_lost);
            assert!(moves.eq(customer.segment_changes.iter().map(|it| &it.name)), "{customer:?}");
            let gained = |name| customer.segments_gained.contains(name);
            for change in &customer.segment_changes {
                let holds = [&change.before, &change.after].map(|side| side.as_ref().map(|it| it.holds));
                let is = gained(&change.name);
                told.insert((change.name.clone(), holds));
                assert!(holds.into_iter().zip([!is, is]).all(|(holds, expect)| holds.is_none_or(|it| it == expect)));
                for decision in change.before.iter().chain(&change.after) {
                    assert!(!decision.conditions.is_empty());
                    assert!(decision.conditions.iter().all(|it| (it.holds != it.negated) == decision.holds));
                }
            }
        }
        pages += 1;
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert!(pages > 3);
    let told: Vec<_> = told.iter().map(|(name, holds)| (name.as_str(), *holds)).collect();
    let expect = [
        ("first_home", [Some(false), Some(true)]),
        ("first_home", [Some(true), Some(false)]),
        ("in_doubt", [None, Some(true)]),
    ];
    assert_eq!(told, expect);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn satisfaction_and_loyalty_classes_move() {
    let (log, _) = Log::believable(CUSTOMERS);
    let running = serve::<Satisfaction>(&log).await;
    let mut client = SatisfactionServiceClient::new(running.channel.clone());
    let request = v1::SatisfactionServiceDiffRulesRequest {
        candidate: "[satisfaction]\nsatisfied_from = 95\nneutral_from = 90\nwindow_days = 400\n".to_owned(),
        query: at_now(),
        page_size: 1_000,
        ..Default::default()
    };
    let answer = client.diff_rules(request).await.unwrap().into_inner();
    let diff = answer.diff.unwrap();
    assert_eq!(answer.moved.len() as u64, diff.moved);
    assert!(diff.moved > 0, "{diff:?}");
    let totals = v1::CountClassesRequest { scope: None, query: at_now() };
    let totals = client.count_classes(totals).await.unwrap().into_inner();
    let classes = totals.satisfaction_classes.iter().map(|it| (it.satisfaction_class().as_str_name(), it.customers));
    assert_eq!(before(&diff, "satisfaction_class"), counted("SATISFACTION_CLASS_", classes));
    assert_eq!(diff.matrices[1].axis, "loyalty_class");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_candidate_is_refused_with_every_line() {
    let (log, _) = Log::believable(5);
    let running = serve::<Churn>(&log).await;
    let mut client = ChurnRiskServiceClient::new(running.channel.clone());
    let candidate = "[churn]\nhorizn = 1\n\n[lifecycle]\nlost_after_days = -1\n".to_owned();
    let request = v1::ChurnRiskServiceDiffRulesRequest { candidate, ..Default::default() };
    let refused = client.diff_rules(request.clone()).await.unwrap_err();
    assert_eq!(field(&refused), "candidate");
    let details = refused.get_error_details();
    let list = &details.bad_request().unwrap().field_violations;
    let lines: Vec<_> = list.iter().map(|one| one.description.split(',').next().unwrap()).collect();
    assert_eq!(lines, ["line 2", "line 5"]);
    let token =
        v1::ChurnRiskServiceDiffRulesRequest { candidate: String::new(), page_token: "x".to_owned(), ..request };
    assert_eq!(field(&client.diff_rules(token).await.unwrap_err()), "page_token");
}
