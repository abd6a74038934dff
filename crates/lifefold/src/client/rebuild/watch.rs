//! Watching a rebuild until it has ended, or waits for somebody to decide.

use std::time::{Duration, Instant};

use api::v1;
use serde_json::json;

use super::super::failure::{Failure, Outcome};
use super::super::link::Link;
use super::super::output::{self, Format};
use super::super::progress::Progress;
use super::super::{json, status};
use super::{ask, outcome, render, show};
use crate::cli::View;

/// How often the projector is asked how far it is.
const POLL: Duration = Duration::from_millis(250);
/// How often a program is told.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Watches until the rebuild has ended, or waits for somebody to decide.
pub(super) async fn to_the_end(
    link: &Link,
    view: View,
    format: Format,
    before: Option<v1::GetStatusResponse>,
    accepted: bool,
) -> Result<Outcome, Failure> {
    let mut teller = Teller::new(view, format);
    let rebuild = loop {
        let rebuild = ask(link, view).await?;
        // Who has accepted the differences need not hear of them: it goes on in a moment.
        if rebuild.progress.is_none() || (rebuild.phase() == v1::RebuildPhase::Differs && !accepted) {
            break rebuild;
        }
        teller.tell(&rebuild)?;
        tokio::time::sleep(POLL).await;
    };
    teller.bar.finish();
    let after = status::ask(link, view).await?;
    show(format, &render::Shown { view, before: before.as_ref(), after: Some(&after), rebuild: &rebuild })?;
    Ok(outcome(&rebuild, accepted))
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

    fn tell(&mut self, rebuild: &v1::GetRebuildResponse) -> Result<(), Failure> {
        let position = rebuild.progress.as_ref().map_or(0, |it| it.position);
        self.bar.at(position, || render::progress(rebuild));
        let is_due = self.told.is_none_or(|(at, phase)| at.elapsed() >= TELL_EVERY || phase != rebuild.phase);
        if self.format == Format::Ndjson && is_due {
            self.told = Some((Instant::now(), rebuild.phase));
            output::print(&format!("{}\n", json!({"view": self.view.name(), "rebuild": json::value(rebuild)?})))?;
        }
        Ok(())
    }
}
