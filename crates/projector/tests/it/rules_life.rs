//! A projector goes over to the rules that its log activates: live, after a restart, and in a rebuild; what it cannot
//! read does not stop it.

use crate::support::activations::{activation, rules, unreadable, with_activations};
use crate::support::running::{NOW, Running, start};
use crate::support::{Log, population};
use history::Order;
use projector::{Entry, RebuildOptions};
use touchpoint::{Position, Timestamp};
use views::churn::{Churn, Totals};
use views::rules::Rules;
use views::{Moment, Sign, View};

const CUSTOMERS: u64 = 60;

/// A log with two activations, of which the last one is at its end, and more events after it to come.
fn log() -> (Log, Vec<Entry>) {
    let (entries, _) = population(21, CUSTOMERS, Order::Recorded);
    let (mut entries, activations) = with_activations(entries, 2);
    let later = entries.split_off(activations[1].position.0 as usize);
    (Log::new(entries, 13), later)
}

fn recorded(log: &Log) -> Timestamp {
    NOW.plus_micros(-i64::try_from(log.end().0).unwrap())
}

impl Running {
    /// Lists and answers are by these rules once this position is reached.
    async fn goes_by(&self, position: Position, rules: &Rules) {
        self.at(position).await;
        let generation = self.projector.serving().unwrap();
        let version = rules.version().to_string();
        assert_eq!(generation.rules_at(None, Position::MAX).version, version);
        let wanted = generation.totals_at(rules, Moment::now(NOW));
        let (totals_are_wanted, by) =
            generation.totals(NOW, |totals, _, edition| (*totals == wanted, edition.version.clone()));
        assert!(totals_are_wanted && by == version, "lists are by {by}, not {version}");
        let mut sum = Totals::default();
        let customers: Vec<_> = generation.sum_at(
            rules,
            Moment::now(NOW),
            |all: &mut Vec<_>, id, _| all.push(id),
            |all| all,
            |all, it| all.extend(it),
        );
        for customer in customers {
            let answer = generation.answer(customer, rules, &mut Moment::now(NOW)).unwrap();
            Churn::place(&mut sum, customer, &Churn::placement(&answer), Sign::Add);
        }
        assert_eq!(sum, wanted);
        assert_eq!(self.projector.status().rules.version, version);
    }

    fn notice(&self) -> String {
        self.projector.status().rules_notice.unwrap_or_default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waited_for_an_activation_is_answered_by_its_rules() {
    let (log, later) = log();
    let dir = tempfile::tempdir().unwrap();
    let running = start(&log, dir.path()).await;
    running.goes_by(log.end(), &rules(2)).await;
    let position = log.end().next();
    log.append([activation(position, recorded(&log), &rules(5))]);
    running.goes_by(position, &rules(5)).await;
    assert_eq!(running.projector.status().rules.activated_at, position);
    // Events after it are placed by the new rules, too.
    log.append(later.into_iter().map(|it| Entry { position: it.position.next(), ..it }));
    running.goes_by(log.end(), &rules(5)).await;
    assert!(running.notice().contains("not those of this process's file"), "{}", running.notice());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_and_a_rebuild_know_the_rules() {
    let (log, later) = log();
    let dir = tempfile::tempdir().unwrap();
    let running = start(&log, dir.path()).await;
    running.goes_by(log.end(), &rules(2)).await;
    running.stop().await;
    // Nothing comes after what is on disk: the rules are before it in the log.
    let running = start(&log, dir.path()).await;
    running.goes_by(log.end(), &rules(2)).await;
    let generation = running.projector.serving().unwrap();
    assert_eq!(generation.rules_at(Some(Timestamp::MIN), Position::MAX).version, rules(1).version().to_string());
    running.projector.begin_rebuild(RebuildOptions::default()).await.unwrap().finish().await.unwrap();
    running.goes_by(log.end(), &rules(2)).await;
    log.append(later);
    running.goes_by(log.end(), &rules(2)).await;
    running.projector.begin_rollback().await.unwrap().finish().await.unwrap();
    running.goes_by(log.end(), &rules(2)).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_of_a_newer_version_are_named_and_the_last_readable_ones_apply() {
    let (log, _) = log();
    let dir = tempfile::tempdir().unwrap();
    let running = start(&log, dir.path()).await;
    let position = log.end().next();
    log.append([unreadable(position, recorded(&log))]);
    running.goes_by(position, &rules(2)).await;
    assert!(running.notice().contains(&format!("cannot read the rules activated at position {position}")));
    running.stop().await;
    let running = start(&log, dir.path()).await;
    running.goes_by(position, &rules(2)).await;
    assert!(running.notice().contains(&format!("cannot read the rules activated at position {position}")));
    log.append([activation(position.next(), recorded(&log), &Rules::default())]);
    running.goes_by(position.next(), &Rules::default()).await;
    // Those of this process's file are the same: nothing to say.
    assert_eq!(running.notice(), "");
    running.stop().await;
}
