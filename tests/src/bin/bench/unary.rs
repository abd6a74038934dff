//! Unary questions to the views, beside an empty method of another process on the same machine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use api::v1;
use tests::{Clients, View};
use tokio::task::JoinSet;
use tonic::Status;
use touchpoint::CustomerId;

use crate::Scale;
use crate::corpus::Corpus;
use crate::empty::Empty;
use crate::log::Running;
use crate::sample::{median, percentile};
use crate::table::{Row, Table, rate, seconds};

const CUSTOMERS: u64 = 25_000;
/// Clients at once, each with a connection of its own.
const CLIENTS: [usize; 3] = [1, 16, 64];
/// Rounds of which the median is taken. In each round every method is asked, one after the other, another one first each
/// time: many short rounds, because the machine may be twice as fast a moment later.
const ROUNDS: usize = 45;
/// How long each method is asked in a round.
const MILLISECONDS: u64 = 200;
/// How many customers lie between where a round begins and where the next one does: every round asks for others.
const STRIDE: usize = 3_011;
/// Of the rate of an empty method.
const TARGET: f64 = 0.8;

/// A method that is asked.
#[derive(Clone, Copy)]
enum Method {
    Empty,
    Risk,
    Segments,
}

const METHODS: [(Method, &str); 3] =
    [(Method::Empty, "empty method"), (Method::Risk, "GetRisk"), (Method::Segments, "GetCustomerSegments")];

/// What one method did.
#[derive(Default)]
struct Measured {
    rates: Vec<f64>,
    latencies: Vec<f64>,
}

/// Measures it.
pub(crate) fn run(scale: Scale) -> Result<Vec<Table>> {
    let corpus = Corpus::new(scale.of(CUSTOMERS));
    let asking = Duration::from_millis(scale.of(MILLISECONDS));
    tokio::runtime::Runtime::new().context("a runtime")?.block_on(measure(&corpus, asking))
}

async fn measure(corpus: &Corpus, asking: Duration) -> Result<Vec<Table>> {
    let running = Running::start().await?;
    running.append(&corpus.entries).await?;
    let empty = Empty::start()?;
    let [mut churn, mut segmentation] = [View::Churn, View::Segmentation].map(|view| running.machine.projector(view));
    let addresses = tokio::task::block_in_place(|| [empty.address, churn.address(), segmentation.address()]);
    Clients::of(addresses[1]).serving(View::Churn.service()).await;
    Clients::of(addresses[2]).serving(View::Segmentation.service()).await;
    let mut table = Table::new(format!("Unary questions: {}, median of {ROUNDS} rounds", corpus.about()));
    for clients in CLIENTS {
        let mut all: [Measured; 3] = Default::default();
        for round in 0..ROUNDS {
            for turn in (0..METHODS.len()).map(|turn| (turn + round) % METHODS.len()) {
                let asked = Asked { method: METHODS[turn].0, address: addresses[turn], clients, first: round * STRIDE };
                ask_all(asked, corpus, asking, &mut all[turn]).await?;
            }
        }
        for ((method, name), measured) in METHODS.into_iter().zip(&all) {
            table.add(row(method, name, clients, measured, &all[0]));
        }
    }
    Ok(vec![table])
}

/// The ratio is the median of the rounds' ratios: each compares what was measured within the same seconds.
fn row(method: Method, name: &str, clients: usize, measured: &Measured, empty: &Measured) -> Row {
    let [p50, p99] = [0.5, 0.99].map(|share| seconds(percentile(&measured.latencies, share)));
    let row = Row::new(format!("{name}, {clients} clients: p50 {p50}, p99 {p99}"), rate(median(&measured.rates)));
    match method {
        Method::Empty => row,
        Method::Risk | Method::Segments => {
            let ratios: Vec<f64> = measured.rates.iter().zip(&empty.rates).map(|(rate, limit)| rate / limit).collect();
            let (limit, ratio) = (rate(median(&empty.rates)), median(&ratios));
            row.beside(format!("{limit} empty"), ratio).target(format!("≥ {TARGET}"), ratio >= TARGET)
        }
    }
}

/// What is asked in one turn: a method, by so many clients, the first of them beginning with this customer.
struct Asked {
    method: Method,
    address: SocketAddr,
    clients: usize,
    first: usize,
}

/// The clients ask one question after the other.
async fn ask_all(turn: Asked, corpus: &Corpus, asking: Duration, measured: &mut Measured) -> Result<()> {
    let Asked { method, address, clients, first } = turn;
    let connections: Vec<Clients> = (0..clients).map(|_| Clients::of(address)).collect();
    for connection in &connections {
        ask(method, connection, corpus.customers[0]).await?;
    }
    let begun = Instant::now();
    let mut asked = JoinSet::new();
    for (number, connection) in connections.into_iter().enumerate() {
        let customers = Arc::clone(&corpus.customers);
        asked.spawn(async move {
            let mut latencies = Vec::new();
            for customer in customers.iter().cycle().skip((first + number * 97) % customers.len()) {
                let sent = Instant::now();
                ask(method, &connection, *customer).await?;
                latencies.push(sent.elapsed().as_secs_f64());
                if begun.elapsed() >= asking {
                    break;
                }
            }
            Ok::<_, Status>(latencies)
        });
    }
    let before = measured.latencies.len();
    while let Some(latencies) = asked.join_next().await {
        measured.latencies.extend(latencies.context("a client failed")??);
    }
    measured.rates.push((measured.latencies.len() - before) as f64 / begun.elapsed().as_secs_f64());
    Ok(())
}

/// One question. A customer who was erased is not found, which is an answer too.
async fn ask(method: Method, clients: &Clients, customer: CustomerId) -> Result<(), Status> {
    let customer_id = customer.to_string();
    let answered = match method {
        Method::Empty | Method::Risk => {
            let request = v1::GetRiskRequest { customer_id, query: None };
            clients.churn().get_risk(request).await.map(drop)
        }
        Method::Segments => {
            let request = v1::GetCustomerSegmentsRequest { customer_id, query: None, explain: false };
            clients.segmentation().get_customer_segments(request).await.map(drop)
        }
    };
    answered.or_else(|status| if status.code() == tonic::Code::NotFound { Ok(()) } else { Err(status) })
}
