//! How long a projector takes from its start to serving, with many customers in its store.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};
use futures::StreamExt;
use projector::{Batches, Checkpoint, Entry, Options, Priority, Projector, Source, SourceFuture, State};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use touchpoint::{CustomerId, Position};
use view_store::{EncodedPage, Head, PageNumber, Store};
use views::churn::Churn;
use views::rules::Rules;
use views::satisfaction::Satisfaction;
use views::segmentation::Segmentation;
use views::{FOLD_VERSION, Record, View};

use crate::Scale;
use crate::corpus::{UNTIL, origin};
use crate::records::records;
use crate::sample::{median, wall};
use crate::table::{Row, Table, count, seconds};

const CUSTOMERS: u64 = 1_000_000;
/// Starts of each view, of which the median is taken.
const RUNS: usize = 3;
/// Seconds for a view.
const TARGET: f64 = 10.0;

/// What one view needs.
struct Started {
    disk: u64,
    /// Reading every page and nothing more.
    read: f64,
    live: f64,
}

/// Measures it.
pub(crate) fn run(scale: Scale) -> Result<Vec<Table>> {
    let customers = scale.of(CUSTOMERS);
    let pages = pages(customers)?;
    let packed: u64 = pages.iter().map(|page| page.as_bytes().len() as u64).sum();
    let title = format!("Start of a projector with {} customers, median of {RUNS} starts", count(customers));
    let mut table = Table::new(title);
    for (view, started) in [
        (Segmentation::NAME, start::<Segmentation>(&pages)?),
        (Satisfaction::NAME, start::<Satisfaction>(&pages)?),
        (Churn::NAME, start::<Churn>(&pages)?),
    ] {
        let row = Row::new(format!("{view}: start to serving"), seconds(started.live));
        let row = row.beside(format!("{} reading pages", seconds(started.read)), started.read / started.live);
        table.add(row.target(format!("≤ {TARGET:.0} s"), started.live <= TARGET));
        let each = |bytes: u64| bytes as f64 / customers as f64;
        let row = Row::new(format!("{view}: on disk, a customer"), format!("{:.0} B", each(started.disk)));
        table.add(row.beside(format!("{:.0} B in pages", each(packed)), started.disk as f64 / packed as f64));
    }
    Ok(vec![table])
}

/// All pages of a view, made directly.
fn pages(customers: u64) -> Result<Vec<EncodedPage>> {
    let mut by_page: Vec<Vec<(u128, Record)>> = Vec::new();
    by_page.resize_with(PageNumber::COUNT as usize, Vec::new);
    let mut numbers = Vec::new();
    for (customer, record) in records(customers) {
        let (customer, page) = (customer.as_u128(), PageNumber::of(customer.as_u128()));
        if by_page[page.index()].is_empty() {
            numbers.push(page);
        }
        by_page[page.index()].push((customer, record));
    }
    numbers.sort_unstable();
    let encode = |page: PageNumber| {
        let records = &by_page[page.index()];
        EncodedPage::new(page, records.iter().map(|(customer, record)| (*customer, record.as_bytes())))
    };
    numbers.into_iter().map(|page| encode(page).context("a page")).collect()
}

fn start<V: View>(pages: &[EncodedPage]) -> Result<Started> {
    let folder = TempDir::new().context("a temporary folder")?;
    let dir = folder.path().join(V::NAME);
    let disk = write::<V>(&dir, pages)?;
    let mut reads = Vec::new();
    let mut starts = Vec::new();
    for _ in 0..RUNS {
        reads.push(read(&dir)?);
        starts.push(to_serving::<V>(&dir)?);
    }
    Ok(Started { disk, read: median(&reads), live: median(&starts) })
}

/// Bytes on disk, once the store is closed.
fn write<V: View>(dir: &Path, pages: &[EncodedPage]) -> Result<u64> {
    let origin = origin();
    let head = Head {
        epoch: origin.epoch,
        stream_created_micros: origin.created.micros(),
        position: origin.position.0,
        event_digest: origin.digest,
        fold_version: FOLD_VERSION,
        view: V::NAME.to_owned(),
        extra: Vec::new(),
    };
    let store = Store::open(dir)?;
    let generation = store.create_generation(&head)?;
    store.commit(generation, pages.iter().cloned().map(Ok), &head)?;
    store.set_serving(generation)?;
    drop(store);
    Ok(Store::open(dir)?.size_on_disk()?)
}

/// Seconds that opening the store and reading all of its pages takes.
fn read(dir: &Path) -> Result<f64> {
    let mut outcome = Ok(0);
    let taken = wall(|| {
        outcome = (|| {
            let store = Store::open(dir)?;
            let generation = store.serving()?.context("a serving generation")?;
            store.pages(generation, PageNumber::all())?.try_fold(0, |sum, page| Ok(sum + page?.records().count()))
        })();
    });
    outcome.map(|_: usize| taken)
}

/// Seconds from the start of a projector to its first answers.
fn to_serving<V: View>(dir: &Path) -> Result<f64> {
    let runtime = tokio::runtime::Runtime::new().context("a runtime")?;
    let stop = CancellationToken::new();
    let options = Options {
        dir: dir.to_owned(),
        rules: Arc::new(Rules::default()),
        rules_given: false,
        source: Arc::new(AtItsEnd),
        clock: Arc::new(|| UNTIL),
        bounds: projector::Bounds::default(),
    };
    runtime.block_on(async {
        let begun = Instant::now();
        let projector = Projector::<V>::start(options, stop.clone()).await?;
        let running = tokio::spawn({
            let projector = projector.clone();
            async move { projector.run().await }
        });
        let mut state = projector.state();
        let serving = state.wait_for(|state| *state == State::Serving).await;
        let taken = begun.elapsed().as_secs_f64();
        serving.map_err(|_| anyhow!("the projector ended"))?;
        stop.cancel();
        running.await.context("the projector failed")?;
        Ok(taken)
    })
}

/// A log in which nothing happens.
struct AtItsEnd;

impl Source for AtItsEnd {
    fn origin(&self) -> SourceFuture<'_, Checkpoint> {
        Box::pin(async { Ok(origin()) })
    }

    fn tail(&self, _after: Checkpoint, _priority: Priority) -> Batches {
        futures::stream::pending().boxed()
    }

    fn check(&self, _checkpoint: Checkpoint) -> SourceFuture<'_, Position> {
        self.end()
    }

    fn end(&self) -> SourceFuture<'_, Position> {
        Box::pin(async { Ok(origin().position) })
    }

    fn entries(&self, _after: Position, _limit: usize) -> SourceFuture<'_, Vec<Entry>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn control(&self, _through: Position) -> SourceFuture<'_, Vec<Entry>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn timeline(&self, _customer: CustomerId, _through: Position) -> SourceFuture<'_, Vec<Entry>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}
