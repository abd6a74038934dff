//! When everything answers, and what to say then.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use api::v1;
use api::v1::ProjectorState;
use api::v1::projector_service_client::ProjectorServiceClient;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use touchpoint::CustomerId;

use crate::announcement::Announcement;
use crate::client::tell;
use crate::demo::population;
use crate::up::demo;

/// How often it is asked.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// Waits until the gateway serves. Whether it ends instead is watched elsewhere.
pub(crate) async fn gateway(address: SocketAddr) -> anyhow::Result<()> {
    let mut health = HealthClient::new(channel(address)?);
    loop {
        let answer = health.check(HealthCheckRequest { service: String::new() }).await;
        if answer.is_ok_and(|answer| answer.into_inner().status() == ServingStatus::Serving) {
            return Ok(());
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// Waits until every view holds the log up to this position, or says why it never will.
pub(crate) async fn views(announcement: &Announcement, position: u64) -> anyhow::Result<()> {
    for address in [announcement.segmentation, announcement.satisfaction, announcement.churn] {
        let mut projector = ProjectorServiceClient::new(channel(address)?);
        loop {
            let status = projector.get_status(v1::GetStatusRequest {}).await;
            if status.is_ok_and(|status| is_settled(&status.into_inner(), position)) {
                break;
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }
    Ok(())
}

/// It serves that position, or only an operator can help; the others go on without it, and so can a rebuild.
fn is_settled(status: &v1::GetStatusResponse, position: u64) -> bool {
    match status.state() {
        ProjectorState::Serving => status.serving.as_ref().is_some_and(|serving| serving.position >= position),
        ProjectorState::Paused => {
            tell(&format!("the {} view is {}: `lifefold resume {}`", status.view, status.message, status.view));
            true
        }
        ProjectorState::RolledBack | ProjectorState::Recreated | ProjectorState::Gap | ProjectorState::Broken => {
            tell(&format!("the {} view does not serve: {}", status.view, status.message));
            tell(&format!("  its answers came from another log than this one: `lifefold rebuild {}`", status.view));
            true
        }
        _ => false,
    }
}

/// Says that everything answers, and what to try, of a demo as of its last day: now, years of silence would have lost everybody.
pub(crate) fn say(data: &Path, customers: Option<u64>) {
    // Started by `cargo xtask up`, the alias is what works in that folder.
    let program = if std::env::var_os("CARGO").is_some() { "cargo lf" } else { "lifefold" };
    let data = if data == Path::new("./data") { String::new() } else { format!(" --data {}", data.display()) };
    tell("ready; Ctrl-C stops everything. Try:");
    let commands = match customers {
        Some(customers) => [
            "status".to_owned(),
            format!("churn list --band HIGH --limit 5 --as-of {}", demo::LAST_DAY),
            format!("churn explain {} --as-of {}", shown(customers), demo::LAST_DAY),
        ],
        None => ["status".to_owned(), "churn list --band HIGH --limit 5".to_owned(), "import --help".to_owned()],
    };
    for command in commands {
        tell(&format!("  {program} {command}{data}"));
    }
}

/// The customer of the demo who is worth a look.
fn shown(customers: u64) -> CustomerId {
    population(customers).customer_id(demo::SHOWN.min(customers.saturating_sub(1)))
}

fn channel(address: SocketAddr) -> anyhow::Result<Channel> {
    Ok(Endpoint::from_shared(format!("http://{address}")).context("an address is a URL")?.connect_lazy())
}

#[cfg(test)]
mod tests {
    use touchpoint::Kind;

    use super::*;

    #[test]
    fn the_customer_who_is_shown_has_a_complaint_that_nobody_settled() {
        let population = population(10_000);
        let customer = population.customer(demo::SHOWN);
        assert_eq!(customer.id, shown(10_000));
        let count = |kind| customer.planned.iter().filter(|planned| planned.event.body.kind() == kind).count();
        assert!(count(Kind::ComplaintLodged) > count(Kind::ComplaintResolved));
        assert_eq!(shown(1), population.customer_id(0), "a small demo shows somebody too");
    }
}
