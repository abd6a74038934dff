//! A connection to each service, at the address that the settings have.

use std::time::Duration;

use api::v1::churn_risk_service_client::ChurnRiskServiceClient;
use api::v1::projector_service_client::ProjectorServiceClient;
use api::v1::rebuild_service_client::RebuildServiceClient;
use api::v1::rules_service_client::RulesServiceClient;
use api::v1::satisfaction_service_client::SatisfactionServiceClient;
use api::v1::segmentation_service_client::SegmentationServiceClient;
use api::v1::timeline_service_client::TimelineServiceClient;
use api::v1::touchpoint_service_client::TouchpointServiceClient;
use tonic::Request;
use tonic::transport::{Channel, Endpoint, Error};

use super::failure::Failure;
use crate::cli::View;
use crate::settings::{Process, Settings};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Most bytes of one answer: a page of 1,000 events of 63 KiB each, as stored and as a message, would be twice this,
/// but real events are a hundred times smaller.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// How long a call may take.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Wait {
    /// Seconds that one call may take
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 30, help_heading = "Connection")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
}

/// Where the services listen, and how long they may take.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    settings: Settings,
    timeout: Duration,
}

/// The views, in the order in which they are shown.
pub(crate) const VIEWS: [View; 3] = [View::Segmentation, View::Satisfaction, View::Churn];

impl Link {
    /// The services that the settings name.
    pub(crate) fn new(settings: &Settings, wait: &Wait) -> Self {
        Self { settings: settings.clone(), timeout: Duration::from_secs(wait.timeout) }
    }

    /// A request with the deadline of the command line.
    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.set_timeout(self.timeout);
        request
    }

    pub(crate) async fn touchpoints(&self) -> Result<TouchpointServiceClient<Channel>, Failure> {
        Ok(TouchpointServiceClient::new(self.gateway().await?).max_decoding_message_size(MAX_ANSWER_BYTES))
    }

    pub(crate) async fn timelines(&self) -> Result<TimelineServiceClient<Channel>, Failure> {
        Ok(TimelineServiceClient::new(self.gateway().await?).max_decoding_message_size(MAX_ANSWER_BYTES))
    }

    pub(crate) async fn rules(&self) -> Result<RulesServiceClient<Channel>, Failure> {
        Ok(RulesServiceClient::new(self.gateway().await?))
    }

    pub(crate) async fn segmentation(&self) -> Result<SegmentationServiceClient<Channel>, Failure> {
        let channel = self.view(View::Segmentation).await?;
        Ok(SegmentationServiceClient::new(channel).max_decoding_message_size(MAX_ANSWER_BYTES))
    }

    pub(crate) async fn satisfaction(&self) -> Result<SatisfactionServiceClient<Channel>, Failure> {
        let channel = self.view(View::Satisfaction).await?;
        Ok(SatisfactionServiceClient::new(channel).max_decoding_message_size(MAX_ANSWER_BYTES))
    }

    pub(crate) async fn churn(&self) -> Result<ChurnRiskServiceClient<Channel>, Failure> {
        let channel = self.view(View::Churn).await?;
        Ok(ChurnRiskServiceClient::new(channel).max_decoding_message_size(MAX_ANSWER_BYTES))
    }

    pub(crate) async fn projector(&self, view: View) -> Result<ProjectorServiceClient<Channel>, Failure> {
        Ok(ProjectorServiceClient::new(self.view(view).await?))
    }

    pub(crate) async fn rebuilds(&self, view: View) -> Result<RebuildServiceClient<Channel>, Failure> {
        Ok(RebuildServiceClient::new(self.view(view).await?))
    }

    async fn gateway(&self) -> Result<Channel, Failure> {
        connect("gateway", self.settings.endpoint(Process::Gateway), "--gateway").await
    }

    async fn view(&self, view: View) -> Result<Channel, Failure> {
        let (service, setting) = match view {
            View::Segmentation => ("segmentation view", "--segmentation"),
            View::Satisfaction => ("satisfaction view", "--satisfaction"),
            View::Churn => ("churn view", "--churn"),
        };
        connect(service, self.settings.endpoint(view.process()), setting).await
    }
}

async fn connect(service: &'static str, url: &str, setting: &'static str) -> Result<Channel, Failure> {
    let failure = |error: &Error| Failure::Unreachable { service, url: url.to_owned(), cause: cause(error), setting };
    let endpoint = Endpoint::from_shared(url.to_owned()).map_err(|error| failure(&error))?;
    endpoint.connect_timeout(CONNECT_TIMEOUT).tcp_nodelay(true).connect().await.map_err(|error| failure(&error))
}

/// The innermost cause, which says most: "transport error" alone helps nobody.
fn cause(error: &Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}
