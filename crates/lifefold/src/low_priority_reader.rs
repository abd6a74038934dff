//! Reading much of the log beside those who serve: on threads of their own that give way to theirs.

use futures::StreamExt;
use futures::stream;
use projector::{Batch, Batches, LowPriorityThreads, SourceError};
use tokio::sync::mpsc;

/// One for the connection, one for what comes over it.
const THREADS: usize = 2;
/// Batches that wait to be folded, beside those that the log's reader has.
const READY_BATCHES: usize = 1;

/// Reads these batches on such threads, as long as somebody takes them.
pub(crate) fn read(open: impl FnOnce() -> Batches + Send + 'static) -> Batches {
    let threads = match LowPriorityThreads::start("log-reader", THREADS) {
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
