//! RebuildService: what becomes of a rebuild. For operators.

use api::errors::Error;
use api::{rebuild as convert, v1};
use projector::{Findings, Phase, Projector, Rebuild};
use tonic::{Request, Response, Status};
use views::View;

use crate::operate::not_rebuilt;
use crate::{call, refold};

const SERVICE: &str = "RebuildService";

/// The service of one view's projector.
pub(crate) struct Rebuilds<V: View> {
    projector: Projector<V>,
}

impl<V: View> Rebuilds<V> {
    pub(crate) fn new(projector: Projector<V>) -> Self {
        Self { projector }
    }
}

/// Lets a rebuild go on whether or not anybody waits; gives the number of its generation.
pub(crate) fn carry_out<V: View>(rebuild: Rebuild<V>) -> u64 {
    let generation = rebuild.generation();
    tokio::spawn(async move {
        match rebuild.finish().await {
            Ok(()) => tracing::info!(view = V::NAME, generation, "the new generation serves"),
            Err(error) => tracing::warn!(view = V::NAME, generation, %error, "no new generation"),
        }
    });
    generation
}

/// Nothing to accept or to cancel.
fn none_under_way() -> Error {
    let message = "no rebuild of this view is under way; GetRebuild says how the last one ended".to_owned();
    Error::Precondition { reason: "NO_REBUILD", message }
}

fn answer(generation: u64, phase: &Phase) -> v1::GetRebuildResponse {
    use v1::RebuildPhase as Twin;
    let (phase, message, findings) = match phase {
        Phase::Folding => (Twin::Folding, String::new(), None),
        Phase::Verifying => (Twin::Verifying, String::new(), None),
        Phase::Differs(findings) => (Twin::Differs, words(findings), Some(findings)),
        Phase::Switched(findings) => (Twin::Switched, String::new(), findings.as_ref()),
        Phase::GivenUp(reason) => (Twin::GivenUp, reason.clone(), None),
    };
    let findings = findings.map(|it| self::findings(it));
    v1::GetRebuildResponse { generation, phase: phase.into(), message, findings }
}

fn words(findings: &Findings) -> String {
    let Findings { different, compared, position, .. } = findings;
    format!(
        "{different} of {compared} customers differ by the events up to position {position}; the old generation serves \
         until the new one is accepted, or cancelled"
    )
}

fn findings(it: &Findings) -> v1::RebuildFindings {
    let count = |(code, count): &(&str, u64)| v1::DifferenceCount {
        kind: convert::kind(code).unwrap_or_default().into(),
        count: *count,
    };
    v1::RebuildFindings {
        position: it.position.0,
        customers_compared: it.compared,
        customers_different: it.different,
        counts: it.counts.iter().map(count).collect(),
        customers: it.shown.iter().map(|(customer, found)| convert::customer(*customer, found)).collect(),
    }
}

#[tonic::async_trait]
impl<V: View> v1::rebuild_service_server::RebuildService for Rebuilds<V> {
    async fn get_rebuild(
        &self,
        _request: Request<v1::GetRebuildRequest>,
    ) -> Result<Response<v1::GetRebuildResponse>, Status> {
        let last = self.projector.last_rebuild();
        let answered = last.map(|(generation, phase)| answer(generation, &phase)).unwrap_or_default();
        call::answer(SERVICE, "GetRebuild", async { Ok(answered) }).await
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
        let cancelled = self.projector.cancel_rebuild().then_some(v1::CancelRebuildResponse {});
        call::answer(SERVICE, "CancelRebuild", async { cancelled.ok_or_else(none_under_way) }).await
    }

    async fn roll_back(
        &self,
        _request: Request<v1::RollBackRequest>,
    ) -> Result<Response<v1::RollBackResponse>, Status> {
        call::answer(SERVICE, "RollBack", async {
            let generation = carry_out(self.projector.begin_rollback().await.map_err(not_rebuilt)?);
            Ok(v1::RollBackResponse { generation })
        })
        .await
    }

    async fn retire_previous(
        &self,
        _request: Request<v1::RetirePreviousRequest>,
    ) -> Result<Response<v1::RetirePreviousResponse>, Status> {
        call::answer(SERVICE, "RetirePrevious", async {
            self.projector.retire_previous().await.map_err(not_rebuilt)?;
            Ok(v1::RetirePreviousResponse {})
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
