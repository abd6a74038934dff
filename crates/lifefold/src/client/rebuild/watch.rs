//! Watching a rebuild until it has ended, or waits for somebody to decide.

use std::time::{Duration, Instant};

use api::v1;
use serde_json::json;

use super::super::failure::{Failure, Outcome};
use super::super::link::Link;
use super::super::output::{self, Format};
use super::super::progress::Progress;
use super::super::{json, status};
use super::{ask, outcome, progress, render, show};
use crate::cli::View;
use crate::tasks;

/// How often the projector is asked how far it is.
const POLL: Duration = Duration::from_millis(250);
/// How long a projector may not answer, as while it starts: it goes on with the rebuild.
const SILENT_FOR: Duration = Duration::from_secs(120);
/// Pause before it is asked again.
const AGAIN: Duration = Duration::from_secs(1);
/// How often a program is told.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// The rebuild that is watched.
pub(super) struct Watched {
    pub(super) view: View,
    /// The generation that it makes; nothing: that of the last rebuild, whichever that is.
    pub(super) generation: Option<u64>,
    /// What served when it began, if that is known.
    pub(super) before: Option<v1::GetStatusResponse>,
    /// Differences are accepted.
    pub(super) accepted: bool,
}

/// Watches until the rebuild has ended, or waits for somebody to decide; also while its projector starts again. Who ends
/// the command is told that this does not end the rebuild.
pub(super) async fn to_the_end(link: &Link, format: Format, watched: Watched) -> Result<Outcome, Failure> {
    let stop = tasks::stop_on_signal().map_err(|error| Failure::Other(error.to_string()))?;
    let view = watched.view.name();
    if let Some(ended) = stop.run_until_cancelled(follow(link, format, watched)).await {
        return ended;
    }
    output::note(&format!(
        "not watched any more; the rebuild goes on: `lifefold rebuild status {view} --follow` watches it, `lifefold \
         rebuild cancel {view}` gives it up"
    ));
    Ok(Outcome::Failed)
}

async fn follow(link: &Link, format: Format, watched: Watched) -> Result<Outcome, Failure> {
    let Watched { view, mut generation, before, accepted } = watched;
    let mut teller = Teller::new(view, format);
    let rebuild = loop {
        let rebuild = teller.patiently(async || ask(link, view).await).await?;
        let generation = *generation.get_or_insert(rebuild.generation);
        if rebuild.generation != generation {
            return Err(lost(view, generation));
        }
        if is_over(&rebuild, accepted) {
            break rebuild;
        }
        teller.tell(&rebuild)?;
        tokio::time::sleep(POLL).await;
    };
    let after = teller.patiently(async || status::ask(link, view).await).await?;
    teller.bar.finish();
    show(format, &render::Shown { view, before: before.as_ref(), after: Some(&after), rebuild: &rebuild })?;
    Ok(outcome(&rebuild, accepted))
}

/// It has ended, or waits for somebody to decide. Who has accepted the differences need not hear of them: it goes on in
/// a moment.
fn is_over(rebuild: &v1::GetRebuildResponse, accepted: bool) -> bool {
    use v1::RebuildPhase as Phase;
    match rebuild.phase() {
        Phase::Unspecified | Phase::Switched | Phase::GivenUp => true,
        Phase::Differs => !accepted,
        Phase::Folding | Phase::Verifying | Phase::Saving | Phase::Interrupted => false,
    }
}

fn lost(view: View, generation: u64) -> Failure {
    let view = view.name();
    Failure::Other(format!(
        "the rebuild of {view} into generation {generation} is no longer the last one: `lifefold rebuild history {view}` \
         says what became of it"
    ))
}

/// Tells how far it is: people on stderr, programs a line each second and for each new phase.
struct Teller {
    view: View,
    format: Format,
    bar: Progress,
    told: Option<(Instant, i32)>,
}

impl Teller {
    fn new(view: View, format: Format) -> Self {
        Self { view, format, bar: Progress::new(None), told: None }
    }

    /// Asks until there is an answer, or a failure that does not pass.
    async fn patiently<T>(&self, ask: impl AsyncFn() -> Result<T, Failure>) -> Result<T, Failure> {
        let (since, mut told) = (Instant::now(), false);
        loop {
            match ask().await {
                Err(failure) if failure.may_pass() && since.elapsed() < SILENT_FOR => {
                    if !std::mem::replace(&mut told, true) {
                        self.bar.note(&format!("{failure}; asking again: the rebuild goes on with the projector"));
                    }
                    tokio::time::sleep(AGAIN).await;
                }
                answered => return answered,
            }
        }
    }

    fn tell(&mut self, rebuild: &v1::GetRebuildResponse) -> Result<(), Failure> {
        let position = rebuild.progress.as_ref().map_or(0, |it| it.position);
        self.bar.at(position, || progress::words(rebuild));
        let is_due = self.told.is_none_or(|(at, phase)| at.elapsed() >= TELL_EVERY || phase != rebuild.phase);
        if self.format == Format::Ndjson && is_due {
            self.told = Some((Instant::now(), rebuild.phase));
            let mut told = json!({"view": self.view.name(), "rebuild": json::value(rebuild)?});
            progress::add_seconds_left(&mut told, rebuild);
            output::print(&format!("{told}\n"))?;
        }
        Ok(())
    }
}
