//! `churn watch`, `segment watch`: the list in short, then a line for each change, until Ctrl-C.

mod line;

use std::collections::BTreeMap;
use std::time::Duration;

use api::v1;
use serde_json::{Value, json};
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt;

pub(crate) use line::{SILENCED, cause, shift};

use super::asking::ViewClient;
use super::failure::Failure;
use super::json::{self, Named};
use super::output::{self, Format, Screen};
use super::{format, query};
use crate::tasks;

/// Pause before a view that does not answer is asked again.
const AGAIN: Duration = Duration::from_secs(2);

/// Columns before a reason: those of the time and of what follows it.
const INDENT: usize = 21;

/// Where a watch begins.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct From {
    /// Go on after this cursor, without a list; the last one is printed at the end
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
}

/// A view that can be watched.
pub(crate) trait Watched {
    /// An answer of the stream.
    type Response;
    /// A change.
    type Change: Named;

    /// Asks for the stream.
    async fn open(&self, ask: &ViewClient, cursor: String) -> Result<Streaming<Self::Response>, Failure>;

    /// What an answer has.
    fn parts(response: Self::Response) -> (Vec<Self::Change>, Option<v1::WatchMark>);

    /// What a change does, and why.
    fn step(change: &Self::Change) -> Option<&v1::WatchStep>;

    /// By what the list is summed up, the band or the stage: its number, by which it is sorted, and its name.
    fn heading(change: &Self::Change) -> (i32, &'static str);

    /// The customer, and what is other, in words.
    fn words(&self, screen: Screen, change: &Self::Change) -> (String, String);

    /// What stands below, a line each: why, where that is asked for.
    fn reasons(_change: &Self::Change) -> Vec<String> {
        Vec::new()
    }
}

/// Watches until Ctrl-C.
pub(crate) async fn run<W: Watched>(watched: W, ask: &ViewClient, from: From) -> Result<(), Failure> {
    if ask.query.as_ref().is_some_and(|query| *query != v1::ViewQuery::default()) {
        let message = "a watch is of the present: leave out --as-of, --known-at, --rules-version and positions";
        return Err(Failure::Usage(message.to_owned()));
    }
    if ask.output.output == Format::Json {
        return Err(Failure::Usage("a watch has no end: -o ndjson prints one JSON value a line".to_owned()));
    }
    let stop = tasks::stop_on_signal().map_err(|error| Failure::Other(error.to_string()))?;
    let mut session = Session { watched, ask, cursor: from.cursor.unwrap_or_default(), known: false, listed: None };
    let ended = stop.run_until_cancelled(session.follow()).await;
    if session.known && !session.cursor.is_empty() {
        output::note(&format!("to go on, while the view's process runs: --cursor {}", session.cursor));
    }
    ended.unwrap_or(Ok(()))
}

/// A watch over several streams.
struct Session<'a, W> {
    watched: W,
    ask: &'a ViewClient,
    /// Where to go on; empty: with the list.
    cursor: String,
    /// The view has answered before.
    known: bool,
    /// How many are listed so far, by heading, until the list is complete.
    listed: Option<Listed>,
}

/// How many are on the list, by heading.
type Listed = BTreeMap<(i32, &'static str), u64>;

impl<W: Watched> Session<'_, W> {
    /// One stream after the other. Returns only what trying again does not heal.
    async fn follow(&mut self) -> Result<(), Failure> {
        loop {
            let was = self.cursor.clone();
            let failure = match self.pass().await {
                Ok(()) => Failure::Other("the view ended the stream".to_owned()),
                Err(failure) => failure,
            };
            match &failure {
                Failure::Refused(status) if status.code() == Code::OutOfRange => self.list_again(status)?,
                Failure::Refused(status) if is_slow_reader(status) && self.cursor != was => {}
                failure if self.known && is_passing(failure) => {
                    output::note(&format!("{failure}; trying again in {} s", AGAIN.as_secs()));
                    tokio::time::sleep(AGAIN).await;
                }
                _ => return Err(failure),
            }
        }
    }

    /// One stream, to its end or its failure.
    async fn pass(&mut self) -> Result<(), Failure> {
        self.listed = self.cursor.is_empty().then(BTreeMap::new);
        let mut stream = self.watched.open(self.ask, self.cursor.clone()).await?;
        self.known = true;
        while let Some(response) = stream.message().await? {
            let (changes, mark) = W::parts(response);
            for change in &changes {
                self.tell(change)?;
            }
            if let Some(mark) = mark {
                self.mark(mark)?;
            }
        }
        Ok(())
    }

    fn tell(&mut self, change: &W::Change) -> Result<(), Failure> {
        let step = W::step(change).cloned().unwrap_or_default();
        if !step.cursor.is_empty() {
            self.cursor.clone_from(&step.cursor);
        }
        if self.ask.output.output == Format::Ndjson {
            return output::print(&format!("{}\n", json!({"change": json::value(change)?})));
        }
        match &mut self.listed {
            // Summed up; a change that comes in between is told, too.
            Some(listed) if step.effect() == v1::WatchEffect::Listed => {
                *listed.entry(W::heading(change)).or_default() += 1;
                Ok(())
            }
            _ => output::print(&self.line(Screen::of_stdout(), change, &step)),
        }
    }

    fn line(&self, screen: Screen, change: &W::Change, step: &v1::WatchStep) -> String {
        let (customer, words) = self.watched.words(screen, change);
        let (time, effect) = (line::time(step), line::effect(screen, step.effect()));
        let mut text = format!("{time}  {customer}  {effect}  {words}  {}\n", cause(step));
        W::reasons(change).iter().for_each(|reason| text += &format!("{:INDENT$}{reason}\n", ""));
        text
    }

    fn mark(&mut self, mark: v1::WatchMark) -> Result<(), Failure> {
        self.cursor.clone_from(&mark.cursor);
        if self.ask.output.output == Format::Ndjson {
            return output::print(&format!("{}\n", json!({"mark": json::value(&mark)?})));
        }
        let Some(listed) = self.listed.take().filter(|_| mark.list_complete) else { return Ok(()) };
        output::print(&summary(&listed, mark))
    }

    /// From here on with the list.
    fn list_again(&mut self, status: &Status) -> Result<(), Failure> {
        self.cursor.clear();
        self.known = true;
        output::note(&format!("{}; listing again, changes in between are not shown", status.message()));
        match self.ask.output.output {
            Format::Ndjson => output::print(&format!("{}\n", json!({"list_again": {"reason": reason(status)}}))),
            Format::Table | Format::Json => Ok(()),
        }
    }
}

/// How many are on the list.
fn summary(listed: &Listed, mark: v1::WatchMark) -> String {
    let all = format::count(listed.values().sum());
    let parts: Vec<_> = listed.iter().map(|((_, name), count)| format!("{} {name}", format::count(*count))).collect();
    let parts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    let v1::WatchMark { as_of, position, rules_version, .. } = mark;
    let meta = v1::AnswerMeta { as_of, position, rules_version, ..Default::default() };
    format!("{all} customers on the list{parts}\n{}\n", query::basis(Some(&meta)))
}

fn reason(status: &Status) -> Value {
    status.get_error_details().error_info().map_or(Value::Null, |info| info.reason.clone().into())
}

fn is_slow_reader(status: &Status) -> bool {
    status.code() == Code::ResourceExhausted && reason(status) == "SLOW_READER"
}

/// What ends a stream when a process goes down or starts again.
fn is_passing(failure: &Failure) -> bool {
    match failure {
        Failure::Refused(status) => matches!(status.code(), Code::Unavailable | Code::Unknown | Code::Cancelled),
        Failure::Unreachable { .. } | Failure::Other(_) => true,
        Failure::Event(_) | Failure::File(..) | Failure::Closed | Failure::Usage(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_summed_up_in_a_line() {
        let listed = Listed::from([((4, "CRITICAL"), 1), ((3, "HIGH"), 1_010)]);
        let mark = v1::WatchMark { position: 77_231, rules_version: "abc".to_owned(), ..Default::default() };
        let expect = "1,011 customers on the list: 1,010 HIGH, 1 CRITICAL\n\nas of –\nposition 77,231 · rules abc\n\n";
        assert_eq!(summary(&listed, mark.clone()), expect);
        assert!(summary(&Listed::new(), mark).starts_with("0 customers on the list\n"));
    }
}
