//! Lists in pages while the log goes on: of an instant they are one answer, of the present who stays comes once.

use api::v1;
use api::v1::churn_risk_service_client::ChurnRiskServiceClient;
use api::v1::satisfaction_service_client::SatisfactionServiceClient;
use api::v1::segmentation_service_client::SegmentationServiceClient;
use touchpoint::CustomerId;
use views::churn::Churn;
use views::satisfaction::Satisfaction;
use views::segmentation::Segmentation;

use crate::support::{Log, field, now, serve};

/// Events of the wave that the history ends with.
const WAVE: &str = "2025";

/// More than any list here has.
const MOST_PAGES: usize = 50;

fn at_now(min_position: u64) -> Option<v1::ViewQuery> {
    Some(v1::ViewQuery { as_of: Some(api::names::timestamp(now())), min_position, ..Default::default() })
}

fn somebody(number: u128) -> CustomerId {
    CustomerId::from_u128(0x0190_a5c8 << 96 | number)
}

/// All pages, with an event before each but the first; and what each rests on.
async fn pages<T>(
    mut ask: impl AsyncFnMut(String) -> (Vec<T>, String, Option<v1::AnswerMeta>),
    mut record: impl FnMut(u128),
) -> (Vec<T>, Vec<v1::AnswerMeta>) {
    let (mut all, mut metas, mut token) = (Vec::new(), Vec::new(), String::new());
    loop {
        let (items, next, meta) = ask(token).await;
        all.extend(items);
        metas.push(v1::AnswerMeta { lag_events: 0, ..meta.unwrap() });
        if next.is_empty() {
            return (all, metas);
        }
        assert!(metas.len() < MOST_PAGES, "who comes meanwhile is listed, and so there is no end");
        record(metas.len() as u128);
        token = next;
    }
}

fn all_the_same(metas: &[v1::AnswerMeta]) {
    assert!(metas.len() > 2 && metas.iter().all(|meta| *meta == metas[0]), "{metas:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_at_risk_at_an_instant_is_one_answer() {
    let (log, _) = Log::believable(60);
    let running = serve::<Churn>(&log).await;
    let mut client = ChurnRiskServiceClient::new(running.channel.clone());
    let query = at_now(log.end());
    let whole = v1::ListAtRiskRequest { page_size: 1_000, query: query.clone(), ..Default::default() };
    let whole = client.list_at_risk(whole).await.unwrap().into_inner().risks;
    let ask = async |page_token| {
        let request = v1::ListAtRiskRequest { page_size: 7, query: query.clone(), page_token, ..Default::default() };
        let answer = client.list_at_risk(request).await.unwrap().into_inner();
        (answer.risks, answer.next_page_token, answer.meta)
    };
    // Who comes is in the middle of the list.
    let (paged, metas) = pages(ask, |number| visit(&log, number)).await;
    assert_eq!(paged, whole);
    all_the_same(&metas);
}

fn visit(log: &Log, number: u128) {
    log.hold_back_visit(somebody(number));
    log.release();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_at_an_instant_are_one_answer() {
    let (log, _) = Log::believable(60);
    let running = serve::<Segmentation>(&log).await;
    let mut client = SegmentationServiceClient::new(running.channel.clone());
    let query = at_now(log.end());
    let tier = v1::member_selector::Selector::ValueTier(v1::ValueTier::Basic.into());
    let of_tier = |page_size, page_token| v1::ListMembersRequest {
        selector: Some(v1::MemberSelector { selector: Some(tier.clone()) }),
        page_size,
        query: query.clone(),
        page_token,
        ..Default::default()
    };
    let whole = client.list_members(of_tier(1_000, String::new())).await.unwrap().into_inner().members;
    let mut asked = client.clone();
    let ask = async |page_token| {
        let answer = asked.list_members(of_tier(7, page_token)).await.unwrap().into_inner();
        (answer.members, answer.next_page_token, answer.meta)
    };
    // Members are listed by id: some come before the next page, some after it.
    let (paged, metas) = pages(ask, |number| visit(&log, number << 92)).await;
    assert_eq!(paged, whole);
    all_the_same(&metas);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_complaints_at_an_instant_are_one_answer_and_a_token_is_of_its_query() {
    let (log, _) = Log::believable(1_000);
    let lodge = |number: u128, severity: &str| {
        let data =
            format!(r#"{{"complaint_id":"K","port":"REPAIR_SERVICE","category":"LEAK","severity":"{severity}"}}"#);
        log.hold_back(somebody(number), "ComplaintLodged", &data);
        log.release();
    };
    (0..4).for_each(|number| lodge(100 + number, "LOW"));
    let running = serve::<Satisfaction>(&log).await;
    let mut client = SatisfactionServiceClient::new(running.channel.clone());
    let query = at_now(log.end());
    let request = v1::ListOpenComplaintsRequest { query: query.clone(), ..Default::default() };
    let whole = client.list_open_complaints(request).await.unwrap().into_inner().complaints;
    let mut asked = client.clone();
    let ask = async |page_token| {
        let request =
            v1::ListOpenComplaintsRequest { page_size: 2, query: query.clone(), page_token, ..Default::default() };
        let answer = asked.list_open_complaints(request).await.unwrap().into_inner();
        (answer.complaints, answer.next_page_token, answer.meta)
    };
    // By due time: a critical one is due before a low one.
    let (paged, metas) = pages(ask, |number| lodge(number, "CRITICAL")).await;
    assert_eq!(paged, whole);
    all_the_same(&metas);

    let first = v1::ListOpenComplaintsRequest { page_size: 1, ..Default::default() };
    let page_token = client.list_open_complaints(first.clone()).await.unwrap().into_inner().next_page_token;
    let other = v1::ListOpenComplaintsRequest { overdue_only: true, page_token, ..first };
    assert_eq!(field(&client.list_open_complaints(other).await.unwrap_err()), "page_token");
}

/// Everybody of these answers the survey for a project, with the same score.
fn answer(log: &Log, project: &str, customers: std::ops::Range<u128>, score: u8) {
    let port = "OVERALL";
    for number in customers {
        let data = format!(
            r#"{{"survey_id":"S{number}","wave_id":"{WAVE}","port":"{port}","item_code":"OVERALL_OVERALL","score":{score}}}"#
        );
        log.hold_back_in(project, somebody(number), "SurveyAnswered", &data);
    }
    log.release();
}

fn ranking(page_size: i32, query: Option<v1::ViewQuery>, page_token: String) -> v1::RankUnitsRequest {
    v1::RankUnitsRequest {
        kind: v1::UnitKind::Project.into(),
        page_size,
        query: query.clone(),
        page_token,
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ranking_at_an_instant_is_one_answer_and_a_token_is_of_its_query() {
    let (log, _) = Log::believable(400);
    let running = serve::<Satisfaction>(&log).await;
    let mut client = SatisfactionServiceClient::new(running.channel.clone());
    let query = at_now(log.end());
    let whole = client.rank_units(ranking(100, query.clone(), String::new())).await.unwrap().into_inner();
    let mut asked = client.clone();
    let ask = async |page_token| {
        let answer = asked.rank_units(ranking(2, query.clone(), page_token)).await.unwrap().into_inner();
        (answer.units, answer.next_page_token, answer.meta)
    };
    let last = whole.units.last().unwrap().unit_id.clone();
    let (paged, metas) = pages(ask, |number| answer(&log, &last, number * 100..number * 100 + 99, 5)).await;
    assert_eq!(paged, whole.units);
    all_the_same(&metas);

    let page_token = client.rank_units(ranking(1, None, String::new())).await.unwrap().into_inner().next_page_token;
    let other = v1::RankUnitsRequest { kind: v1::UnitKind::Company.into(), ..ranking(1, None, page_token) };
    assert_eq!(field(&client.rank_units(other).await.unwrap_err()), "page_token");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_stays_in_a_live_ranking_comes_once_also_when_another_one_falls_or_a_wave_begins() {
    let (log, _) = Log::believable(400);
    // Enough of them that each has a rank: ZA before ZB before ZC.
    for (number, project) in ["ZA", "ZB", "ZC", "ZD"].into_iter().enumerate() {
        let number = number as u128;
        answer(&log, project, number * 100..number * 100 + 40 - number, 5);
    }
    let running = serve::<Satisfaction>(&log).await;
    let mut client = SatisfactionServiceClient::new(running.channel.clone());
    let first = client.rank_units(ranking(2, None, String::new())).await.unwrap().into_inner();
    let ids = |units: &[v1::RankedUnit]| units.iter().map(|it| it.unit_id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&first.units), ["ZA", "ZB"]);
    answer(&log, "ZA", 1_000..1_100, 1);
    let data = r#"{"survey_id":"S","wave_id":"2026","port":"OVERALL","item_code":"OVERALL_OVERALL","score":5}"#;
    let min_position = log.hold_back_in("ZA", somebody(9_000), "SurveyAnswered", data);
    log.release();
    let count =
        v1::CountClassesRequest { query: Some(v1::ViewQuery { min_position, ..Default::default() }), scope: None };
    client.count_classes(count).await.unwrap();
    let rest = client.rank_units(ranking(100, None, first.next_page_token)).await.unwrap().into_inner();
    assert_eq!((rest.wave_id.as_str(), &ids(&rest.units)[..2]), (WAVE, &["ZC".to_owned(), "ZD".to_owned()][..]));
    assert!(ids(&rest.units).contains(&"ZA".to_owned()), "it fell");
}
