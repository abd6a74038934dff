//! What a rebuild would take: the beginning of the log is folded as a sample, and thrown away.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};
use views::View;

use crate::cores::{self, Priority, apart, giving_way};
use crate::error::{Panicked, RebuildError, StoreError};
use crate::journal::RebuildOptions;
use crate::source::SourceError;
use crate::{Generation, Projector};

/// Events of a sample at most.
const SAMPLE_EVENTS: u64 = 100_000;
/// How long a sample may be read at most.
const SAMPLE_TIME: Duration = Duration::from_secs(3);
/// What a customer takes in memory besides the bytes of the record: slot, room to grow, lists and timers. Measured by
/// the benchmark `memory` with 8 events a customer, for the view that takes most.
const BYTES_A_CUSTOMER: u64 = 720;
/// What a generation takes on disk, of each byte of its records. Measured by the benchmark `start`.
const DISK_PER_RECORD_BYTE: f64 = 1.8;

/// What a rebuild would take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Events to fold.
    pub events: u64,
    /// Events that were folded to learn the speed.
    pub sampled: u64,
    /// Events a second, as measured or as bounded.
    pub rate: u64,
    /// Until the new generation is folded and evaluated, if the whole log is like its beginning.
    pub time: Duration,
    /// Memory that the new generation needs beside the serving one, in bytes.
    pub memory: u64,
    /// Room that it needs on disk, in bytes.
    pub disk: u64,
    /// Room that is free where the store is, in bytes; nothing if that is not known.
    pub disk_free: Option<u64>,
    /// The previous generation, which will be dropped; nothing if there is none.
    pub previous: Option<u64>,
}

impl<V: View> Projector<V> {
    /// What a rebuild would take. Reads the beginning of the log; nothing is begun.
    pub async fn plan_rebuild(&self, options: RebuildOptions) -> Result<Plan, RebuildError> {
        // The log gives nothing to who is paused.
        let _turn = self.turn_unless_paused().await?;
        let events = self.inner.options.source.end().await?.0;
        let Sample { events: sampled, folding, evaluating, customers } = self.sample().await?;
        let measured = sampled as f64 / folding.as_secs_f64();
        let rate = if options.max_rate > 0 { measured.min(options.max_rate as f64) } else { measured }.max(1.0);
        let serving = self.inner.serving.borrow().clone();
        let (all, record_bytes) = (serving.generation.sizes().0, serving.generation.counts().record_bytes);
        let evaluating = evaluating.mul_f64(all as f64 / customers.max(1) as f64);
        let store = self.inner.store.clone();
        let previous = apart("reading the store", move || store.previous()).await?;
        Ok(Plan {
            events,
            sampled,
            rate: rate as u64,
            time: Duration::from_secs_f64(events as f64 / rate) + evaluating,
            memory: record_bytes + all * BYTES_A_CUSTOMER,
            disk: (record_bytes as f64 * DISK_PER_RECORD_BYTE) as u64,
            disk_free: self.inner.store.free_on_disk(),
            previous: previous.map_err(StoreError::from)?.map(|id| id.get()),
        })
    }

    /// Folds the beginning of the log into a generation that nobody keeps.
    async fn sample(&self) -> Result<Sample, RebuildError> {
        let source = &self.inner.options.source;
        let origin = source.origin().await?;
        let scratch = Generation::<V>::on_threads(cores::count(), origin, self.inner.options.rules.clone());
        scratch.prioritise(Priority::Low);
        let mut scratch = Arc::new(scratch);
        let (mut batches, mut events, now) = (source.tail(origin, Priority::Low), 0, self.now());
        let end = source.end().await?.0.min(SAMPLE_EVENTS);
        let begun = Instant::now();
        // A timeout leaves what was read so far, which is a sample too.
        while events < end
            && let Ok(batch) = timeout_at(begun + SAMPLE_TIME, batches.next()).await
        {
            let batch = batch.ok_or_else(|| SourceError::Unavailable("the log's tail ended".to_owned()))??;
            events += batch.entries.len() as u64;
            scratch = folded(scratch, move |it| it.fold(&batch, now)).await?;
        }
        scratch = folded(scratch, move |it| it.settle(now)).await?;
        let folding = begun.elapsed();
        scratch = folded(scratch, move |it| giving_way(|| it.go_live(now))).await?;
        let (evaluating, customers) = (begun.elapsed() - folding, scratch.sizes().0);
        // Given back away from the threads that serve.
        spawn_blocking(move || drop(scratch));
        Ok(Sample { events, folding, evaluating, customers })
    }
}

/// What folding the beginning of the log took.
struct Sample {
    events: u64,
    folding: Duration,
    evaluating: Duration,
    customers: u64,
}

/// Does a part of the work on a generation away from the threads that serve.
async fn folded<V: View>(
    generation: Arc<Generation<V>>,
    work: impl FnOnce(&Generation<V>) + Send + 'static,
) -> Result<Arc<Generation<V>>, Panicked> {
    apart("folding the sample", move || {
        work(&generation);
        generation
    })
    .await
}
