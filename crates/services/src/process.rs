//! All that one process serves: its services, health and reflection.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use api::v1;
use event_log::{Appender, Log};
use projector::{Clock, Projector, State};
use tokio_util::sync::CancellationToken;
use tonic::service::{Routes, RoutesBuilder};
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tower::util::MapResponseLayer;
use views::View;
use views::churn::Churn;
use views::satisfaction::Satisfaction;
use views::segmentation::Segmentation;

use crate::activation::RulesInLog;
use crate::churn::ChurnRiskService;
use crate::damaged;
use crate::limits::{MAX_READ_BYTES, MAX_WRITE_BYTES};
use crate::operate::ProjectorService;
use crate::rebuild::RebuildService;
use crate::rules::RulesService;
use crate::satisfaction::SatisfactionService;
use crate::segmentation::SegmentationService;
use crate::timeline::TimelineService;
use crate::touchpoint_service::TouchpointService;

/// How often the gateway looks whether there is a log.
const LOG_POLL: Duration = Duration::from_secs(1);
/// The name that stands for the whole process in health checks.
const WHOLE: &str = "";
/// The services of a projector that answer whatever its view's state is.
const OPERATED: [&str; 2] = ["lifefold.v1.ProjectorService", "lifefold.v1.RebuildService"];

/// All services of one process.
pub struct GrpcServices {
    /// Every service, with health and reflection; one port for each process, since every projector serves the
    /// ProjectorService of its own view.
    pub routes: Routes,
    /// Keeps health true until the process goes down. The process must drive it beside the server.
    pub health: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// What the gateway needs.
pub struct Gateway {
    /// The log, to read.
    pub log: Log,
    /// The log, to write.
    pub appender: Appender,
    /// The rules in the log.
    pub rules: RulesInLog,
    /// The time.
    pub clock: Clock,
    /// Told when the process goes down: streams then end with a place to go on from.
    pub stop: CancellationToken,
}

/// What the gateway serves.
pub fn gateway(Gateway { log, appender, rules, clock, stop }: Gateway) -> GrpcServices {
    let touchpoints = TouchpointService::new(appender, clock, stop.clone());
    let timelines = TimelineService::new(log.clone(), stop.clone());
    let mut services = RoutesBuilder::default();
    services
        .add_service(
            v1::touchpoint_service_server::TouchpointServiceServer::new(touchpoints)
                .max_decoding_message_size(MAX_WRITE_BYTES),
        )
        .add_service(
            v1::timeline_service_server::TimelineServiceServer::new(timelines)
                .max_decoding_message_size(MAX_READ_BYTES),
        )
        .add_service(
            v1::rules_service_server::RulesServiceServer::new(RulesService::new(rules))
                .max_decoding_message_size(MAX_READ_BYTES),
        );
    let names = [WHOLE, "lifefold.v1.TouchpointService", "lifefold.v1.TimelineService", "lifefold.v1.RulesService"];
    grpc_services(services, move |health| async move {
        while !stop.is_cancelled() {
            report(&health, &names, log.is_connected()).await;
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(LOG_POLL) => {}
            }
        }
        report(&health, &names, false).await;
    })
}

/// A view that this crate has a service for.
pub trait Served: View {
    /// The full name of the service.
    const SERVICE: &'static str;

    /// Adds the service.
    fn add(projector: &Projector<Self>, services: &mut RoutesBuilder)
    where
        Self: Sized;
}

impl Served for Segmentation {
    const SERVICE: &'static str = "lifefold.v1.SegmentationService";

    fn add(projector: &Projector<Self>, services: &mut RoutesBuilder) {
        let service = SegmentationService::new(projector.clone());
        let server = v1::segmentation_service_server::SegmentationServiceServer::new(service);
        services.add_service(server.max_decoding_message_size(MAX_READ_BYTES));
    }
}

impl Served for Satisfaction {
    const SERVICE: &'static str = "lifefold.v1.SatisfactionService";

    fn add(projector: &Projector<Self>, services: &mut RoutesBuilder) {
        let service = SatisfactionService::new(projector.clone());
        let server = v1::satisfaction_service_server::SatisfactionServiceServer::new(service);
        services.add_service(server.max_decoding_message_size(MAX_READ_BYTES));
    }
}

impl Served for Churn {
    const SERVICE: &'static str = "lifefold.v1.ChurnRiskService";

    fn add(projector: &Projector<Self>, services: &mut RoutesBuilder) {
        let service = ChurnRiskService::new(projector.clone());
        let server = v1::churn_risk_service_server::ChurnRiskServiceServer::new(service);
        services.add_service(server.max_decoding_message_size(MAX_READ_BYTES));
    }
}

/// What the projector of a view serves. Its own services answer whatever the view's state is.
pub fn view<V: Served>(projector: &Projector<V>) -> GrpcServices {
    let mut services = RoutesBuilder::default();
    V::add(projector, &mut services);
    let operating = v1::projector_service_server::ProjectorServiceServer::new(ProjectorService::new(projector.clone()));
    services.add_service(operating.max_decoding_message_size(MAX_READ_BYTES));
    let rebuilds = v1::rebuild_service_server::RebuildServiceServer::new(RebuildService::new(projector.clone()));
    services.add_service(rebuilds.max_decoding_message_size(MAX_READ_BYTES));
    let mut state = projector.state();
    grpc_services(services, move |health| async move {
        report(&health, &OPERATED, true).await;
        loop {
            let now = state.borrow_and_update().clone();
            report(&health, &[V::SERVICE, WHOLE], now.answers()).await;
            // Without a projector there is nobody left to change it.
            if now == State::Draining || state.changed().await.is_err() {
                return;
            }
        }
    })
}

fn grpc_services<H>(mut services: RoutesBuilder, keep: impl FnOnce(HealthReporter) -> H) -> GrpcServices
where
    H: Future<Output = ()> + Send + 'static,
{
    let (reporter, health) = tonic_health::server::health_reporter();
    services.add_service(health);
    reflection(&mut services);
    let routes = services.routes().into_axum_router().layer(MapResponseLayer::new(damaged::response));
    GrpcServices { routes: Routes::from(routes).prepare(), health: Box::pin(keep(reporter)) }
}

/// Both versions of reflection, since clients still ask for either.
fn reflection(services: &mut RoutesBuilder) {
    let builder = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(api::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    match (builder().build_v1(), builder().build_v1alpha()) {
        (Ok(v1), Ok(v1alpha)) => _ = services.add_service(v1).add_service(v1alpha),
        // The descriptors are compiled in, and a test reads them: without reflection everything else still works.
        (Err(error), _) | (_, Err(error)) => tracing::error!(%error, "no reflection"),
    }
}

async fn report(health: &HealthReporter, names: &[&str], serving: bool) {
    let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
    for name in names {
        health.set_service_status(*name, status).await;
    }
}
