//! Watching a view: the list, part by part, then every change, as fast as the caller reads.
//!
//! Nothing wakes a watcher: it looks again and again, so that folding does no more for many watchers than for one.

mod untold;

use std::sync::Arc;
use std::time::Duration;

use api::errors::Error;
use api::page::{self, Seal};
use api::watch::Filter;
use api::{names, v1};
use futures::stream::BoxStream;
use projector::{Cause, Cursor, Edition, Move, Moves, Projector, RingId, Watch, WatchError};
use tokio::time::{Instant, sleep};
use tonic::Status;
use touchpoint::{CustomerId, Position, Timestamp};
use views::View;

use crate::limits::Places;
use crate::metrics::Watching;
use crate::outlet::{self, Outlet};
use crate::view_reader::not_serving;
use untold::Untold;

/// Watchers of a view at once.
const MAX_WATCHERS: usize = 64;
/// Messages that wait for a caller: of 256 changes of some 300 bytes each, 2.4 MiB.
const BUFFER_MESSAGES: usize = 32;
/// Most changes of one message.
const CHANGES_AT_ONCE: usize = 256;
/// How often a watcher looks for changes.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How often it is said how far a watch came: so that the cursor of who hears little stays young.
const MARK_EVERY: Duration = Duration::from_secs(2);

/// The answers of a watch.
pub(crate) type Answers<R> = BoxStream<'static, Result<R, Status>>;

/// The watchers of a view.
pub(crate) struct Watchers<V: View> {
    projector: Projector<V>,
    places: Places,
}

impl<V: View> Watchers<V> {
    pub(crate) fn new(projector: Projector<V>) -> Self {
        Self { projector, places: Places::new("watchers of this view", MAX_WATCHERS) }
    }

    /// The rules by which filters are read.
    pub(crate) fn rules(&self) -> Result<Arc<Edition>, Error> {
        Ok(self.projector.serving().map_err(not_serving)?.rules_at(None, Position::MAX))
    }

    /// Starts a watch: with the list, or after a cursor.
    pub(crate) fn start<F: Filter<View = V>>(
        &self,
        filter: F,
        seal: Seal,
        cursor: &str,
    ) -> Result<Answers<F::Response>, Error> {
        let place = self.places.take()?;
        let resumes = !cursor.is_empty();
        let watch = match resumes {
            true => self.projector.watch_after(read(&seal, cursor)?).map_err(ended)?,
            false => self.projector.watch().map_err(not_serving)?,
        };
        let rules_version = watch.rules_version();
        let watching = Watching::begins(V::NAME);
        let pump = |outlet| Pump {
            watch,
            filter,
            seal,
            rules_version,
            is_listed: resumes,
            untold: Untold::default(),
            outlet,
            _watching: watching,
        };
        let run = |outlet| pump(outlet).run();
        Ok(outlet::start(BUFFER_MESSAGES, place, outlet::until_draining(&self.projector), run))
    }
}

/// Where customers stand.
type Placement<F> = <<F as Filter>::View as View>::Placement;
/// Where a customer stood and stands, as far as it is told.
type Sides<'m, F> = [Option<&'m Placement<F>>; 2];

/// Fills the buffer of one watcher.
struct Pump<F: Filter> {
    watch: Watch<F::View>,
    filter: F,
    seal: Seal,
    rules_version: String,
    /// The list was given: from here on there are cursors.
    is_listed: bool,
    untold: Untold,
    outlet: Outlet<F::Response>,
    _watching: Watching,
}

impl<F: Filter> Pump<F> {
    async fn run(mut self) -> Result<(), Error> {
        if !self.is_listed {
            self.list().await?;
            self.mark(true).await?;
        }
        loop {
            let until = Instant::now() + MARK_EVERY;
            while Instant::now() < until {
                self.tell().await?;
                sleep(LOOK_EVERY).await;
            }
            self.mark(false).await?;
        }
    }

    async fn list(&mut self) -> Result<(), Error> {
        let mut listed = Vec::new();
        for part in 0..Watch::<F::View>::PARTS {
            listed.extend(self.watch.listed(part, |customer, placement| self.listed(customer, placement)));
            if listed.len() >= CHANGES_AT_ONCE {
                // What was read before a change must be given before it.
                self.give_all(std::mem::take(&mut listed)).await?;
                self.tell().await?;
            }
            tokio::task::yield_now().await;
        }
        self.give_all(listed).await
    }

    fn listed(&self, customer: CustomerId, placement: &Placement<F>) -> Option<F::Change> {
        let step = v1::WatchStep { effect: v1::WatchEffect::Listed.into(), ..Default::default() };
        self.filter.wants(placement).then(|| F::change(customer, [None, Some(placement)], step, None))
    }

    /// Tells all changes that there are, and how far that is.
    async fn mark(&mut self, list_complete: bool) -> Result<(), Error> {
        let (position, as_of) = self.watch.reached();
        self.tell().await?;
        self.is_listed = true;
        let mark = v1::WatchMark {
            cursor: token(&self.seal, self.watch.cursor()),
            position: position.0,
            as_of: Some(names::timestamp(as_of)),
            list_complete,
            rules_version: self.rules_version.clone(),
        };
        self.give(Vec::new(), Some(mark)).await
    }

    /// Tells all changes that there are.
    async fn tell(&mut self) -> Result<(), Error> {
        while let Some(moves) = self.watch.after().map_err(ended)? {
            let changes = self.changes(&moves);
            if !changes.is_empty() {
                self.give_all(changes).await?;
            }
            self.watch.tell(moves.end());
        }
        Ok(())
    }

    fn changes(&mut self, moves: &Moves<Placement<F>>) -> Vec<F::Change> {
        let from = self.watch.cursor();
        let mut changes = Vec::new();
        for (number, it) in moves.from(from.told) {
            let Some((effect, sides)) = self.seen(it) else { continue };
            let cursor = Cursor { told: number + 1, ..from };
            let cursor = if self.is_listed { token(&self.seal, cursor) } else { String::new() };
            let as_of = Some(names::timestamp(moves.as_of));
            let step = v1::WatchStep { effect: effect.into(), cause: Some(said(it.cause)), as_of, cursor };
            // Only of who is told with a place: the answer is of that place.
            let answered = self.filter.wants_answers() && sides[1].is_some();
            let answer = answered.then(|| self.watch.answer(moves, it)).flatten();
            changes.push(F::change(it.customer, sides, step, answer.as_ref()));
        }
        changes
    }

    /// What is told of a move: what it does, from where, to where. Who is erased or withdrew consent since is told to
    /// be gone, by id alone, and nothing of the way there.
    fn seen<'m>(&mut self, it: &'m Move<Placement<F>>) -> Option<(v1::WatchEffect, Sides<'m, F>)> {
        let sides = [it.before.as_ref(), it.after.as_ref()];
        let effect = self.filter.effect(sides[0], sides[1])?;
        let silenced = self.watch.is_silenced(it.customer, F::is_withheld);
        let effect = match self.is_listed {
            true => self.untold.told(it.customer, effect, silenced)?,
            // Who enters may have been listed before: they are to be told to be gone.
            false if silenced && effect != v1::WatchEffect::Left => return None,
            false => effect,
        };
        Some((effect, if silenced { [None, None] } else { sides }))
    }

    async fn give_all(&self, changes: Vec<F::Change>) -> Result<(), Error> {
        let mut changes = changes.into_iter();
        while changes.len() > 0 {
            self.give(changes.by_ref().take(CHANGES_AT_ONCE).collect(), None).await?;
        }
        Ok(())
    }

    async fn give(&self, changes: Vec<F::Change>, mark: Option<v1::WatchMark>) -> Result<(), Error> {
        let resume_at = || self.is_listed.then(|| token(&self.seal, self.watch.cursor()));
        self.outlet.give(F::response(changes, mark), || Error::SlowWatcher { resume_at: resume_at() }).await
    }
}

/// Why a customer moved, as it is told.
fn said(cause: Cause) -> v1::watch_step::Cause {
    match cause {
        Cause::Event(position) => v1::watch_step::Cause::Position(position.0),
        Cause::Time(due) => v1::watch_step::Cause::Due(names::timestamp(due)),
        Cause::ReadAgain => v1::watch_step::Cause::ReadAgain(true),
    }
}

/// Why a watch ended, or did not begin.
fn ended(error: WatchError) -> Error {
    let message = error.to_string();
    match error {
        WatchError::NotServing(error) => not_serving(error),
        WatchError::Outrun => Error::ListAgain { reason: "CURSOR_OUTRUN", message },
        WatchError::Anew => Error::ListAgain { reason: "CURSOR_ENDED", message },
    }
}

/// Bytes of a cursor.
const CURSOR_BYTES: usize = 3 * size_of::<u64>();

fn token(seal: &Seal, cursor: Cursor) -> String {
    let Cursor { ring_id: RingId { run, number }, told } = cursor;
    seal.token(&[run.micros().to_be_bytes(), number.to_be_bytes(), told.to_be_bytes()].concat())
}

fn read(seal: &Seal, text: &str) -> Result<Cursor, Error> {
    let Some(bytes) = seal.open(text) else {
        return Err(match page::may_be_token(text, CURSOR_BYTES) {
            true => {
                let message = "the cursor is of a watch with another filter".to_owned();
                Error::ListAgain { reason: "CURSOR_OF_OTHER_FILTER", message }
            }
            false => Error::field("cursor", "expected the cursor of a change or a mark, or nothing"),
        });
    };
    let read = || {
        let (run, rest) = bytes.split_first_chunk()?;
        let (number, told) = rest.split_first_chunk()?;
        let ring_id =
            RingId { run: Timestamp::from_micros(i64::from_be_bytes(*run)), number: u64::from_be_bytes(*number) };
        Some(Cursor { ring_id, told: u64::from_be_bytes(told.try_into().ok()?) })
    };
    read().ok_or_else(|| Error::field("cursor", "is damaged"))
}
