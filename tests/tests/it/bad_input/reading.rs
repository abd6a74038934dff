//! What the log's readers and the views refuse.

use api::v1;
use api::v1::member_selector::Selector;
use futures::StreamExt;
use tests::Clients;
use tonic::{Response, Status};

use crate::bad_input::told::{Expect, Fields, check, invalid, trouble};
use crate::bad_input::writing::KNOWN;

/// Nobody.
const UNKNOWN: &str = "00000000-0000-0000-0000-00000000ffff";
const NO_TOKENS: [&str; 4] = ["x", "00", "度度", "ffffffffffffffffffffffffffffffff"];
/// A number that no enumeration has.
const NO_NUMBER: i32 = 99;

const WRONG_TOKEN: Expect<'_> = invalid(&[("page_token", "expected the next_page_token of the same query")]);
const NOT_FOUND: Expect<'_> = trouble("NOT_FOUND CUSTOMER_NOT_FOUND", &[UNKNOWN, "is not known"]);

type Answer<T> = Result<Response<T>, Status>;

pub(crate) async fn timelines(gateway: &Clients) {
    let page = |customer_id: &str, page_size, page_token: &str| {
        let (customer_id, page_token) = (customer_id.to_owned(), page_token.to_owned());
        let request = v1::GetTimelineRequest { customer_id, page_size, page_token, include_json: false };
        let mut client = gateway.timelines();
        async move { client.get_timeline(request).await }
    };
    let known = KNOWN.to_string();
    check("no id", page("", 0, "").await, invalid(&[("customer_id", "is required")]));
    check("no UUID", page("13800138000", 0, "").await, invalid(&[("customer_id", "expected a UUID")]));
    check("nobody", page(UNKNOWN, 0, "").await, NOT_FOUND);
    check("a page of -1", page(&known, -1, "").await, invalid(&[("page_size", "0 or more, got -1")]));
    for token in NO_TOKENS {
        check(token, page(&known, 1, token).await, WRONG_TOKEN);
    }
    let token = page(&known, 1, "").await.unwrap().into_inner().next_page_token;
    check("a token of somebody else", page(UNKNOWN, 1, &token).await, WRONG_TOKEN);
    check("the token itself", page(&known, 1, &token).await, trouble("OK", &[]));

    use v1::replay_request::Start;
    let replay = |request: v1::ReplayRequest| {
        let mut client = gateway.timelines();
        async move {
            let mut events = client.replay(request).await?.into_inner();
            while let Some(event) = events.next().await {
                event?;
            }
            Ok::<(), Status>(())
        }
    };
    let from = |start| v1::ReplayRequest { start: Some(start), ..Default::default() };
    let zero = replay(from(Start::FromPosition(0))).await;
    check("position 0", zero, invalid(&[("from_position", "positions begin at 1")]));
    let beyond = Expect { message: &["beyond the end of the log"], ..trouble("OUT_OF_RANGE BEYOND_HEAD", &[]) };
    check("a position beyond the end", replay(from(Start::FromPosition(1_000))).await, beyond);
    let never = prost_types::Timestamp { seconds: i64::MAX, nanos: 0 };
    let never = replay(from(Start::FromRecordedAt(never))).await;
    check("no time", never, invalid(&[("from_recorded_at", "a whole microsecond")]));
    let unknown = v1::ReplayRequest { event_types: vec!["VisitHappened".to_owned()], ..Default::default() };
    check("no type", replay(unknown).await, invalid(&[("event_types[0]", "expected an event type")]));
}

/// What every view refuses, asked through its method for one customer and its method for several.
async fn common<T, U>(
    view: &str,
    one: impl AsyncFn(String, Option<v1::ViewQuery>) -> Answer<T>,
    several: impl AsyncFn(Vec<String>) -> Answer<U>,
) {
    let never = Some(prost_types::Timestamp { seconds: 0, nanos: 1 });
    let in_an_hour = std::time::SystemTime::now() + std::time::Duration::from_secs(3_600);
    let in_an_hour = prost_types::Timestamp { nanos: 0, ..in_an_hour.into() };
    let at = |as_of, known_at| Some(v1::ViewQuery { as_of, known_at, ..Default::default() });
    let far = Some(v1::ViewQuery { min_position: 1_000_000, ..Default::default() });
    let far_end = Some(v1::ViewQuery { max_position: 1_000_000, ..Default::default() });
    let both = invalid(&[("query.as_of", "a whole microsecond"), ("query.known_at", "a whole microsecond")]);
    let beyond = Expect {
        message: &["position 1000000 is beyond the end of the log"],
        ..trouble("OUT_OF_RANGE BEYOND_HEAD", &[])
    };
    let known = KNOWN.to_string();
    check(view, one(String::new(), None).await, invalid(&[("customer_id", "is required")]));
    check(view, one("7".to_owned(), None).await, invalid(&[("customer_id", "expected a UUID")]));
    check(view, one(UNKNOWN.to_owned(), None).await, NOT_FOUND);
    check(view, one(known.clone(), at(never, never)).await, both);
    let ahead = one(known.clone(), at(Some(in_an_hour), None)).await;
    check(view, ahead, invalid(&[("query.as_of", "at most 5 minutes after now")]));
    check(view, one(known.clone(), far).await, beyond);
    check(view, one(known.clone(), far_end).await, beyond);
    check(view, several(vec![]).await, invalid(&[("customer_ids", "expected 1 to 1000 customers, got 0")]));
    let many = several(vec![known.clone(); 1_001]).await;
    check(view, many, invalid(&[("customer_ids", "expected 1 to 1000 customers, got 1001")]));
    let bad = several(vec![known, "x".to_owned(), String::new()]).await;
    check(view, bad, invalid(&[("customer_ids[1]", "expected a UUID"), ("customer_ids[2]", "expected a UUID")]));
}

fn scope(company_id: &str) -> Option<v1::Scope> {
    Some(v1::Scope { company_id: company_id.to_owned(), ..Default::default() })
}

pub(crate) async fn churn(reader: &Clients) {
    common(
        "churn",
        async |customer_id, query| reader.churn().get_risk(v1::GetRiskRequest { customer_id, query }).await,
        async |customer_ids| {
            reader.churn().batch_get_risks(v1::BatchGetRisksRequest { customer_ids, query: None }).await
        },
    )
    .await;
    let list = async |request| reader.churn().list_at_risk(request).await;
    let page = |page_token: &str| v1::ListAtRiskRequest {
        page_size: 1,
        page_token: page_token.to_owned(),
        ..Default::default()
    };
    let token = list(page("")).await.unwrap().into_inner().next_page_token;
    let of_another = v1::ListAtRiskRequest { band: v1::RiskBand::High.into(), ..page(&token) };
    check("a token of another band", list(of_another).await, WRONG_TOKEN);
    check("the token itself", list(page(&token)).await, trouble("OK", &[]));
    for token in NO_TOKENS {
        check(token, list(page(token)).await, WRONG_TOKEN);
    }
    let band = list(v1::ListAtRiskRequest { band: NO_NUMBER, ..Default::default() }).await;
    check("no band", band, invalid(&[("band", "expected LOW, MEDIUM, HIGH, CRITICAL")]));
    let wrong = list(v1::ListAtRiskRequest { scope: scope("C 01"), ..Default::default() }).await;
    check("no code", wrong, invalid(&[("scope.company_id", "expected a code of 1 to 40 characters")]));
    let count = v1::CountBandsRequest { scope: scope("C 01"), ..Default::default() };
    let count = reader.churn().count_bands(count).await;
    check("no code", count, invalid(&[("scope.company_id", "expected a code of 1 to 40 characters")]));
}

pub(crate) async fn segmentation(reader: &Clients) {
    common(
        "segmentation",
        async |customer_id, query| {
            let request = v1::GetCustomerSegmentsRequest { customer_id, query, explain: false };
            reader.segmentation().get_customer_segments(request).await
        },
        async |customer_ids| {
            let request = v1::BatchGetCustomerSegmentsRequest { customer_ids, query: None };
            reader.segmentation().batch_get_customer_segments(request).await
        },
    )
    .await;
    let list = async |selector: Option<Selector>, page_token: &str| {
        let selector = Some(v1::MemberSelector { selector });
        let request =
            v1::ListMembersRequest { selector, page_size: 1, page_token: page_token.to_owned(), ..Default::default() };
        reader.segmentation().list_members(request).await
    };
    let cases: [(Option<Selector>, Fields<'_>); 5] = [
        (None, &[("selector", "is required where scope names nothing")]),
        (Some(Selector::Stage(NO_NUMBER)), &[("selector.stage", "expected one of the values")]),
        (Some(Selector::Stage(0)), &[("selector.stage", "not UNSPECIFIED")]),
        (Some(Selector::RfmLabel(-1)), &[("selector.rfm_label", "expected one of the values")]),
        (
            Some(Selector::RuleSegment("nobody".to_owned())),
            &[("selector.rule_segment", "a segment of the rules: complaints_unheard, first_home")],
        ),
    ];
    for (selector, fields) in cases {
        check(&format!("{selector:?}"), list(selector, "").await, invalid(fields));
    }
    let stage = |stage: v1::LifecycleStage| Some(Selector::Stage(stage.into()));
    // Both customers were seen long ago, and nothing since.
    let token = list(stage(v1::LifecycleStage::Lost), "").await.unwrap().into_inner().next_page_token;
    assert!(!token.is_empty());
    check("a token of another stage", list(stage(v1::LifecycleStage::Lead), &token).await, WRONG_TOKEN);
    check("the token itself", list(stage(v1::LifecycleStage::Lost), &token).await, trouble("OK", &[]));
    for token in NO_TOKENS {
        check(token, list(stage(v1::LifecycleStage::Lost), token).await, WRONG_TOKEN);
    }
}

pub(crate) async fn satisfaction(reader: &Clients) {
    common(
        "satisfaction",
        async |customer_id, query| {
            reader.satisfaction().get_customer_index(v1::GetCustomerIndexRequest { customer_id, query }).await
        },
        async |customer_ids| {
            let request = v1::BatchGetCustomerIndexesRequest { customer_ids, query: None };
            reader.satisfaction().batch_get_customer_indexes(request).await
        },
    )
    .await;
    let mut asked = reader.satisfaction();
    let unit = |project: &str| Some(v1::Unit { unit: Some(v1::unit::Unit::ProjectId(project.to_owned())) });
    let scores = v1::GetPortScoresRequest {
        unit: unit(""),
        wave_id: "2025".to_owned(),
        ports: vec![1, NO_NUMBER],
        ..Default::default()
    };
    check(
        "no project",
        asked.get_port_scores(scores.clone()).await,
        invalid(&[("unit.project_id", "expected a code")]),
    );
    let scores = v1::GetPortScoresRequest { unit: unit("P 1"), ..scores };
    check(
        "no code",
        asked.get_port_scores(scores.clone()).await,
        invalid(&[("unit.project_id", "expected a code of 1 to 40")]),
    );
    let scores = v1::GetPortScoresRequest { unit: None, ..scores };
    let ports = asked.get_port_scores(scores.clone()).await;
    check("no port", ports, invalid(&[("ports[1]", "expected a service port, got 99")]));
    let scores = v1::GetPortScoresRequest { wave_id: "二〇二五".to_owned(), ports: vec![], ..scores };
    check("no wave", asked.get_port_scores(scores).await, invalid(&[("wave_id", "expected a code of 1 to 40")]));
    let wave = || "2025".to_owned();
    let itself = v1::CompareWavesRequest { wave_id: wave(), previous_wave_id: wave(), ..Default::default() };
    let itself = asked.compare_waves(itself).await;
    check("a wave with itself", itself, invalid(&[("previous_wave_id", "expected another wave than 2025")]));
    let rank = v1::RankUnitsRequest { kind: NO_NUMBER, ..Default::default() };
    check("no kind", asked.rank_units(rank).await, invalid(&[("kind", "COMPANY or PROJECT")]));
    let rank = v1::RankUnitsRequest { kind: v1::UnitKind::Project.into(), port: NO_NUMBER, ..Default::default() };
    check("no port", asked.rank_units(rank.clone()).await, invalid(&[("port", "expected a service port")]));
    let nps = v1::GetNpsRequest { port: NO_NUMBER, ..Default::default() };
    check("no port", asked.get_nps(nps).await, invalid(&[("port", "expected a service port")]));
    let open = v1::ListOpenComplaintsRequest { severity: NO_NUMBER, ..Default::default() };
    check("no severity", asked.list_open_complaints(open).await, invalid(&[("severity", "expected LOW, MEDIUM")]));
    for token in NO_TOKENS {
        let page_token = token.to_owned();
        let open = v1::ListOpenComplaintsRequest { page_token: page_token.clone(), ..Default::default() };
        check(token, asked.list_open_complaints(open).await, WRONG_TOKEN);
        let rank = v1::RankUnitsRequest { port: 0, page_token, ..rank.clone() };
        check(token, asked.rank_units(rank).await, WRONG_TOKEN);
    }
}
