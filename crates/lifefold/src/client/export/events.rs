//! `export events`: the log, a row for each event.

use api::names;
use api::v1;
use api::v1::replay_request::Start;
use api::v1::replay_response::Result as Item;
use export::{Basis, Events, Manifest, Selection};

use super::To;
use super::write::{self, Part};
use crate::client::failure::Failure;
use crate::client::format;
use crate::client::replaying::{End, Replaying, RetryPolicy, Which};
use crate::settings::Settings;

/// Events of a part.
const PART_EVENTS: usize = 2_000;

pub(super) async fn export(which: &Which, to: &To, settings: &Settings) -> Result<Manifest, Failure> {
    let (rows, request) = (Events::default(), which.request()?);
    let export = to.begin("events", &rows)?;
    let replay = Replaying::new(to.call.link(settings), request, RetryPolicy::Outages);
    let sums = Sums::default();
    let mut parts = Parts { replay, first: None, position: 0, end: 0, ended: false, sums };
    let export = write::all(rows, export, async || parts.next().await).await?;
    let from = which.from.as_ref().map(|start| match start {
        Start::FromPosition(position) => position.to_string(),
        Start::FromRecordedAt(instant) => format::rfc3339(Some(instant)).unwrap_or_default(),
    });
    let to = which.to.as_ref().map(|end| match end {
        End::Position(position) => position.to_string(),
        End::RecordedAt(instant) => format::rfc3339(Some(instant)).unwrap_or_default(),
    });
    let (types, customers, projects) = (which.types.clone(), which.customers.clone(), which.projects.clone());
    let selection = Selection { from, to, types, customers, projects };
    let basis = Basis {
        position: parts.position,
        as_of: format::rfc3339(which.as_of.as_ref()),
        digest: Some(names::digest(parts.sums.full)),
        content_digest: Some(names::digest(parts.sums.content)),
        selection: Some(selection).filter(|it| *it != Selection::default()),
        ..Basis::default()
    };
    Ok(export.finish(env!("CARGO_PKG_VERSION"), basis)?)
}

/// What proves which events were exported, whatever the form of the file: sums over their BLAKE3, of 128 bits.
#[derive(Default)]
struct Sums {
    /// Of the stored bytes with position and time of recording: equal for the same events of the same log.
    full: u128,
    /// Of the stored bytes alone: equal for the same events in any order.
    content: u128,
}

impl Sums {
    fn add(&mut self, event: &v1::RecordedTouchpoint) {
        let recorded = event.recorded_at.unwrap_or_default();
        let place = [event.position.to_be_bytes(), recorded.seconds.to_be_bytes()].concat();
        let bytes = &event.cloud_event_json;
        let content = blake3::hash(bytes);
        let full = [&place[..], &recorded.nanos.to_be_bytes(), content.as_bytes()].concat();
        self.full = self.full.wrapping_add(half(&blake3::hash(&full)));
        self.content = self.content.wrapping_add(half(&content));
    }
}

/// The first 128 bits.
fn half(hash: &blake3::Hash) -> u128 {
    let (first, _) = hash.as_bytes().split_first_chunk().unwrap_or((&[0; 16], &[]));
    u128::from_be_bytes(*first)
}

/// A replay in parts.
struct Parts {
    replay: Replaying,
    /// Where it began.
    first: Option<u64>,
    /// Everything up to here was given or passed over.
    position: u64,
    /// Where it ends, once that is said.
    end: u64,
    ended: bool,
    sums: Sums,
}

impl Parts {
    async fn next(&mut self) -> Result<Option<Part<v1::RecordedTouchpoint>>, Failure> {
        if self.ended {
            return Ok(None);
        }
        let mut items = Vec::new();
        while items.len() < PART_EVENTS {
            match self.replay.next().await? {
                Some(Item::Event(event)) => {
                    self.position = event.position;
                    self.sums.add(&event);
                    items.push(event);
                }
                Some(Item::Progress(progress)) => {
                    (self.position, self.end) = (progress.position, progress.end);
                    break;
                }
                None => {
                    self.ended = true;
                    break;
                }
            }
        }
        let first = *self.first.get_or_insert(self.position);
        let (done, all) = (self.position.saturating_sub(first), self.end.saturating_sub(first));
        Ok(Some(Part { items, done_bp: (done * 10_000).checked_div(all).unwrap_or(0) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums<'b>(events: impl IntoIterator<Item = (u64, &'b str)>) -> (u128, u128) {
        let mut sums = Sums::default();
        for (position, body) in events {
            let cloud_event_json = body.as_bytes().to_vec();
            sums.add(&v1::RecordedTouchpoint { position, cloud_event_json, ..Default::default() });
        }
        (sums.full, sums.content)
    }

    #[test]
    fn one_digest_is_of_the_log_and_the_other_of_the_events_in_any_order() {
        let (full, content) = sums([(3, "a"), (4, "b")]);
        assert_eq!(sums([(4, "b"), (3, "a")]), (full, content));
        let other = sums([(3, "b"), (4, "a")]);
        assert!(other.0 != full && other.1 == content);
        assert!(sums([(3, "a")]).1 != content && sums([(3, "a"), (4, "c")]).1 != content);
    }
}
