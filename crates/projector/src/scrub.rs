//! The scrub: folds every customer again from the log, one after the other, round after round, at leisure. A record that
//! has come to say something else than the log is found, told, and put right.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep};
use touchpoint::{CustomerId, Position};
use views::{Difference, View};

use crate::Generation;
use crate::error::RefoldError;
use crate::pages::GROUPS;
use crate::projector::Projector;
use crate::refold::Refolded;
use crate::scrub_progress::{ScrubFinding, ScrubProgress, ScrubStatus, WaitReason};

/// The most customers a second.
pub const MAX_SCRUB_RATE: u32 = 1_000;
/// Messages that are read at once to see whether their customers are known.
const MESSAGES_AT_ONCE: usize = 1_000;
/// Events that the view may be behind while it is scrubbed: with more it has something better to do.
const MAX_LAG_EVENTS: u64 = 1_000;
/// Pause before it is looked again whether the scrub may go on.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How often a customer is tried whose events the log does not give, though it answers.
const TRIES: u32 = 3;
/// How long a record that was put right may take to be durable before that is told.
const KEPT_WITHIN: Duration = Duration::from_secs(60);

impl<V: View> Projector<V> {
    /// How the scrub does.
    pub fn scrub_status(&self) -> ScrubStatus {
        self.inner.scrub_progress.status()
    }

    /// Scrubs until the projector stops, so many customers a second at most; not at all if that is 0.
    pub async fn scrub(&self, rate: u32) {
        let Some(pace) = pace(rate) else { return };
        for name in [CHECKED, DIFFERENT, REPAIRED] {
            count::<V>(name, 0);
        }
        tokio::task::block_in_place(|| self.inner.scrub_progress.begin(rate, self.now()));
        let mut scrub = Scrub { projector: self, pace };
        let rounds = async {
            loop {
                scrub.round().await;
            }
        };
        self.inner.stop.run_until_cancelled(rounds).await;
    }
}

/// A scrub that runs.
struct Scrub<'a, V: View> {
    projector: &'a Projector<V>,
    pace: Interval,
}

impl<V: View> Scrub<'_, V> {
    /// Goes over everybody once: all groups of pages in random order, and a share of the log with each of them, in which
    /// customers are looked for whom no page has.
    async fn round(&mut self) {
        let end = self.turn().await.position();
        let share =
            |groups: usize| if groups == GROUPS { end } else { Position(end.0 / GROUPS as u64 * groups as u64) };
        for (done, group) in self.progress().next().into_iter().enumerate() {
            let customers = self.turn().await.customers(group);
            for (before, customer) in customers.iter().enumerate() {
                self.progress().covered(done, before, customers.len());
                self.check(*customer).await;
            }
            self.look_for_unknown(share(done), share(done + 1)).await;
        }
        tokio::task::block_in_place(|| self.progress().over(self.projector.now()));
    }

    fn progress(&self) -> &ScrubProgress {
        &self.projector.inner.scrub_progress
    }

    /// Waits until it is the scrub's turn, and gives what serves then.
    async fn turn(&mut self) -> Arc<Generation<V>> {
        loop {
            self.pace.tick().await;
            match self.may_go_on() {
                Ok(generation) => {
                    self.progress().set(|status| status.waiting = None);
                    return generation;
                }
                Err(waiting) => self.wait(waiting).await,
            }
        }
    }

    async fn wait(&self, waiting: WaitReason) {
        self.progress().set(|status| status.waiting = Some(waiting));
        sleep(LOOK_AGAIN).await;
    }

    fn may_go_on(&self) -> Result<Arc<Generation<V>>, WaitReason> {
        let generation = self.projector.serving().map_err(|_| WaitReason::Behind)?;
        if self.projector.paused().is_some() {
            return Err(WaitReason::Paused);
        }
        if self.projector.active_rebuild().is_some() {
            return Err(WaitReason::Rebuild);
        }
        let lag = generation.log_end().0.saturating_sub(generation.position().0);
        if lag > MAX_LAG_EVENTS { Err(WaitReason::Behind) } else { Ok(generation) }
    }

    /// Folds one customer again. Who has new events all the time, or cannot be read, is passed over until the next round.
    async fn check(&mut self, customer: CustomerId) {
        let mut tries = 0;
        while tries < TRIES {
            let generation = self.turn().await;
            match self.projector.refold(&generation, customer).await {
                Ok(refolded) => {
                    self.progress().set(|status| status.checked += 1);
                    count::<V>(CHECKED, 1);
                    if let Some(refolded) = refolded {
                        self.note_found(&generation, customer, refolded).await;
                    }
                    return;
                }
                Err(RefoldError::Moving) => return,
                Err(RefoldError::NotServing(_) | RefoldError::Source(_) | RefoldError::NotDurable) => {
                    // A log that answers nobody says nothing of this customer.
                    tries += u32::from(self.log_answers(&generation).await);
                    self.wait(WaitReason::Log).await;
                }
            }
        }
        tracing::error!(view = V::NAME, %customer, "a customer's events cannot be read: not checked in this round");
    }

    async fn log_answers(&self, generation: &Generation<V>) -> bool {
        self.projector.inner.options.source.check(generation.checkpoint()).await.is_ok()
    }

    /// Tells of a record that was put right, and waits until it is so on disk.
    async fn note_found(&self, generation: &Generation<V>, customer: CustomerId, refolded: Refolded) {
        let Refolded { position, differences, commit: Some(commit) } = refolded else { return };
        let what = words(&differences);
        tracing::error!(view = V::NAME, %customer, %position, what, "a record differed from the log; it is put right");
        count::<V>(DIFFERENT, 1);
        let found = ScrubFinding { at: self.projector.now(), customer, position, what };
        self.progress().set(|status| {
            status.different += 1;
            status.last_found = Some(found);
        });
        match generation.kept(Some(commit), Instant::now() + KEPT_WITHIN).await {
            Ok(()) => {
                count::<V>(REPAIRED, 1);
                self.progress().set(|status| status.repaired += 1);
            }
            Err(error) => tracing::error!(view = V::NAME, %customer, %error, "a record that was put right is not kept"),
        }
    }

    /// Checks the customers of these messages whom no page has.
    async fn look_for_unknown(&mut self, mut after: Position, to: Position) {
        while after < to {
            let generation = self.turn().await;
            let source = &self.projector.inner.options.source;
            let Ok(entries) = source.entries(after, MESSAGES_AT_ONCE).await else {
                self.wait(WaitReason::Log).await;
                continue;
            };
            let Some(last) = entries.last().map(|entry| entry.position) else { return };
            let customers: BTreeSet<_> =
                entries.iter().filter(|entry| entry.position <= to).filter_map(|entry| entry.customer).collect();
            for customer in customers.into_iter().filter(|customer| !generation.knows(*customer)) {
                self.check(customer).await;
            }
            after = last;
        }
    }
}

impl<V: View> Generation<V> {
    /// The customers of a group of pages.
    fn customers(&self, group: usize) -> Vec<CustomerId> {
        let mut customers = Vec::new();
        self.pages.scan(group, |slot| customers.push(slot.customer));
        customers
    }

    fn knows(&self, customer: CustomerId) -> bool {
        self.pages.read(customer, |_| ()).is_some()
    }
}

/// So many turns a second; nothing for none.
fn pace(rate: u32) -> Option<Interval> {
    let period = Duration::from_secs(1).checked_div(rate.min(MAX_SCRUB_RATE))?;
    let mut pace = interval(period);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    Some(pace)
}

const CHECKED: &str = "lifefold_projector_scrub_checked_total";
const DIFFERENT: &str = "lifefold_projector_scrub_different_total";
const REPAIRED: &str = "lifefold_projector_scrub_repaired_total";

/// Counts. A counter that is there from the start is one whose first step is seen.
fn count<V: View>(name: &'static str, more: u64) {
    metrics::counter!(name, "view" => V::NAME).increment(more);
}

/// What differed, without ids: `EXTRA VisitRecorded, 3 x CHANGED SurveyAnswered`.
fn words(differences: &[Difference]) -> String {
    let mut counts: BTreeMap<_, u64> = BTreeMap::new();
    for difference in differences {
        let kind = match difference {
            Difference::Missing(_, kind) | Difference::Extra(_, kind) | Difference::Changed { kind, .. } => kind.name(),
            Difference::Erased | Difference::NotErased | Difference::Parked(_) | Difference::NotParked(_) => "",
        };
        *counts.entry((difference.code(), kind)).or_default() += 1;
    }
    let words = counts.into_iter().map(|((code, kind), count)| {
        let one = format!("{code} {kind}");
        if count == 1 { one.trim().to_owned() } else { format!("{count} x {}", one.trim()) }
    });
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use touchpoint::{EventId, Kind};

    use super::*;

    #[test]
    fn what_differed_is_told_by_kinds() {
        let (one, other) = (EventId::from_u128(1), EventId::from_u128(2));
        let all = [
            Difference::Extra(one, Kind::VisitRecorded),
            Difference::Parked(Position(7)),
            Difference::Extra(other, Kind::VisitRecorded),
        ];
        assert_eq!(words(&all), "2 x EXTRA VisitRecorded, PARKED");
        assert_eq!(words(&[Difference::NotErased]), "NOT_ERASED");
    }

    #[tokio::test]
    async fn a_rate_of_nothing_is_no_scrub() {
        assert!(pace(0).is_none());
        assert_eq!(pace(20).map(|it| it.period()), Some(Duration::from_millis(50)));
        assert_eq!(pace(u32::MAX).map(|it| it.period()), Some(Duration::from_millis(1)));
    }
}
