//! The sending side of a stream of answers: a task fills a small buffer, the call empties it.
//!
//! Who takes nothing for a while is told where to go on, after what the buffer still has, and the task ends at once: a
//! slow reader holds nothing but its buffer.

use std::time::Duration;

use api::errors::Error;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use projector::{Projector, State};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use views::View;

use crate::call;

/// How long the buffer may stay full before the caller counts as too slow.
const SLOW_READER: Duration = Duration::from_secs(10);

/// Where the task puts what it has.
pub(crate) struct Outlet<M> {
    buffer: mpsc::Sender<M>,
}

impl<M> Outlet<M> {
    /// An outlet and its other end, with room for so many messages.
    pub(crate) fn new(room: usize) -> (Self, mpsc::Receiver<M>) {
        let (buffer, taken) = mpsc::channel(room);
        (Self { buffer }, taken)
    }

    /// Puts a message into the buffer; `slow` is what a caller is told who makes no room for it. Nobody there is no
    /// error: the task just ends.
    pub(crate) async fn give(&self, message: M, slow: impl FnOnce() -> Error) -> Result<(), Error> {
        match timeout(SLOW_READER, self.buffer.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Error::Internal("the caller has gone".to_owned())),
            Err(_) => Err(slow()),
        }
    }
}

/// Waits until the process of a view goes down.
pub(crate) fn until_draining<V: View>(projector: &Projector<V>) -> impl Future<Output = ()> + use<V> {
    let mut state = projector.state();
    // Without a projector there is nobody left to answer.
    async move { drop(state.wait_for(|state| *state == State::Draining).await) }
}

/// Starts the task that fills a buffer of so many messages, and gives what it fills it with. The task keeps its place
/// among the streams at once until it ends, at the latest when it is to stop.
pub(crate) fn start<M: Send + 'static, F>(
    room: usize,
    place: OwnedSemaphorePermit,
    stop: impl Future<Output = ()> + Send + 'static,
    fill: impl FnOnce(Outlet<M>) -> F,
) -> BoxStream<'static, Result<M, Status>>
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    start_by(|task| _ = tokio::spawn(task), room, place, stop, fill)
}

/// As [`start`], by another spawner.
pub(crate) fn start_by<M: Send + 'static, F>(
    spawn: impl FnOnce(BoxFuture<'static, ()>),
    room: usize,
    place: OwnedSemaphorePermit,
    stop: impl Future<Output = ()> + Send + 'static,
    fill: impl FnOnce(Outlet<M>) -> F,
) -> BoxStream<'static, Result<M, Status>>
where
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let (outlet, taken) = Outlet::new(room);
    let (ended, end) = oneshot::channel();
    let fill = fill(outlet);
    let task = async move {
        let _place = place;
        let outcome = tokio::select! {
            outcome = fill => outcome,
            () = stop => Err(call::draining()),
        };
        // A caller that has gone does not want to know.
        ended.send(outcome).ok();
    };
    spawn(task.boxed());
    let last = stream::once(async move { end.await.unwrap_or_else(|_| Err(call::draining())) });
    let last = last.filter_map(|outcome| std::future::ready(outcome.err().map(|error| Err(Status::from(error)))));
    ReceiverStream::new(taken).map(Ok).chain(last).boxed()
}
