//! The log: server, stream, identity, clock; and whether the projectors are within it.

use api::v1;
use event_log::{Identity, Log, Options, ReadError, Server};
use touchpoint::Timestamp;

use super::Finding;
use super::services::Told;
use crate::client::{format, words};
use crate::clock;

/// A clock that is further off than this misplaces events in time; an hour of drift without NTP is less.
const MAX_SKEW_MICROS: i64 = 2_000_000;
const MICROS_PER_MILLI: i64 = 1_000;

/// Looks at the log, and at what the projectors say of it. Also says which log it is, if there is one.
pub(super) async fn look(options: &Options, projectors: &[Told]) -> (Vec<Finding>, Option<Identity>) {
    let server = match Server::reach(options).await {
        Ok(server) => server,
        Err(error) => {
            let unreached = Finding::failed("nats", error.to_string());
            return (vec![unreached, Finding::note("log", "not looked at: no NATS server")], None);
        }
    };
    let mut findings = vec![Finding::ok("nats", format!("{} at {}", server.version(), event_log::mask(&options.url)))];
    match server.log().await {
        Ok(log) => {
            findings.push(Finding::ok("stream", format!("{}, with the options that the log needs", options.stream)));
            findings.push(skew(&server).await);
            findings.extend(identity(&log, projectors).await);
            (findings, Some(log.identity()))
        }
        Err(error) => {
            findings.push(Finding::failed("stream", error.to_string()));
            (findings, None)
        }
    }
}

/// The server is there, and its log does not answer.
fn silent(check: &str, error: &ReadError) -> Finding {
    Finding::failed(check, format!("{error}; see the log and the disk of nats-server, then `lifefold doctor` again"))
}

/// Compares this machine's clock with the server's; the answer was given between asking and hearing.
async fn skew(server: &Server) -> Finding {
    let asked = clock::now();
    match server.time().await {
        Ok(there) => judged(asked, there, clock::now()),
        Err(error) => silent("clock", &error),
    }
}

fn judged(asked: Timestamp, there: Timestamp, heard: Timestamp) -> Finding {
    // How far outside of [asked, heard] the server's clock is; nothing within it can be told.
    let off = if there > heard { there.since(heard) } else { there.since(asked).min(0) };
    let millis = off / MICROS_PER_MILLI;
    if off.abs() <= MAX_SKEW_MICROS {
        return Finding::ok("clock", format!("within {} ms of the server's", millis.abs().max(1)));
    }
    let how = if off > 0 { "ahead of" } else { "behind" };
    let says = format!("the server's clock is {} ms {how} this machine's: let NTP set both", millis.abs());
    Finding::failed("clock", says)
}

/// Which log it is, and whether each projector is within it.
async fn identity(log: &Log, projectors: &[Told]) -> Vec<Finding> {
    let last = match log.last().await {
        Ok(last) => last.0,
        Err(error) => return vec![silent("identity", &error)],
    };
    let identity = log.identity();
    let says = format!("epoch {}, created {}, last position {}", identity.epoch, identity.created, format::count(last));
    let own = Finding::ok("identity", says);
    std::iter::once(own).chain(projectors.iter().map(|told| within(told, last))).collect()
}

/// A projector's position within the log, which was read after it.
fn within(told: &Told, last: u64) -> Finding {
    use v1::ProjectorState::{Broken, Gap, Recreated, RolledBack};
    let check = format!("{} projector", told.name);
    let Some(status) = &told.status else { return Finding::note(check, "does not answer: not compared with the log") };
    let position = status.serving.as_ref().map_or(0, |it| it.position);
    let says =
        format!("{} at position {} of {}", words::state(status.state), format::count(position), format::count(last));
    if matches!(status.state(), Broken | Gap | Recreated | RolledBack) {
        return Finding::failed(check, format!("{says}: {}", status.message));
    }
    if position > last {
        let todo = format!("the log ends before it: is it the same log? if it is, `lifefold rebuild {}`", told.name);
        return Finding::failed(check, format!("{says}; {todo}"));
    }
    Finding::ok(check, says)
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn only_what_is_outside_of_asking_and_hearing_is_skew() {
        let at = |millis: i64| Timestamp::from_micros(1_000_000_000 + millis * MICROS_PER_MILLI);
        let verdict = |there: i64| judged(at(0), at(there), at(500)).verdict;
        for good in [-2_000, 0, 250, 2_500] {
            assert_eq!(verdict(good), Verdict::Ok, "{good}");
        }
        assert!(judged(at(0), at(5_000), at(500)).says.contains("4500 ms ahead of"));
        assert!(judged(at(0), at(-5_000), at(500)).says.contains("5000 ms behind"));
        assert_eq!((verdict(5_000), verdict(-5_000)), (Verdict::Failed, Verdict::Failed));
    }

    #[test]
    fn a_projector_beyond_the_end_of_the_log_is_told() {
        let told = |position, state: v1::ProjectorState| {
            let serving = Some(v1::Generation { position, ..Default::default() });
            let status = v1::GetStatusResponse { serving, state: state.into(), ..Default::default() };
            Told { name: "churn", status: Some(status) }
        };
        assert_eq!(within(&told(9, v1::ProjectorState::Serving), 9).verdict, Verdict::Ok);
        let beyond = within(&told(10, v1::ProjectorState::Serving), 9);
        assert!(beyond.verdict == Verdict::Failed && beyond.says.contains("lifefold rebuild churn"), "{beyond:?}");
        assert_eq!(within(&told(9, v1::ProjectorState::Gap), 9).verdict, Verdict::Failed);
        assert_eq!(within(&Told { name: "churn", status: None }, 9).verdict, Verdict::Note);
    }
}
