//! The configured services: who answers at each address.

use std::time::Duration;

use api::v1;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::Finding;
use crate::client::link::{Link, VIEWS};
use crate::client::status;
use crate::settings::{Process, Settings};

/// How long an address may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// What a projector says of itself, if it answers.
pub(super) struct Told {
    pub(super) name: &'static str,
    pub(super) status: Option<v1::GetStatusResponse>,
}

/// Asks the projectors how they do.
pub(super) async fn projectors(link: &Link) -> Vec<Told> {
    let mut all = Vec::new();
    for view in VIEWS {
        let status = timeout(ANSWER_WITHIN, status::ask(link, view)).await;
        all.push(Told { name: view.process().name(), status: status.ok().and_then(Result::ok) });
    }
    all
}

/// Looks at the address of every service.
pub(super) async fn look(settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    for process in Process::ALL {
        let url = settings.endpoint(process);
        findings.push(judged(process, url, listens(url).await, health(process, url).await));
    }
    findings
}

fn judged(process: Process, url: &str, listens: bool, health: Option<ServingStatus>) -> Finding {
    let (name, check) = (process.name(), format!("port {}", process.name()));
    match health {
        Some(ServingStatus::Serving) => Finding::ok(check, format!("{url} serves")),
        Some(_) if process == Process::Gateway => {
            Finding::note(check, format!("{url} answers and does not serve: it needs nats and stream, above"))
        }
        Some(_) => Finding::note(check, format!("{url} answers and does not serve: `lifefold status` says why")),
        None if listens => Finding::failed(
            check,
            format!("{url} is taken by something that is no {name}: stop it, or set --{name} and --listen"),
        ),
        None => Finding::note(check, format!("{url} is free: no {name} runs there")),
    }
}

/// The gRPC service of a process whose health is asked.
const fn service(process: Process) -> &'static str {
    match process {
        Process::Gateway => "lifefold.v1.TouchpointService",
        Process::Segmentation => "lifefold.v1.SegmentationService",
        Process::Satisfaction => "lifefold.v1.SatisfactionService",
        Process::Churn => "lifefold.v1.ChurnRiskService",
    }
}

async fn health(process: Process, url: &str) -> Option<ServingStatus> {
    let endpoint = Endpoint::from_shared(url.to_owned()).ok()?.connect_timeout(ANSWER_WITHIN).timeout(ANSWER_WITHIN);
    let mut client = HealthClient::new(timeout(ANSWER_WITHIN, endpoint.connect()).await.ok()?.ok()?);
    let request = HealthCheckRequest { service: service(process).to_owned() };
    let answer = timeout(ANSWER_WITHIN, client.check(request)).await.ok()?.ok()?;
    ServingStatus::try_from(answer.into_inner().status).ok()
}

/// Somebody listens there, whoever it is.
async fn listens(url: &str) -> bool {
    let address = url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/');
    matches!(timeout(ANSWER_WITHIN, TcpStream::connect(address)).await, Ok(Ok(_)))
}
