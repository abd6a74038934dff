//! What is said of a rebuild.

use api::names::timestamp;
use api::{rebuild as convert, v1};
use projector::{Findings, Origin, Phase, Plan, RebuildProgress, RebuildStatus, Remembered};

use crate::machine::memory_available;

const INTERRUPTED: &str = "its process ended; it goes on once the projector serves";

/// The rebuild under way, or the last one.
pub(super) fn rebuild(it: &RebuildStatus) -> v1::GetRebuildResponse {
    use v1::RebuildPhase as Twin;
    let (phase, message, findings) = match &it.phase {
        Phase::Folding => (Twin::Folding, String::new(), None),
        Phase::Verifying => (Twin::Verifying, String::new(), None),
        Phase::Differs(findings) => (Twin::Differs, words(findings), Some(findings)),
        Phase::Saving(findings) => (Twin::Saving, String::new(), findings.as_ref()),
        Phase::Switched(findings) => (Twin::Switched, String::new(), findings.as_ref()),
        Phase::Interrupted => (Twin::Interrupted, INTERRUPTED.to_owned(), None),
        Phase::GivenUp(reason) => (Twin::GivenUp, reason.clone(), None),
    };
    let (findings, progress) = (findings.map(|it| self::findings(it)), it.progress.as_ref().map(progress));
    v1::GetRebuildResponse { generation: it.generation, phase: phase.into(), message, findings, progress }
}

/// What a status says of a rebuild that waits for a decision; nothing of any other.
pub(super) fn waiting(view: &str, phase: &Phase) -> Option<String> {
    let Phase::Differs(findings) = phase else { return None };
    let Findings { different, compared, .. } = **findings;
    Some(format!(
        "a rebuild waits for a decision: {different} of {compared} customers differ; `lifefold rebuild status {view}` \
         shows who, then accept or cancel it"
    ))
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

fn progress(it: &RebuildProgress) -> v1::RebuildProgress {
    v1::RebuildProgress {
        position: it.position.0,
        head: it.log_end.0,
        events_per_second: it.rate.unwrap_or(0),
        max_events_per_second: it.max_rate,
        lag: convert::duration(it.vitals.lag),
        max_lag: convert::duration(it.bounds.lag),
        p99: it.vitals.p99.and_then(convert::duration),
        max_p99: convert::duration(it.bounds.p99),
        held_back: convert::duration(it.vitals.held_back),
        customers_compared: it.compared,
        compared_bp: it.compared_bp,
    }
}

/// What a rebuild would take.
pub(super) fn plan(it: &Plan) -> v1::PlanRebuildResponse {
    v1::PlanRebuildResponse {
        events: it.events,
        sampled_events: it.sampled,
        events_per_second: it.rate,
        estimated_time: convert::duration(it.time),
        memory_bytes: it.memory,
        memory_available_bytes: memory_available().unwrap_or(0),
        disk_bytes: it.disk,
        disk_free_bytes: it.disk_free.unwrap_or(0),
        previous_generation: it.previous.unwrap_or(0),
    }
}

/// A rebuild that is remembered.
pub(super) fn past(it: &Remembered) -> v1::PastRebuild {
    let origin = match it.origin {
        Origin::Fold => v1::RebuildOrigin::Fold,
        Origin::Previous => v1::RebuildOrigin::Previous,
    };
    let outcome = match it.ending.as_ref().map(|ending| &ending.given_up) {
        None => v1::RebuildPhase::Unspecified,
        Some(None) => v1::RebuildPhase::Switched,
        Some(Some(_)) => v1::RebuildPhase::GivenUp,
    };
    let ending = it.ending.as_ref();
    let (compared, different) = ending.and_then(|it| it.compared).unwrap_or_default();
    v1::PastRebuild {
        generation: it.generation,
        replaced_generation: it.replaces,
        origin: origin.into(),
        outcome: outcome.into(),
        message: ending.and_then(|it| it.given_up.clone()).unwrap_or_default(),
        begin_time: Some(timestamp(it.begun)),
        end_time: ending.map(|it| timestamp(it.at)),
        position: ending.map_or(0, |it| it.position),
        accepted: it.options.accept,
        max_events_per_second: it.options.max_rate,
        resumed: it.resumed,
        customers_compared: compared,
        customers_different: different,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_status_tells_only_of_a_rebuild_that_waits_for_a_decision() {
        let findings = Arc::new(Findings { compared: 60, different: 1, ..Findings::default() });
        let told = waiting("churn", &Phase::Differs(findings.clone())).unwrap();
        assert!(told.contains("1 of 60 customers") && told.contains("`lifefold rebuild status churn`"), "{told}");
        assert_eq!(waiting("churn", &Phase::Folding), None);
        assert_eq!(waiting("churn", &Phase::Switched(Some(findings))), None);
    }
}
