//! While events arrive: who has written reads what was written, and pages stay pages of one list.

use std::collections::HashSet;

use api::v1;
use api::v1::touchpoint::Event;
use tests::{Clients, System, View, visit};
use tonic::Code;
use touchpoint::{CustomerId, EventId, Timestamp};

use crate::views_e2e::question::{now, pages};

const WRITER: CustomerId = CustomerId::from_u128(0xabc << 64);
/// Writes of one customer that are read at once.
const WRITES: u32 = 200;

/// Records a visit at a consultant of its own; gives the position.
async fn record(gateway: &Clients, customer: CustomerId, event: u128, at: Timestamp, consultant: &str) -> u64 {
    let mut touchpoint = visit(customer, EventId::from_u128(event), at);
    if let Some(Event::VisitRecorded(visit)) = &mut touchpoint.event {
        visit.consultant_id = consultant.to_owned();
    }
    let request = v1::RecordRequest { touchpoint: Some(touchpoint), expected_revision: None };
    gateway.touchpoints().record(request).await.unwrap().into_inner().position
}

/// What the three views say of a customer: the consultant and the position, each.
async fn read(
    readers: &[Clients; 3],
    customer: CustomerId,
    min_position: u64,
) -> Result<[(String, u64); 3], tonic::Status> {
    let (customer_id, query) = (customer.to_string(), Some(v1::ViewQuery { min_position, ..Default::default() }));
    let id = customer_id.clone();
    let segments = v1::GetCustomerSegmentsRequest { customer_id: id.clone(), query: query.clone(), explain: false };
    let index = v1::GetCustomerIndexRequest { customer_id: id, query: query.clone() };
    let risk = v1::GetRiskRequest { customer_id, query };
    let (mut one, mut two, mut three) = (readers[0].segmentation(), readers[1].satisfaction(), readers[2].churn());
    let (segments, index, risk) =
        tokio::join!(one.get_customer_segments(segments), two.get_customer_index(index), three.get_risk(risk));
    let (segments, index, risk) = (segments?.into_inner(), index?.into_inner(), risk?.into_inner());
    let said = |belonging: Option<v1::Belonging>, meta: Option<v1::AnswerMeta>| {
        (belonging.unwrap().consultant_id, meta.unwrap().position)
    };
    Ok([
        said(segments.customer.unwrap().belonging, segments.meta),
        said(index.customer.unwrap().belonging, index.meta),
        said(risk.risk.unwrap().belonging, risk.meta),
    ])
}

fn readers(system: &mut System) -> [Clients; 3] {
    View::ALL.map(|view| system.reader(view))
}

/// No stale answer: neither of somebody new nor of somebody who has just changed.
pub(crate) async fn own_writes_are_read(system: &mut System) {
    let (gateway, readers) = (system.writer(), readers(system));
    let begin = now().plus_micros(-Timestamp::HOUR);
    for number in 0..WRITES {
        let (at, consultant) = (begin.plus_micros(i64::from(number)), format!("K-{number}"));
        let position = record(&gateway, WRITER, number.into(), at, &consultant).await;
        for (said, view) in read(&readers, WRITER, position).await.unwrap().into_iter().zip(View::ALL) {
            assert_eq!(said.0, consultant, "{} is stale", view.name());
            assert!(said.1 >= position, "{} says {} and was asked for {position}", view.name(), said.1);
        }
    }
}

pub(crate) async fn the_end_of_the_log_is_known(system: &mut System) {
    let last = system.machine.last_position().await.unwrap();
    let readers = readers(system);
    read(&readers, WRITER, last).await.unwrap();
    let status = read(&readers, WRITER, last + 1).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status}");
    assert!(status.message().contains(&last.to_string()), "{status}");
}

/// Whoever was on the list when paging began comes once, in the order of the list, whoever else arrives meanwhile.
pub(crate) async fn pages_are_stable(system: &mut System) {
    let (gateway, readers) = (system.writer(), readers(system));
    let [segments, _, risks] = &readers;
    let mut arrived = 0_u128;
    let mut somebody_arrives = async || {
        arrived += 1;
        // In turn before and behind wherever the reader is.
        let bits = if arrived.is_multiple_of(2) { arrived } else { u128::MAX - arrived };
        let at = now().plus_micros(-Timestamp::MINUTE);
        let position = record(&gateway, CustomerId::from_u128(bits), 1, at, "K-1").await;
        // The next page is one with this customer.
        read(&readers, CustomerId::from_u128(bits), position).await.unwrap();
    };
    let at_risk = async |page_size, page_token: String| {
        let request = v1::ListAtRiskRequest { page_size, page_token, ..Default::default() };
        let page = risks.churn().list_at_risk(request).await.unwrap().into_inner();
        let place = |it: &v1::Risk| (std::cmp::Reverse(it.p_millionths), it.customer_id.clone());
        (page.risks.iter().map(place).collect::<Vec<_>>(), page.next_page_token)
    };
    let before = pages(async |token| at_risk(1_000, token).await).await;
    let paged = pages(async |token| {
        somebody_arrives().await;
        at_risk(20, token).await
    })
    .await;
    same_list(&before, &paged);

    let prospects = async |page_size, page_token: String| {
        let stage = v1::member_selector::Selector::Stage(v1::LifecycleStage::Prospect.into());
        let selector = Some(v1::MemberSelector { selector: Some(stage) });
        let request = v1::ListMembersRequest { selector, page_size, page_token, ..Default::default() };
        let page = segments.segmentation().list_members(request).await.unwrap().into_inner();
        (page.members.into_iter().map(|it| it.customer_id).collect::<Vec<_>>(), page.next_page_token)
    };
    let before = pages(async |token| prospects(1_000, token).await).await;
    let paged = pages(async |token| {
        somebody_arrives().await;
        prospects(5, token).await
    })
    .await;
    same_list(&before, &paged);
}

fn same_list<T: Ord + std::hash::Hash + std::fmt::Debug>(before: &[T], paged: &[T]) {
    assert!(paged.is_sorted(), "out of order");
    let unique: HashSet<_> = paged.iter().collect();
    assert_eq!(unique.len(), paged.len(), "somebody comes twice");
    let missing: Vec<_> = before.iter().filter(|it| !unique.contains(it)).collect();
    assert!(missing.is_empty(), "on the list before, and not on a page: {missing:?}");
}
