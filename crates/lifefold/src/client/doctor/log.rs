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
    let (mut findings, log) = open(options).await;
    let last = match &log {
        Some(log) => log.last().await.map(|last| Some(last.0)),
        None => Ok(None),
    };
    if let Some(log) = &log {
        findings.push(match &last {
            Ok(last) => which(log.identity(), last.unwrap_or_default()),
            Err(error) => silent("identity", error),
        });
    }
    findings.extend(projectors.iter().map(|told| within(told, last.as_ref().ok().copied().flatten())));
    (findings, log.map(|log| log.identity()))
}

/// The server, its stream and its clock; and the log, if it can be opened.
async fn open(options: &Options) -> (Vec<Finding>, Option<Log>) {
    let server = match Server::reach(options).await {
        Ok(server) => server,
        Err(error) => {
            let unreached = Finding::failed("nats", error.to_string());
            return (vec![unreached, Finding::note("log", "not looked at: no NATS server")], None);
        }
    };
    let reached = Finding::ok("nats", format!("{} at {}", server.version(), event_log::mask(&options.url)));
    match server.log().await {
        Ok(log) => {
            let stream = Finding::ok("stream", format!("{}, with the options that the log needs", options.stream));
            (vec![reached, stream, skew(&server).await], Some(log))
        }
        Err(error) => (vec![reached, Finding::failed("stream", error.to_string())], None),
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

/// Which log it is.
fn which(identity: Identity, last: u64) -> Finding {
    let says = format!("epoch {}, created {}, last position {}", identity.epoch, identity.created, format::count(last));
    Finding::ok("identity", says)
}

/// What a projector says of itself, and whether its position is within the log, whose end was read after it and may not
/// be known.
fn within(told: &Told, last: Option<u64>) -> Finding {
    use v1::ProjectorState::{Broken, Gap, Recreated, RolledBack};
    let (view, check) = (told.name, format!("{} projector", told.name));
    let Some(status) = &told.status else { return Finding::note(check, "does not answer: not compared with the log") };
    let (state, position) = (words::state(status.state), status.serving.as_ref().map_or(0, |it| it.position));
    let of = last.map_or_else(String::new, |last| format!(" of {}", format::count(last)));
    let says = format!("{state} at position {}{of}", format::count(position));
    let message = status.message.strip_prefix(&format!("{state}: ")).unwrap_or(&status.message);
    match last {
        _ if matches!(status.state(), Broken | Gap | Recreated | RolledBack) => {
            Finding::failed(check, format!("{says}: {message}: `lifefold rebuild {view}`"))
        }
        Some(last) if position > last => {
            let todo = format!("the log ends before it: is it the same log? if it is, `lifefold rebuild {view}`");
            Finding::failed(check, format!("{says}; {todo}"))
        }
        _ if message.is_empty() => Finding::ok(check, says),
        // Paused, starting, going down, or a rebuild waits for a decision.
        _ => Finding::note(check, format!("{says}: {message}")),
    }
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
        assert_eq!(within(&told(9, v1::ProjectorState::Serving), Some(9)).verdict, Verdict::Ok);
        let beyond = within(&told(10, v1::ProjectorState::Serving), Some(9));
        assert!(beyond.verdict == Verdict::Failed && beyond.says.contains("lifefold rebuild churn"), "{beyond:?}");
        assert_eq!(within(&told(9, v1::ProjectorState::Gap), Some(9)).verdict, Verdict::Failed);
        let mut broken = told(9, v1::ProjectorState::Recreated);
        broken.status.as_mut().unwrap().message = "RECREATED: the stream is gone; then rebuild".to_owned();
        let says = "RECREATED at position 9: the stream is gone; then rebuild: `lifefold rebuild churn`";
        assert_eq!(within(&broken, None), Finding::failed("churn projector", says));
        let mut paused = told(9, v1::ProjectorState::Paused);
        paused.status.as_mut().unwrap().message = "paused by wang".to_owned();
        assert_eq!(
            within(&paused, Some(9)),
            Finding::note("churn projector", "PAUSED at position 9 of 9: paused by wang")
        );
        assert_eq!(within(&Told { name: "churn", status: None }, Some(9)).verdict, Verdict::Note);
    }
}
