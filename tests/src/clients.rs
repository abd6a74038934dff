//! Clients of one process.

use std::net::SocketAddr;
use std::time::Duration;

use api::v1;
use api::v1::churn_risk_service_client::ChurnRiskServiceClient;
use api::v1::projector_service_client::ProjectorServiceClient;
use api::v1::rebuild_service_client::RebuildServiceClient;
use api::v1::rules_service_client::RulesServiceClient;
use api::v1::satisfaction_service_client::SatisfactionServiceClient;
use api::v1::segmentation_service_client::SegmentationServiceClient;
use api::v1::timeline_service_client::TimelineServiceClient;
use api::v1::touchpoint_service_client::TouchpointServiceClient;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::wait::until;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// Clients of one process. They connect when they are first used, and again when they must.
#[derive(Debug, Clone)]
pub struct Clients {
    channel: Channel,
}

impl Clients {
    /// Clients of the process at this address.
    ///
    /// # Panics
    /// Never: an address makes a URL.
    pub fn of(address: SocketAddr) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://{address}"));
        let endpoint = endpoint.unwrap_or_else(|error| panic!("{address}: {error}"));
        Self { channel: endpoint.connect_timeout(CONNECT).connect_lazy() }
    }

    /// The connection, for what no generated client sends.
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Writes.
    pub fn touchpoints(&self) -> TouchpointServiceClient<Channel> {
        TouchpointServiceClient::new(self.channel.clone())
    }

    /// Reads the log.
    pub fn timelines(&self) -> TimelineServiceClient<Channel> {
        TimelineServiceClient::new(self.channel.clone())
    }

    /// Reads and activates rules.
    pub fn rules(&self) -> RulesServiceClient<Channel> {
        RulesServiceClient::new(self.channel.clone())
    }

    /// Reads churn risk.
    pub fn churn(&self) -> ChurnRiskServiceClient<Channel> {
        ChurnRiskServiceClient::new(self.channel.clone())
    }

    /// Reads segmentation.
    pub fn segmentation(&self) -> SegmentationServiceClient<Channel> {
        SegmentationServiceClient::new(self.channel.clone())
    }

    /// Reads satisfaction.
    pub fn satisfaction(&self) -> SatisfactionServiceClient<Channel> {
        SatisfactionServiceClient::new(self.channel.clone())
    }

    /// Operates the projector.
    pub fn projector(&self) -> ProjectorServiceClient<Channel> {
        ProjectorServiceClient::new(self.channel.clone())
    }

    /// What becomes of a rebuild.
    pub fn rebuilds(&self) -> RebuildServiceClient<Channel> {
        RebuildServiceClient::new(self.channel.clone())
    }

    /// What a health check says; nothing if there is no answer.
    pub async fn health(&self, service: &str) -> Option<ServingStatus> {
        let request = HealthCheckRequest { service: service.to_owned() };
        let answer = HealthClient::new(self.channel.clone()).check(request).await.ok()?;
        ServingStatus::try_from(answer.into_inner().status).ok()
    }

    /// Waits until a health check says SERVING.
    pub async fn serving(&self, service: &str) {
        until(&format!("{service} to serve"), async || {
            (self.health(service).await == Some(ServingStatus::Serving)).then_some(())
        })
        .await;
    }

    /// The projector's status; nothing if there is no answer.
    pub async fn status(&self) -> Option<v1::GetStatusResponse> {
        self.projector().get_status(v1::GetStatusRequest {}).await.ok().map(tonic::Response::into_inner)
    }

    /// Waits until the serving generation has applied this position, and gives it.
    pub async fn reached(&self, position: u64) -> v1::Generation {
        until(&format!("the projector to reach {position}"), async || {
            self.status().await?.serving.filter(|serving| serving.digest_position >= position)
        })
        .await
    }

    /// Waits until this position is durable, and gives the generation that serves it then.
    ///
    /// # Panics
    /// If that does not happen.
    pub async fn kept(&self, position: u64) -> v1::Generation {
        until(&format!("the projector to keep {position}"), async || {
            self.status().await?.serving.filter(|serving| serving.committed_position >= position)
        })
        .await
    }

    /// Rebuilds, waits for the new generation to serve, and gives it.
    ///
    /// # Panics
    /// If the rebuild does not begin.
    pub async fn rebuilt(&self) -> v1::Generation {
        let generation = until("a rebuild to begin", async || {
            match self.projector().rebuild(v1::RebuildRequest::default()).await {
                Ok(begun) => Some(begun.into_inner().generation),
                // The one before serves, and still clears away what it replaced.
                Err(status) if status.code() == Code::FailedPrecondition => None,
                Err(status) => panic!("no rebuild: {status}"),
            }
        })
        .await;
        until(&format!("generation {generation} to serve"), async || {
            self.status().await?.serving.filter(|serving| serving.generation == generation)
        })
        .await
    }
}
