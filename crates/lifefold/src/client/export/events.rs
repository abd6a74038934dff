//! `export events`: the log, a row for each event.

use api::v1;
use api::v1::replay_request::Start;
use api::v1::replay_response::Result as Item;
use export::{Basis, Events, Manifest, Selection};

use super::To;
use super::write::{self, Part};
use crate::client::failure::Failure;
use crate::client::format;
use crate::client::replaying::{Patience, Replaying, Which};
use crate::settings::Settings;

/// Events of a part.
const PART_EVENTS: usize = 2_000;

pub(super) async fn export(which: &Which, to: &To, settings: &Settings) -> Result<Manifest, Failure> {
    let rows = Events::default();
    let export = to.begin("events", &rows)?;
    let replay = Replaying::new(to.call.link(settings), which.request(), Patience::WithOthers);
    let mut parts = Parts { replay, first: None, position: 0, end: 0, ended: false };
    let export = write::all(rows, export, async || parts.next().await).await?;
    let from = which.from.as_ref().map(|start| match start {
        Start::FromPosition(position) => position.to_string(),
        Start::FromRecordedAt(instant) => format::rfc3339(Some(instant)).unwrap_or_default(),
    });
    let (types, customers, projects) = (which.types.clone(), which.customers.clone(), which.projects.clone());
    let selection = Selection { from, types, customers, projects };
    let selection = Some(selection).filter(|it| *it != Selection::default());
    Ok(export.finish(env!("CARGO_PKG_VERSION"), Basis { position: parts.position, selection, ..Basis::default() })?)
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
