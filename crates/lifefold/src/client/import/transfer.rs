//! The transfer itself: lines go out, outcomes come back, and a broken connection is taken up again.

use std::collections::VecDeque;
use std::time::Duration;

use api::v1;
use api::v1::import_outcome::Result as Fate;
use api::v1::import_request::Item;
use api::v1::import_response::Result as Answer;
use tokio::sync::mpsc::{self, Sender};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Status, Streaming};

use super::lines::{Line, Lines};
use super::refusals::{self, Refusals};
use crate::client::failure::Failure;
use crate::client::format;
use crate::client::link::Link;
use crate::client::progress::Progress;

/// Most lines without an outcome: some of the gateway's groups of 1,000, so that one is always ready.
const WINDOW: usize = 4_096;
/// How often a broken connection is taken up again without an outcome in between: half a minute in all.
const MAX_ATTEMPTS: u32 = 10;
/// The first pause before that; every further one is longer by it.
const PAUSE: Duration = Duration::from_millis(500);

/// An import under way.
pub(super) struct Transfer {
    link: Link,
    lines: Lines,
    ended: bool,
    refusals: Refusals,
    /// Lines without an outcome, the oldest first: sent again when the connection broke, which is harmless.
    pending: VecDeque<v1::ImportRequest>,
    summary: v1::ImportSummary,
    progress: Progress,
    attempts: u32,
}

/// Why one connection's part of the import ended before all was done.
enum Break {
    /// The connection: another one may help.
    Lost(Failure),
    /// Anything else.
    Fatal(Failure),
}

impl From<Failure> for Break {
    fn from(failure: Failure) -> Self {
        if failure.may_pass() { Self::Lost(failure) } else { Self::Fatal(failure) }
    }
}

impl From<Status> for Break {
    fn from(status: Status) -> Self {
        Failure::from(status).into()
    }
}

impl Transfer {
    pub(super) fn new(link: Link, lines: Lines, refusals: Refusals) -> Self {
        let progress = Progress::new(lines.size());
        let summary = v1::ImportSummary::default();
        Self { link, lines, ended: false, refusals, pending: VecDeque::new(), summary, progress, attempts: 0 }
    }

    /// To the end of the input and its last outcome.
    pub(super) async fn run(mut self) -> Result<(v1::ImportSummary, Duration), Failure> {
        let started_well = self.link.touchpoints().await.map(drop);
        // The first connection is not tried again: nothing is under way that would be lost.
        started_well?;
        let done = loop {
            match self.connection().await {
                Ok(()) => break Ok(()),
                Err(Break::Lost(_)) if self.attempts < MAX_ATTEMPTS => self.pause().await,
                Err(Break::Lost(failure) | Break::Fatal(failure)) => break Err(failure),
            }
        };
        self.progress.finish();
        done.map(|()| (self.summary, self.progress.elapsed())).map_err(|failure| self.stopped(&failure))
    }

    async fn pause(&mut self) {
        self.attempts += 1;
        let unanswered = format::count(self.pending.len() as u64);
        self.progress.note(&format!("the connection broke; trying again, with {unanswered} lines that had no answer"));
        tokio::time::sleep(PAUSE * self.attempts).await;
    }

    fn stopped(&self, failure: &Failure) -> Failure {
        let report = failure.report();
        let report = report.strip_prefix("error: ").unwrap_or(&report);
        let done = format::count(self.summary.received);
        Failure::Other(format!("{report}\n  stopped after {done} events; importing the whole file again is harmless"))
    }

    /// As much as one connection lasts for.
    async fn connection(&mut self) -> Result<(), Break> {
        let mut gateway = self.link.touchpoints().await?;
        let (sender, receiver) = mpsc::channel(WINDOW + 1);
        for item in &self.pending {
            // There is room: no more than the window is pending.
            sender.try_send(item.clone()).map_err(|error| Break::Fatal(Failure::Other(error.to_string())))?;
        }
        // Not with the deadline of a call: an import lasts as long as its input.
        let mut answers = gateway.import(Request::new(ReceiverStream::new(receiver))).await?.into_inner();
        let mut sender = Some(sender).filter(|_| !self.ended);
        loop {
            let room = self.pending.len() < WINDOW;
            tokio::select! {
                line = self.lines.next(), if room && sender.is_some() => {
                    let line = line.map_err(|error| Break::Fatal(Failure::File(self.lines.name().to_owned(), error)))?;
                    match (line, &sender) {
                        (Some(line), Some(sender)) => self.send(line, sender).await?,
                        _ => {
                            self.ended = true;
                            sender = None;
                        }
                    }
                }
                answer = next(&mut answers) => match answer? {
                    Some(answer) => self.take(answer)?,
                    None if self.ended && self.pending.is_empty() => return Ok(()),
                    None => return Err(Status::unavailable("the gateway ended the import early").into()),
                },
            }
        }
    }

    async fn send(&mut self, line: Line, sender: &Sender<v1::ImportRequest>) -> Result<(), Break> {
        let Some(text) = line.text else {
            self.summary.received += 1;
            return Ok(self.refuse(line.number, &refusals::too_long())?);
        };
        let item = v1::ImportRequest { sequence: line.number, item: Some(Item::CloudEventJson(text)) };
        self.pending.push_back(item.clone());
        // That the other end is gone is said by the answers.
        sender.send(item).await.ok();
        Ok(())
    }

    fn take(&mut self, answer: Answer) -> Result<(), Break> {
        let Answer::Outcome(outcome) = answer else { return Ok(()) };
        let expected = self.pending.pop_front().map(|item| item.sequence);
        if expected != Some(outcome.sequence) {
            let message = format!("the gateway answered for line {}, expected {expected:?}", outcome.sequence);
            return Err(Break::Fatal(Failure::Other(message)));
        }
        self.attempts = 0;
        self.summary.received += 1;
        match outcome.result {
            Some(Fate::Recorded(recorded)) => {
                self.summary.last_position = self.summary.last_position.max(recorded.position);
                let counter =
                    if recorded.duplicate { &mut self.summary.duplicates } else { &mut self.summary.recorded };
                *counter += 1;
            }
            Some(Fate::Refused(refusal)) => self.refuse(outcome.sequence, &refusal)?,
            None => return Err(Break::Fatal(Failure::Other("the gateway sent an empty outcome".to_owned()))),
        }
        self.show();
        Ok(())
    }

    fn refuse(&mut self, line: u64, refusal: &v1::ImportRefusal) -> Result<(), Failure> {
        self.summary.refused += 1;
        if let Some(text) = self.refusals.note(line, refusal)? {
            self.progress.note(&text);
        }
        Ok(())
    }

    fn show(&mut self) {
        let (received, refused) = (self.summary.received, self.summary.refused);
        let rate = self.progress.rate(received);
        self.progress.at(self.lines.read(), || {
            format!("{} events, {}/s, {} refused", format::count(received), format::count(rate), format::count(refused))
        });
    }
}

async fn next(answers: &mut Streaming<v1::ImportResponse>) -> Result<Option<Answer>, Status> {
    Ok(answers.message().await?.and_then(|answer| answer.result))
}
