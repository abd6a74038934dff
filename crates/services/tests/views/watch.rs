//! Watching: whom a filter lists, what is told of who may not be spoken of, and who takes nothing of what they are told.

use std::collections::BTreeMap;
use std::time::Instant;

use api::v1;
use api::v1::churn_risk_service_client::ChurnRiskServiceClient as Client;
use tonic::transport::Endpoint;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt;
use touchpoint::CustomerId;
use views::churn::Churn;

use crate::support::{Log, PATIENCE, Running, field, refusal, serve};

/// Watchers that a view takes.
const MOST: usize = 64;
/// More than a buffer of 32 messages of 256 changes, and what connections hold, have room for.
const CROWD: u128 = 20_000;

/// What a connection holds of a stream that nobody reads.
const WINDOW_BYTES: u32 = 60_000;

type Stream = Streaming<v1::WatchRiskResponse>;

async fn watch(running: &Running, request: v1::WatchRiskRequest) -> Result<Stream, Status> {
    // On a connection of its own, which holds little: who reads slowly there holds up nobody else.
    let endpoint = Endpoint::from_shared(running.address.clone()).unwrap().initial_stream_window_size(WINDOW_BYTES);
    let mut client = Client::new(endpoint.connect().await.unwrap());
    Ok(client.watch_risk(request).await?.into_inner())
}

async fn next(stream: &mut Stream) -> Result<v1::WatchRiskResponse, Status> {
    let next = tokio::time::timeout(PATIENCE, stream.message()).await.expect("an answer in time")?;
    Ok(next.expect("a watch has no end"))
}

/// The customers of the list, with their bands.
async fn listed(stream: &mut Stream) -> BTreeMap<String, i32> {
    let mut listed = BTreeMap::new();
    loop {
        let answer = next(stream).await.unwrap();
        listed.extend(answer.changes.into_iter().map(|it| (it.customer_id, it.after.unwrap().band)));
        if answer.mark.is_some_and(|mark| mark.list_complete) {
            return listed;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filter_lists_whom_the_lists_have() {
    let (log, _) = Log::believable(120);
    let running = serve::<Churn>(&log).await;
    let mut client = Client::new(running.channel.clone());
    let request = v1::ListAtRiskRequest { page_size: 1_000, ..Default::default() };
    let all = client.list_at_risk(request).await.unwrap().into_inner().risks;
    let project_id = all[0].belonging.clone().unwrap().project_id;
    for (at_least, without_lost, project) in [(0, false, false), (2, true, false), (3, false, true), (4, true, false)] {
        let project_id = if project { project_id.clone() } else { String::new() };
        let scope = v1::Scope { project_id: project_id.clone(), ..Default::default() };
        let request = v1::WatchRiskRequest { at_least, without_lost, scope: Some(scope), ..Default::default() };
        let wanted = all.iter().filter(|it| {
            let own = &it.belonging.as_ref().unwrap().project_id;
            it.band >= at_least
                && (!without_lost || it.p_millionths < Some(1_000_000))
                && (!project || *own == project_id)
        });
        let wanted: BTreeMap<_, _> = wanted.map(|it| (it.customer_id.clone(), it.band)).collect();
        assert!(!wanted.is_empty());
        assert_eq!(listed(&mut watch(&running, request).await.unwrap()).await, wanted, "{at_least} {without_lost}");
    }
    let wrong = v1::WatchRiskRequest { at_least: 9, ..Default::default() };
    assert_eq!(field(&watch(&running, wrong).await.unwrap_err()), "at_least");
}

/// Adds everybody who enters until all up to this position is told.
async fn entered(stream: &mut Stream, position: u64, so_far: &mut Vec<String>) -> Result<(), Status> {
    loop {
        let answer = next(stream).await?;
        so_far.extend(answer.changes.into_iter().map(|it| it.customer_id));
        if answer.mark.is_some_and(|mark| mark.position >= position) {
            return Ok(());
        }
    }
}

fn is_full(status: &Status) -> bool {
    refusal(status) == (Code::ResourceExhausted, "TOO_MANY_CALLS".to_owned())
}

async fn as_soon_as_there_is_a_place(running: &Running, request: &v1::WatchRiskRequest) -> Stream {
    let begun = Instant::now();
    loop {
        match watch(running, request.clone()).await {
            Ok(stream) => return stream,
            Err(status) => assert!(is_full(&status), "{status}"),
        }
        assert!(begun.elapsed() < PATIENCE, "nobody was put out");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_is_put_out_with_a_place_to_go_on_from_and_nobody_waits_for_it() {
    let (log, _) = Log::believable(1);
    let running = serve::<Churn>(&log).await;
    let nobody = v1::Scope { company_id: "NOBODY".to_owned(), ..Default::default() };
    let idle = v1::WatchRiskRequest { scope: Some(nobody), ..Default::default() };
    let everybody = v1::WatchRiskRequest::default;
    let (mut slow, mut steady) =
        (watch(&running, everybody()).await.unwrap(), watch(&running, everybody()).await.unwrap());
    listed(&mut slow).await;
    listed(&mut steady).await;
    let mut others = Vec::new();
    while others.len() < MOST - 2 {
        others.push(watch(&running, idle.clone()).await.unwrap());
    }
    assert!(is_full(&watch(&running, idle.clone()).await.unwrap_err()));

    (0..CROWD).for_each(|number| _ = log.hold_back_visit(CustomerId::from_u128(0x0190_a5c8 << 96 | number)));
    log.release();
    let mut told = Vec::new();
    entered(&mut steady, log.end(), &mut told).await.unwrap();
    // The slow one has its place until it is put out.
    let _late = as_soon_as_there_is_a_place(&running, &idle).await;
    assert_eq!(told.len() as u128, CROWD);
    let mut at_first = Vec::new();
    let status = entered(&mut slow, log.end(), &mut at_first).await.unwrap_err();
    assert_eq!(refusal(&status), (Code::ResourceExhausted, "SLOW_READER".to_owned()));
    assert!(!at_first.is_empty() && at_first.len() < told.len(), "{}", at_first.len());
    let cursor = status.get_error_details().error_info().unwrap().metadata["resume_at"].clone();
    drop(others);
    let mut again = as_soon_as_there_is_a_place(&running, &v1::WatchRiskRequest { cursor, ..everybody() }).await;
    entered(&mut again, log.end(), &mut at_first).await.unwrap();
    assert_eq!(at_first, told, "each once, in order");
}

/// Appends an event, and waits until it is in the lists.
async fn record(running: &Running, log: &Log, customer: CustomerId, kind: &str, data: &str) {
    let position = match kind {
        "VisitRecorded" => log.hold_back_visit(customer),
        _ => log.hold_back(customer, kind, data),
    };
    log.release();
    let query = Some(v1::ViewQuery { min_position: position, ..Default::default() });
    Client::new(running.channel.clone()).count_bands(v1::CountBandsRequest { query, scope: None }).await.unwrap();
}

/// Everything that is told until the first mark that is as far as the log.
async fn told(stream: &mut Stream, log: &Log) -> (Vec<v1::RiskChange>, String) {
    let mut changes = Vec::new();
    loop {
        let answer = next(stream).await.unwrap();
        changes.extend(answer.changes);
        if let Some(mark) = answer.mark.filter(|mark| mark.position >= log.end()) {
            return (changes, mark.cursor);
        }
    }
}

/// What a change does, and which sides of it are said.
fn in_short(changes: &[v1::RiskChange], customer: CustomerId) -> Vec<(v1::WatchEffect, [bool; 2])> {
    let of_them = changes.iter().filter(|it| it.customer_id == customer.to_string());
    of_them.map(|it| (it.step.as_ref().unwrap().effect(), [it.before.is_some(), it.after.is_some()])).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_withdraws_or_is_erased_is_told_to_be_gone_and_no_cursor_leads_to_what_was_said() {
    use v1::WatchEffect::{Changed, Entered, Left};
    let (log, _) = Log::believable(1);
    let running = serve::<Churn>(&log).await;
    let [withdraws, erased, stays, comes] = [1, 2, 3, 4].map(|it| CustomerId::from_u128(0x0190_a5c8 << 96 | it));
    for customer in [withdraws, erased, stays] {
        record(&running, &log, customer, "VisitRecorded", "").await;
    }
    let request = v1::WatchRiskRequest::default();
    let mut live = watch(&running, request.clone()).await.unwrap();
    let (listed, cursor) = told(&mut live, &log).await;
    assert!(
        [withdraws, erased, stays]
            .iter()
            .all(|it| in_short(&listed, *it) == [(v1::WatchEffect::Listed, [false, true])])
    );

    let complaint = r#"{"complaint_id":"K","port":"REPAIR_SERVICE","category":"LEAK","severity":"HIGH"}"#;
    for customer in [withdraws, erased, stays, comes] {
        record(&running, &log, customer, "ComplaintLodged", complaint).await;
    }
    let (at_once, _) = told(&mut live, &log).await;
    let changed = (Changed, [true, true]);
    assert!([withdraws, erased, stays].iter().all(|it| in_short(&at_once, *it) == [changed]), "{at_once:?}");
    assert_eq!(in_short(&at_once, comes), [(Entered, [false, true])]);

    // Asked for, the reasons come as of each change, also for who comes back after others.
    let mut client = Client::new(running.channel.clone());
    let with_reasons = v1::WatchRiskRequest { with_reasons: true, ..request.clone() };
    let mut explained = watch(&running, with_reasons.clone()).await.unwrap();
    let (_, before) = told(&mut explained, &log).await;
    record(&running, &log, stays, "ConsentWithdrawn", r#"{"purpose":"MARKETING"}"#).await;
    let get = v1::GetRiskRequest { customer_id: stays.to_string(), query: None };
    let then = client.get_risk(get).await.unwrap().into_inner().risk.unwrap().reasons;
    record(&running, &log, stays, "ConsentGranted", r#"{"purpose":"MARKETING"}"#).await;
    let mut explained = watch(&running, v1::WatchRiskRequest { cursor: before, ..with_reasons }).await.unwrap();
    let (changes, _) = told(&mut explained, &log).await;
    let said = |index: usize| changes[index].after.clone().unwrap().reasons;
    assert!(then.iter().any(|it| it.code == "CONSENT_WITHDRAWN" && !it.evidence.is_empty()));
    assert_eq!((said(0), said(1).len(), changes.len()), (then.clone(), then.len() - 1, 2));

    record(&running, &log, withdraws, "ConsentWithdrawn", r#"{"purpose":"PROFILING"}"#).await;
    record(&running, &log, erased, "CustomerErased", "{}").await;
    record(&running, &log, comes, "CustomerErased", "{}").await;
    let gone = (Left, [false, false]);
    let (then, _) = told(&mut live, &log).await;
    assert!([withdraws, erased, comes].iter().all(|it| in_short(&then, *it) == [gone]), "{then:?}");

    // Who comes back with the cursor of the list hears of who stays, and of the others no word.
    let mut late = watch(&running, v1::WatchRiskRequest { cursor: cursor.clone(), ..request.clone() }).await.unwrap();
    let (late, _) = told(&mut late, &log).await;
    assert_eq!([withdraws, erased].map(|it| in_short(&late, it)), [[gone], [gone]]);
    assert_eq!((in_short(&late, stays), in_short(&late, comes)), (vec![changed; 3], vec![]));
    assert!(late.iter().filter_map(|it| it.after.as_ref()).all(|after| after.reasons.is_empty()), "codes alone");

    record(&running, &log, withdraws, "ConsentGranted", r#"{"purpose":"PROFILING"}"#).await;
    let mut again = watch(&running, v1::WatchRiskRequest { cursor, ..request }).await.unwrap();
    let (again, _) = told(&mut again, &log).await;
    let all = [changed, (Left, [true, false]), (Entered, [false, true])];
    assert_eq!((in_short(&again, withdraws), in_short(&again, erased)), (all.to_vec(), vec![gone]));
}
