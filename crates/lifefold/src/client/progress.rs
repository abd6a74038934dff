//! How far a long command came: a bar on a terminal, a line every 10 s elsewhere; on stderr.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::output;

/// How often a line is written where stderr is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// How often the bar is drawn anew.
const TICK: Duration = Duration::from_millis(200);

/// How far a long command came.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    started: Instant,
    /// When it was last said.
    last: Instant,
}

impl Progress {
    /// Of so many steps, or of nobody knows how many.
    pub(crate) fn new(total: Option<u64>) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| bar(total));
        let now = Instant::now();
        Self { bar, started: now, last: now }
    }

    /// So many steps are done; the words say what that means.
    pub(crate) fn at(&mut self, steps: u64, words: impl FnOnce() -> String) {
        let pause = if self.bar.is_some() { TICK } else { LINE_EVERY };
        if self.last.elapsed() < pause {
            return;
        }
        self.last = Instant::now();
        match &self.bar {
            Some(bar) => {
                bar.set_position(steps);
                bar.set_message(words());
            }
            None => output::note(&words()),
        }
    }

    /// A line that stays, above the bar.
    pub(crate) fn note(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => output::note(line),
        }
    }

    /// So many things a second since the start.
    pub(crate) fn rate(&self, done: u64) -> u64 {
        let millis = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        done.saturating_mul(1_000) / millis
    }

    /// The time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), "{bar:32.cyan/dim} {percent:>3}%  {msg}  {elapsed_precise}"),
        None => (ProgressBar::new_spinner(), "{spinner}  {msg}  {elapsed_precise}"),
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.progress_chars("━╸─"));
    bar.enable_steady_tick(TICK);
    bar
}
