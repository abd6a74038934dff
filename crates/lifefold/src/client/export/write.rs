//! Parts of a stream into a file: while one part is written, the next ones come.

use export::{Export, Rows};
use tokio::sync::mpsc;

use crate::client::failure::Failure;
use crate::client::format;
use crate::client::progress::Progress;

/// Parts that wait to be written.
const WAITING_PARTS: usize = 4;
/// Steps of the progress: basis points.
const STEPS: u64 = 10_000;

/// Some items of a stream.
pub(super) struct Part<I> {
    pub(super) items: Vec<I>,
    /// How much of the whole was gone through then, in basis points.
    pub(super) done_bp: u64,
}

/// Writes all parts, as they come, until there is none.
pub(super) async fn all<R>(
    rows: R,
    mut export: Export,
    mut next: impl AsyncFnMut() -> Result<Option<Part<R::Item>>, Failure>,
) -> Result<Export, Failure>
where
    R: Rows<Item: Send + 'static> + Send + 'static,
{
    let (sender, mut receiver) = mpsc::channel::<Vec<R::Item>>(WAITING_PARTS);
    let writing = tokio::task::spawn_blocking(move || {
        while let Some(items) = receiver.blocking_recv() {
            items.iter().try_for_each(|item| rows.write(item, export.writer()))?;
        }
        Ok::<_, export::Error>(export)
    });
    let mut progress = Progress::new(Some(STEPS));
    let mut taken = 0;
    let outcome = loop {
        match next().await {
            Ok(Some(part)) => {
                taken += part.items.len() as u64;
                let rate = progress.rate(taken);
                progress.at(part.done_bp, || {
                    let done = format::percent(u32::try_from(part.done_bp).ok());
                    format!("{} rows, {}/s, {done} gone through", format::count(taken), format::count(rate))
                });
                // Who writes no more has failed, and says why.
                if sender.send(part.items).await.is_err() {
                    break Ok(());
                }
            }
            Ok(None) => break Ok(()),
            Err(failure) => break Err(failure),
        }
    };
    drop(sender);
    let written = writing.await.map_err(|error| Failure::Other(error.to_string()))?;
    progress.finish();
    outcome?;
    Ok(written?)
}
