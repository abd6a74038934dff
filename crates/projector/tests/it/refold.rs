//! One customer folded again from the log: whatever the record has become, it then says what the log says.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::running::{NOW, PATIENCE, Running, start};
use crate::support::{Log, population};
use futures::future::join_all;
use history::Order;
use projector::{Entry, RefoldError, Refolded, Trouble};
use tokio::time::Instant;
use touchpoint::{CustomerId, Event, Kind, Position, Recorded};
use view_store::{EncodedPage, PageNumber, Store};
use views::rules::Rules;
use views::{Difference, Moment, Record};

/// Somebody of whom the log says nothing.
const STRANGER: CustomerId = CustomerId::from_u128(0x5172);

/// What a mistake has made of a customer's record.
#[derive(Debug, Clone, Copy)]
enum Mistake {
    /// Nothing is left.
    Lost,
    /// The first event is missing.
    Missing,
    /// An event is there that another customer's log has.
    Extra,
    /// The first event stands at another position.
    Changed,
    /// A tombstone.
    Erased,
    /// Nobody has ever recorded anything of this customer.
    Stranger,
}

const MISTAKES: [Mistake; 6] =
    [Mistake::Lost, Mistake::Missing, Mistake::Extra, Mistake::Changed, Mistake::Erased, Mistake::Stranger];

/// A customer's record with this mistake; nothing where it leaves none.
fn mistaken(entries: &[Entry], customer: CustomerId, mistake: Mistake) -> Option<Record> {
    let of = |customer| entries.iter().filter(move |entry| entry.customer == Some(customer));
    let mut record = Record::default();
    let mut file = |entry: &Entry, position: Position| {
        let recorded_at = entry.recorded_at;
        if let Ok(event) = Event::decode(&entry.body) {
            record.file(&Recorded { position, recorded_at, event });
        }
    };
    let own = of(customer).skip(usize::from(matches!(mistake, Mistake::Missing | Mistake::Changed)));
    match mistake {
        Mistake::Lost => return None,
        Mistake::Erased => {
            let erasure = entries.iter().find(|it| is_erasure(it))?;
            file(erasure, erasure.position);
        }
        Mistake::Extra | Mistake::Stranger => {
            own.for_each(|entry| file(entry, entry.position));
            let other = entries.iter().find(|it| it.customer.is_some_and(|it| it != customer))?;
            file(other, other.position);
        }
        Mistake::Changed => {
            let first = of(customer).next()?;
            file(first, Position(first.position.0 + 1_000_000));
            own.for_each(|entry| file(entry, entry.position));
        }
        Mistake::Missing => own.for_each(|entry| file(entry, entry.position)),
    }
    (record != Record::default()).then_some(record)
}

/// Puts this in the place of a customer's record, in a store that nobody has open.
fn seed_wrong(dir: &Path, customer: CustomerId, wrong: Option<&Record>) {
    let store = Store::open(dir).unwrap();
    let serving = store.serving().unwrap().unwrap();
    let number = PageNumber::of(customer.as_u128());
    let all = store.pages(serving, PageNumber::all()).unwrap().map(Result::unwrap);
    let page = all.into_iter().find(|page| page.number() == number);
    let others = page.iter().flat_map(|page| page.records()).filter(|(id, _)| *id != customer.as_u128());
    let mut records: Vec<_> = others.map(|(id, bytes)| (id, bytes.to_vec())).collect();
    records.extend(wrong.map(|record| (customer.as_u128(), record.as_bytes().to_vec())));
    let page = EncodedPage::new(number, records.iter().map(|(id, bytes)| (*id, bytes.as_slice()))).unwrap();
    store.commit(serving, [Ok(page)], &store.head(serving).unwrap()).unwrap();
}

/// Customers with enough events that each mistake is one; the last one is the stranger.
fn victims(entries: &[Entry]) -> Vec<CustomerId> {
    let mut events: BTreeMap<CustomerId, usize> = BTreeMap::new();
    for customer in entries.iter().filter_map(|entry| entry.customer) {
        *events.entry(customer).or_default() += 1;
    }
    let erased = |customer| entries.iter().any(|it| it.customer == Some(customer) && is_erasure(it));
    let many = events.into_iter().filter(|(customer, count)| *count > 3 && !erased(*customer));
    many.map(|(customer, _)| customer).take(MISTAKES.len() - 1).chain([STRANGER]).collect()
}

fn is_erasure(entry: &Entry) -> bool {
    Event::decode(&entry.body).is_ok_and(|event| event.body.kind() == Kind::CustomerErased)
}

/// A copy of a store, as it is on disk.
fn copy_of(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_of(&entry.path(), &to)
        } else {
            assert!(std::fs::copy(entry.path(), to).is_ok())
        }
    }
}

/// What is said of these customers, all at once.
async fn rebuilt(running: &Running, customers: &[CustomerId]) -> Vec<Option<Vec<&'static str>>> {
    let codes = |it: Refolded| it.differences.iter().map(Difference::code).collect::<Vec<_>>();
    let one = async |customer| {
        let refolded = running.projector.rebuild_customer(customer, Instant::now() + PATIENCE).await;
        refolded.unwrap().map(codes)
    };
    join_all(customers.iter().map(|customer| one(*customer))).await
}

/// Lists and totals are the sum of the records.
fn lists_hold(running: &Running) {
    let generation = running.projector.serving().unwrap();
    let summed = generation.totals_at(&Rules::default(), Moment::now(NOW));
    generation.totals(NOW, |totals, _, _| assert_eq!(*totals, summed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_wrong_with_a_record_is_put_right() {
    for seed in 1..=3 {
        let dir = tempfile::tempdir().unwrap();
        let (entries, _) = population(seed, 40, Order::Shuffled(seed));
        let (log, store) = (Log::new(entries.clone(), 64), dir.path().join("churn"));
        let fresh = start(&log, &store).await;
        let right = fresh.at(log.end()).await;
        fresh.stop().await;
        let victims: Vec<_> = victims(&entries);
        for (victim, mistake) in victims.iter().zip(MISTAKES) {
            seed_wrong(&store, *victim, mistaken(&entries, *victim, mistake).as_ref());
        }

        let running = start(&log, &store).await;
        assert_ne!(running.at(log.end()).await, right);
        let found = rebuilt(&running, &victims).await;
        let first: Vec<_> = found.iter().map(|it| it.as_ref().and_then(|it| it.first().copied())).collect();
        let expect = ["EXTRA", "EXTRA", "MISSING", "CHANGED", "NOT_ERASED", "MISSING"];
        assert_eq!(first, expect.map(Some), "seed {seed}");
        assert_eq!(running.at(log.end()).await, right, "seed {seed}");
        lists_hold(&running);
        let by_now = rebuilt(&running, &victims).await;
        let stranger = by_now.len() - 1;
        assert!(by_now[..stranger].iter().all(|it| it == &Some(Vec::new())), "{by_now:?}");
        assert_eq!(by_now[stranger], None, "nobody knows of them");
        // What was answered is on disk: this reads it as a killed process would have left it.
        let copy = dir.path().join("copy");
        copy_of(&store, &copy);
        running.stop().await;
        let again = start(&log, &copy).await;
        assert_eq!(again.at(log.end()).await, right, "seed {seed}");
        again.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_not_whole_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (entries, _) = population(4, 10, Order::Recorded);
    let log = Log::new(entries.clone(), 64);
    let running = start(&log, dir.path()).await;
    let before = running.at(log.end()).await;
    let victim = entries.iter().find_map(|entry| entry.customer).unwrap();
    log.replace(entries.into_iter().filter(|entry| entry.customer != Some(victim)).collect());
    log.break_down(Some(Trouble::Gap));
    let refused = running.projector.rebuild_customer(victim, Instant::now() + PATIENCE).await;
    assert!(matches!(refused, Err(RefoldError::Source(_) | RefoldError::NotServing(_))), "{refused:?}");
    let generation = before;
    log.break_down(None);
    running.stop().await;
    let again = start(&log, dir.path()).await;
    assert_eq!(again.at(Position(1)).await, generation);
    again.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_read_only_once_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (entries, _) = population(4, 10, Order::Recorded);
    let log = Log::new(entries.clone(), 64);
    let running = start(&log, dir.path()).await;
    let before = running.at(log.end()).await;
    let customer = entries.iter().find_map(|entry| entry.customer).unwrap();
    log.forget_once(customer);
    let refolded = running.projector.rebuild_customer(customer, Instant::now() + PATIENCE).await.unwrap().unwrap();
    assert_eq!(refolded.differences, []);
    assert_eq!(running.at(log.end()).await, before);
    running.stop().await;
}
