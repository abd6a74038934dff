//! ProjectorService: how a projector does, and its rebuild. For operators.

use std::time::Duration;

use api::errors::Error;
use api::{names, v1};
use projector::{
    GenerationStatus, Projector, RebuildError, RebuildOptions, ScrubFinding, ScrubStatus, State, Status as Doing,
    Trouble, WaitReason,
};
use tonic::{Request, Response, Status};
use touchpoint::Timestamp;
use views::{Digests, View};

use crate::machine::process_bytes;
use crate::{call, parked, pause, rebuild};

const SERVICE: &str = "ProjectorService";
/// When to ask again for what the disk did not allow.
const STORE_RETRY: Duration = Duration::from_secs(5);
const MICROS_PER_SECOND: i64 = 1_000_000;

/// The service of one view's projector.
pub(crate) struct ProjectorService<V: View> {
    projector: Projector<V>,
}

impl<V: View> ProjectorService<V> {
    pub(crate) fn new(projector: Projector<V>) -> Self {
        Self { projector }
    }

    /// The status sums up what changed: away from the threads that serve.
    async fn status(&self) -> Result<Doing, Error> {
        let projector = self.projector.clone();
        let status = tokio::task::spawn_blocking(move || projector.status()).await;
        status.map_err(|_| Error::Internal("the status could not be summed up".to_owned()))
    }

    /// Starts a rebuild, and answers once it has begun. It goes on whether or not the caller waits.
    async fn rebuild(&self, request: &v1::RebuildRequest) -> Result<v1::RebuildResponse, Error> {
        let options = RebuildOptions { accept: request.accept, max_rate: request.max_events_per_second };
        let generation = self.projector.begin_rebuild(options).await.map_err(not_rebuilt)?.carry_out();
        Ok(v1::RebuildResponse { generation, head: self.projector.progress().log_end.0 })
    }
}

pub(crate) fn not_rebuilt(error: RebuildError) -> Error {
    let message = error.to_string();
    match error {
        RebuildError::Rebuilding => Error::Precondition { reason: "REBUILD_RUNNING", message },
        RebuildError::Paused(pause) => {
            Error::Precondition { reason: "PAUSED", message: format!("the view is {}", pause::words(&pause)) }
        }
        RebuildError::NoPrevious => Error::Precondition { reason: "NO_PREVIOUS", message },
        RebuildError::Source(error) => call::log_not_read(&error, message),
        RebuildError::Store(_) => store_unavailable(message),
        RebuildError::Panicked(_) => Error::Internal(message),
    }
}

pub(crate) fn store_unavailable(message: String) -> Error {
    Error::Unavailable { reason: "STORE_UNAVAILABLE", message, retry_after: STORE_RETRY, position: None }
}

fn answer(status: &Doing, now: Timestamp) -> v1::GetStatusResponse {
    let (state, message) = state(&status.state);
    v1::GetStatusResponse {
        view: status.view.to_owned(),
        state: state.into(),
        message,
        serving: Some(generation(&status.serving, now)),
        building: status.building.as_ref().map(|building| generation(building, now)),
        rules_version: status.rules.version.clone(),
        rules_position: status.rules.activated_at.0,
        rules_notice: status.rules_notice.clone().unwrap_or_default(),
        fold_version: status.fold_version,
        store_bytes: status.store_bytes,
        process_bytes: process_bytes().unwrap_or(0),
        scrub: None,
        pause: None,
    }
}

/// The state, and what is wrong and what to do.
fn state(state: &State) -> (v1::ProjectorState, String) {
    use v1::ProjectorState as Twin;
    match state {
        State::CatchingUp => (Twin::CatchingUp, "folding up to the head that the log had at the start".to_owned()),
        State::Serving => (Twin::Serving, String::new()),
        State::Paused(pause) => (Twin::Paused, pause::words(pause)),
        State::Draining => (Twin::Draining, "the process is going down".to_owned()),
        State::Broken(broken) => {
            let twin = match broken.trouble {
                Trouble::RolledBack => Twin::RolledBack,
                Trouble::Recreated => Twin::Recreated,
                Trouble::Gap => Twin::Gap,
                Trouble::Options | Trouble::FoldPanicked => Twin::Broken,
            };
            (twin, format!("{broken}; look at the log, then rebuild"))
        }
    }
}

fn generation(it: &GenerationStatus, now: Timestamp) -> v1::Generation {
    let lag_events = it.log_end.0.saturating_sub(it.position.0);
    let digest = |of: fn(&Digests) -> u128| it.digests.map_or_else(String::new, |it| api::names::digest(of(&it)));
    v1::Generation {
        generation: it.generation,
        position: it.position.0,
        head: it.log_end.0,
        lag_events,
        lag_seconds: if lag_events == 0 { 0 } else { seconds(it.last_recorded_at, now) },
        committed_position: it.committed.0,
        digest: digest(|it| it.full),
        content_digest: digest(|it| it.content),
        digest_position: it.digest_position.0,
        parked: it.parked,
        last_parked: it.last_parked.as_ref().map(parked::message),
        conflicts: it.conflicts,
        duplicates: it.duplicates,
        customers: it.customers,
        erased: it.erased,
        timers: it.timers,
        records_bytes: it.record_bytes,
    }
}

/// Nothing of a scrub that is off.
fn scrub(it: ScrubStatus) -> Option<v1::Scrub> {
    let finding = |it: ScrubFinding| v1::ScrubFinding {
        at: Some(names::timestamp(it.at)),
        customer_id: it.customer.to_string(),
        position: it.position.0,
        what: it.what,
    };
    (it.rate > 0).then(|| v1::Scrub {
        rate: it.rate,
        round: it.round,
        covered_bp: it.covered_bp,
        checked: it.checked,
        different: it.different,
        repaired: it.repaired,
        began: it.began.map(names::timestamp),
        last_round: it.last_round.map(names::timestamp),
        waiting: it.waiting.map_or("", WaitReason::name).to_owned(),
        last_found: it.last_found.map(finding),
    })
}

/// Whole seconds since then; 0 before the first event.
fn seconds(since: Option<Timestamp>, now: Timestamp) -> u64 {
    since.and_then(|since| u64::try_from(now.since(since) / MICROS_PER_SECOND).ok()).unwrap_or(0)
}

#[tonic::async_trait]
impl<V: View> v1::projector_service_server::ProjectorService for ProjectorService<V> {
    async fn get_status(
        &self,
        _request: Request<v1::GetStatusRequest>,
    ) -> Result<Response<v1::GetStatusResponse>, Status> {
        let scrub = scrub(self.projector.scrub_status());
        let answered = async {
            let mut status = answer(&self.status().await?, self.projector.now());
            if status.message.is_empty() {
                status.message = rebuild::waiting(&self.projector).unwrap_or_default();
            }
            let pause = pause::present(&self.projector);
            Ok(v1::GetStatusResponse { scrub, pause, ..status })
        };
        call::answer(SERVICE, "GetStatus", answered).await
    }

    async fn rebuild(&self, request: Request<v1::RebuildRequest>) -> Result<Response<v1::RebuildResponse>, Status> {
        call::answer(SERVICE, "Rebuild", self.rebuild(request.get_ref())).await
    }

    async fn list_parked(
        &self,
        request: Request<v1::ListParkedRequest>,
    ) -> Result<Response<v1::ListParkedResponse>, Status> {
        call::answer(SERVICE, "ListParked", async { parked::list(&self.projector, request.get_ref()) }).await
    }

    async fn get_parked(
        &self,
        request: Request<v1::GetParkedRequest>,
    ) -> Result<Response<v1::GetParkedResponse>, Status> {
        call::answer(SERVICE, "GetParked", async { parked::get(&self.projector, request.get_ref()) }).await
    }

    async fn retry_parked(
        &self,
        request: Request<v1::RetryParkedRequest>,
    ) -> Result<Response<v1::RetryParkedResponse>, Status> {
        let until = call::answer_by(request.metadata());
        call::answer(SERVICE, "RetryParked", parked::retry(&self.projector, request.get_ref(), until)).await
    }

    async fn pause(&self, request: Request<v1::PauseRequest>) -> Result<Response<v1::PauseResponse>, Status> {
        call::answer(SERVICE, "Pause", pause::pause(&self.projector, request.into_inner())).await
    }

    async fn resume(&self, _request: Request<v1::ResumeRequest>) -> Result<Response<v1::ResumeResponse>, Status> {
        call::answer(SERVICE, "Resume", async { pause::resume(&self.projector) }).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use projector::Broken;

    #[test]
    fn a_broken_log_is_named_by_its_trouble() {
        for (trouble, twin, name) in [
            (Trouble::RolledBack, v1::ProjectorState::RolledBack, "ROLLED_BACK"),
            (Trouble::Recreated, v1::ProjectorState::Recreated, "RECREATED"),
            (Trouble::Gap, v1::ProjectorState::Gap, "GAP"),
            (Trouble::Options, v1::ProjectorState::Broken, "OPTIONS"),
            (Trouble::FoldPanicked, v1::ProjectorState::Broken, "FOLD_PANICKED"),
        ] {
            let (state, message) = state(&State::Broken(Broken::new(trouble, "position 7")));
            assert_eq!(state, twin);
            assert!(message.starts_with(&format!("{name}: position 7")) && message.contains("rebuild"), "{message}");
        }
    }

    #[test]
    fn lag_is_never_negative() {
        let at = |seconds: i64| Timestamp::from_micros(seconds * MICROS_PER_SECOND);
        assert_eq!(seconds(Some(at(10)), at(13)), 3);
        assert_eq!(seconds(Some(at(10)), at(7)), 0);
        assert_eq!(seconds(None, at(7)), 0);
    }
}
