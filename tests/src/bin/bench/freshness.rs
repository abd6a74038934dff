//! How long after Record's answer a view has the event: each asks with the position that Record answered.

use std::time::Instant;

use anyhow::{Context, Result};
use api::v1;
use tests::{Clients, View, visit};
use touchpoint::{CustomerId, EventId};

use crate::corpus::Corpus;
use crate::log::Running;
use crate::sample::percentile;
use crate::table::{Row, Table, seconds};
use crate::{Scale, host};

const CUSTOMERS: u64 = 25_000;
/// Events that are recorded for each view.
const SAMPLES: u64 = 1_000;
/// Seconds.
const TARGET: f64 = 0.05;
const VIEWS: [View; 3] = [View::Segmentation, View::Satisfaction, View::Churn];

/// Measures it.
pub(crate) fn run(scale: Scale) -> Result<Vec<Table>> {
    let corpus = Corpus::new(scale.of(CUSTOMERS));
    let samples = scale.of(SAMPLES);
    tokio::runtime::Runtime::new().context("a runtime")?.block_on(measure(&corpus, samples))
}

async fn measure(corpus: &Corpus, samples: u64) -> Result<Vec<Table>> {
    let mut running = Running::start().await?;
    running.append(&corpus.entries).await?;
    let gateway = Clients::of(tokio::task::block_in_place(|| running.gateway.address()));
    // All run at once, as on one machine; one is asked.
    let mut projectors = VIEWS.map(|view| running.machine.projector(view));
    let mut table = Table::new(format!("From Record's answer to the view: {samples} events each, {}", corpus.about()));
    for (number, (view, projector)) in VIEWS.into_iter().zip(&mut projectors).enumerate() {
        let clients = Clients::of(tokio::task::block_in_place(|| projector.address()));
        clients.serving(view.service()).await;
        let mut waits = Vec::new();
        let mut plain = Vec::new();
        for sample in 0..samples {
            let customer = CustomerId::from_u128((1 << 100) + ((number as u128) << 64) + u128::from(sample));
            waits.push(read_after_record(view, &gateway, &clients, customer).await?);
            plain.push(asked(view, &clients, customer, 0).await?);
        }
        let [p50, p99] = [0.5, 0.99].map(|share| percentile(&waits, share));
        let question = percentile(&plain, 0.5);
        let limit = format!("{} the question alone", seconds(question));
        table.add(Row::new(format!("{}: p50", view.name()), seconds(p50)).beside(limit, p50 / question));
        let row = Row::new(format!("{}: p99", view.name()), seconds(p99));
        table.add(row.target(format!("≤ {}", seconds(TARGET)), p99 <= TARGET));
    }
    Ok(vec![table])
}

/// Records a first visit of this customer; seconds from that answer to the view's, which has the visit.
pub(crate) async fn read_after_record(
    view: View,
    gateway: &Clients,
    clients: &Clients,
    customer: CustomerId,
) -> Result<f64> {
    let touchpoint = visit(customer, EventId::from_u128(customer.as_u128()), host::now());
    let request = v1::RecordRequest { touchpoint: Some(touchpoint), expected_revision: None };
    let position = gateway.touchpoints().record(request).await?.into_inner().position;
    asked(view, clients, customer, position).await
}

/// Seconds until the view has answered at this position or later.
async fn asked(view: View, clients: &Clients, customer: CustomerId, min_position: u64) -> Result<f64> {
    let customer_id = customer.to_string();
    let query = Some(v1::ViewQuery { min_position, ..Default::default() });
    let begun = Instant::now();
    let position = match view {
        View::Segmentation => {
            let request = v1::GetCustomerSegmentsRequest { customer_id, query, explain: false };
            clients.segmentation().get_customer_segments(request).await?.into_inner().meta
        }
        View::Satisfaction => {
            let request = v1::GetCustomerIndexRequest { customer_id, query };
            clients.satisfaction().get_customer_index(request).await?.into_inner().meta
        }
        View::Churn => {
            let request = v1::GetRiskRequest { customer_id, query };
            clients.churn().get_risk(request).await?.into_inner().meta
        }
    };
    let taken = begun.elapsed().as_secs_f64();
    let position = position.context("an answer says its position")?.position;
    anyhow::ensure!(position >= min_position, "the answer is of {position}, before {min_position}");
    Ok(taken)
}
