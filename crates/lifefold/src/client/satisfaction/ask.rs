//! The questions: each asks the service, and shows the answer.

use api::v1;

use super::{About, Kind, Of, complaints, customer, report, units};
use crate::client::asking::ViewClient;
use crate::client::evidence::Events;
use crate::client::failure::Failure;
use crate::client::pages::Limit;
use crate::client::query::Scope;
use crate::client::series::Series;

/// Questions about the ports of a unit in a wave: requests of one shape, answers of three.
macro_rules! of_a_unit {
    ($($ask:ident $request:ident $method:ident $table:path)+) => {$(
        #[doc = concat!("Asks `", stringify!($request), "`.")]
        pub(super) async fn $ask(&self, of: Of) -> Result<(), Failure> {
            let unit = of.unit.unit.clone();
            let request = v1::$request {
                unit: Some(of.unit.unit),
                wave_id: of.wave.unwrap_or_default(),
                previous_wave_id: of.with.unwrap_or_default(),
                ports: of.ports.into_iter().map(Into::into).collect(),
                query: self.query.clone(),
            };
            let mut service = self.link.satisfaction().await?;
            let answer = service.$method(self.link.request(request)).await?.into_inner();
            self.output.show(&answer, |screen| $table(screen, &unit, &answer))
        }
    )+};
}

impl ViewClient {
    of_a_unit! {
        report GetPortScoresRequest get_port_scores report::ports
        indicators GetIndicatorsRequest get_indicators report::indicators
        compare CompareWavesRequest compare_waves report::comparison
    }

    pub(super) async fn customer(&self, customer_id: String) -> Result<(), Failure> {
        let request = v1::GetCustomerIndexRequest { customer_id: customer_id.clone(), query: self.query.clone() };
        let mut service = self.link.satisfaction().await?;
        let answer = service.get_customer_index(self.link.request(request)).await?.into_inner();
        let events = Events::for_table(self, &customer_id).await;
        self.output.show(&answer, |screen| customer::render(screen, &answer, &events))
    }

    pub(super) async fn rank(
        &self,
        by: Kind,
        port: v1::ServicePort,
        wave: Option<String>,
        limit: &Limit,
    ) -> Result<(), Failure> {
        let (kind, port, wave_id) = (by.message().into(), port.into(), wave.unwrap_or_default());
        let mut service = self.link.satisfaction().await?;
        let list = limit.collect(async |page_size, page_token| {
            let (wave_id, query) = (wave_id.clone(), self.query.clone());
            let request = v1::RankUnitsRequest { kind, wave_id, port, query, page_size, page_token };
            Ok(service.rank_units(self.link.request(request)).await?.into_inner())
        });
        let list = list.await?;
        self.output.list(&list, |screen| units::ranking(screen, port, &list))
    }

    pub(super) async fn nps(&self, unit: v1::Unit, port: v1::ServicePort, wave: Option<String>) -> Result<(), Failure> {
        let (port, wave_id) = (port.into(), wave.unwrap_or_default());
        let request = v1::GetNpsRequest { unit: Some(unit.clone()), wave_id, port, query: self.query.clone() };
        let mut service = self.link.satisfaction().await?;
        let answer = service.get_nps(self.link.request(request)).await?.into_inner();
        self.output.show(&answer, |screen| units::nps(screen, &unit, &answer))
    }

    pub(super) async fn classes(&self, scope: &Scope, series: &Series) -> Result<(), Failure> {
        let mut service = self.link.satisfaction().await?;
        let fetch = async |query| {
            let request = v1::CountClassesRequest { scope: scope.message(), query };
            Ok(service.count_classes(self.link.request(request)).await?.into_inner())
        };
        series.show(self, fetch, units::totals).await
    }

    pub(super) async fn complaints(
        &self,
        scope: &Scope,
        about: &About,
        overdue: bool,
        limit: &Limit,
    ) -> Result<(), Failure> {
        let mut service = self.link.satisfaction().await?;
        let list = limit.collect(async |page_size, page_token| {
            let request = v1::ListOpenComplaintsRequest {
                scope: scope.message(),
                port: about.port.map_or(0, Into::into),
                severity: about.severity.map_or(0, Into::into),
                overdue_only: overdue,
                query: self.query.clone(),
                page_size,
                page_token,
            };
            Ok(service.list_open_complaints(self.link.request(request)).await?.into_inner())
        });
        let list = list.await?;
        self.output.list(&list, |screen| complaints::open(screen, &list))
    }

    pub(super) async fn service_levels(&self, unit: v1::Unit, about: &About) -> Result<(), Failure> {
        let request = v1::GetComplaintServiceLevelRequest {
            unit: Some(unit.clone()),
            port: about.port.map_or(0, Into::into),
            severity: about.severity.map_or(0, Into::into),
            query: self.query.clone(),
        };
        let mut service = self.link.satisfaction().await?;
        let answer = service.get_complaint_service_level(self.link.request(request)).await?.into_inner();
        self.output.show(&answer, |screen| complaints::levels(screen, &unit, &answer))
    }
}
