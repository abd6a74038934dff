//! RebuildService: what becomes of a rebuild. For operators.

mod messages;

use api::errors::Error;
use api::page::Page;
use api::v1;
use projector::{Projector, Rebuild, RebuildOptions};
use tonic::{Request, Response, Status};
use views::View;

use crate::operate::not_rebuilt;
use crate::{call, refold};

const SERVICE: &str = "RebuildService";

/// The service of one view's projector.
pub(crate) struct RebuildService<V: View> {
    projector: Projector<V>,
}

impl<V: View> RebuildService<V> {
    pub(crate) fn new(projector: Projector<V>) -> Self {
        Self { projector }
    }

    /// A page of the rebuilds that are remembered. A token is the instant at which the last one of the page began.
    fn list(&self, request: &v1::ListRebuildsRequest) -> Result<v1::ListRebuildsResponse, Error> {
        let page = Page::of(request)?;
        let before = page.after(|cursor| Some(i64::from_be_bytes(cursor.try_into().ok()?)))?.unwrap_or(i64::MAX);
        let mut rebuilds = self.projector.rebuilds();
        rebuilds.retain(|it| it.begun.micros() < before);
        let more = rebuilds.len() > page.size;
        rebuilds.truncate(page.size);
        let last = rebuilds.last().filter(|_| more);
        let next_page_token = last.map_or_else(String::new, |it| page.token(&it.begun.micros().to_be_bytes()));
        Ok(v1::ListRebuildsResponse { rebuilds: rebuilds.iter().map(messages::past).collect(), next_page_token })
    }
}

/// What an operator should know where a rebuild waits for a decision.
pub(crate) fn waiting<V: View>(projector: &Projector<V>) -> Option<String> {
    projector.last_rebuild().as_ref().and_then(|it| messages::waiting(V::NAME, &it.phase))
}

/// Nothing to accept or to cancel.
fn none_under_way() -> Error {
    let message = "no rebuild of this view is under way, or its generation serves already".to_owned();
    Error::Precondition { reason: "NO_REBUILD", message }
}

#[tonic::async_trait]
impl<V: View> v1::rebuild_service_server::RebuildService for RebuildService<V> {
    async fn plan_rebuild(
        &self,
        request: Request<v1::PlanRebuildRequest>,
    ) -> Result<Response<v1::PlanRebuildResponse>, Status> {
        call::answer(SERVICE, "PlanRebuild", async {
            let max_rate = request.get_ref().max_events_per_second;
            let options = RebuildOptions { max_rate, ..RebuildOptions::default() };
            Ok(messages::plan(&self.projector.plan_rebuild(options).await.map_err(not_rebuilt)?))
        })
        .await
    }

    async fn list_rebuilds(
        &self,
        request: Request<v1::ListRebuildsRequest>,
    ) -> Result<Response<v1::ListRebuildsResponse>, Status> {
        call::answer(SERVICE, "ListRebuilds", async { self.list(request.get_ref()) }).await
    }

    async fn get_rebuild(
        &self,
        _request: Request<v1::GetRebuildRequest>,
    ) -> Result<Response<v1::GetRebuildResponse>, Status> {
        let answered = self.projector.last_rebuild().as_ref().map(messages::rebuild);
        call::answer(SERVICE, "GetRebuild", async { Ok(answered.unwrap_or_default()) }).await
    }

    async fn accept_rebuild(
        &self,
        _request: Request<v1::AcceptRebuildRequest>,
    ) -> Result<Response<v1::AcceptRebuildResponse>, Status> {
        let accepted = self.projector.accept_rebuild().then_some(v1::AcceptRebuildResponse {});
        call::answer(SERVICE, "AcceptRebuild", async { accepted.ok_or_else(none_under_way) }).await
    }

    async fn cancel_rebuild(
        &self,
        _request: Request<v1::CancelRebuildRequest>,
    ) -> Result<Response<v1::CancelRebuildResponse>, Status> {
        let cancelled = self.projector.cancel_rebuild().map(|generation| v1::CancelRebuildResponse { generation });
        call::answer(SERVICE, "CancelRebuild", async { cancelled.ok_or_else(none_under_way) }).await
    }

    async fn roll_back(
        &self,
        _request: Request<v1::RollBackRequest>,
    ) -> Result<Response<v1::RollBackResponse>, Status> {
        call::answer(SERVICE, "RollBack", async {
            let generation = self.projector.begin_rollback().await.map(Rebuild::carry_out).map_err(not_rebuilt)?;
            Ok(v1::RollBackResponse { generation })
        })
        .await
    }

    async fn retire_previous(
        &self,
        _request: Request<v1::RetirePreviousRequest>,
    ) -> Result<Response<v1::RetirePreviousResponse>, Status> {
        call::answer(SERVICE, "RetirePrevious", async {
            let generation = self.projector.retire_previous().await.map_err(not_rebuilt)?;
            Ok(v1::RetirePreviousResponse { generation })
        })
        .await
    }

    async fn rebuild_customer(
        &self,
        request: Request<v1::RebuildCustomerRequest>,
    ) -> Result<Response<v1::RebuildCustomerResponse>, Status> {
        let until = call::answer_by(request.metadata());
        call::answer(SERVICE, "RebuildCustomer", refold::rebuild(&self.projector, request.get_ref(), until)).await
    }
}
