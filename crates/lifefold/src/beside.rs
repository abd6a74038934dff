//! Reading much of the log beside those who serve: on threads of their own that give way to theirs.

use std::io;

use futures::StreamExt;
use futures::stream;
use projector::{Batch, Batches, Manner, SourceError};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

/// One for the connection, one for what comes over it.
const THREADS: usize = 2;
/// Batches that wait to be folded, beside those that the log's reader has.
const READY_BATCHES: usize = 1;

/// Reads these batches on such threads, as long as somebody takes them.
pub(crate) fn read(open: impl FnOnce() -> Batches + Send + 'static) -> Batches {
    let threads = match Threads::start() {
        Ok(threads) => threads,
        Err(error) => {
            let reason = format!("no threads to read the log with: {error}");
            return stream::iter([Err(SourceError::Unavailable(reason))]).boxed();
        }
    };
    let (out, batches) = mpsc::channel(READY_BATCHES);
    threads.spawn(async move { forward(open(), out).await });
    stream::unfold((batches, threads), |(mut batches, threads)| async move {
        let batch = batches.recv().await?;
        Some((batch, (batches, threads)))
    })
    .boxed()
}

async fn forward(mut batches: Batches, out: mpsc::Sender<Result<Batch, SourceError>>) {
    while let Some(batch) = batches.next().await {
        if out.send(batch).await.is_err() {
            break;
        }
    }
}

/// Threads that give way, and end when this is dropped.
struct Threads(Option<Runtime>);

impl Threads {
    fn start() -> io::Result<Self> {
        let give_way = || Manner::GivingWay.taken_on();
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(THREADS).thread_name("log-reader").on_thread_start(give_way).enable_all();
        builder.build().map(|runtime| Self(Some(runtime)))
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.0 {
            runtime.spawn(task);
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        // Not waited for: this may be the thread of a task.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
