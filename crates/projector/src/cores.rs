//! Work shared out among the processor's cores.

use std::panic::resume_unwind;
use std::thread;

/// How many threads can work at the same time.
pub(crate) fn count() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Does these pieces of work side by side, and gives their results in order. One piece alone is done on this thread.
pub(crate) fn share_out<P: Send, T: Send>(mut pieces: Vec<P>, work: impl Fn(P) -> T + Sync) -> Vec<T> {
    if pieces.len() <= 1 {
        return pieces.pop().map(work).into_iter().collect();
    }
    let work = &work;
    thread::scope(|scope| {
        let workers: Vec<_> = pieces.into_iter().map(|piece| scope.spawn(move || work(piece))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

/// Several sums made one.
pub(crate) fn merged<S: Default>(sums: Vec<S>, merge: impl Fn(&mut S, S)) -> S {
    let mut sums = sums.into_iter();
    let first = sums.next().unwrap_or_default();
    sums.fold(first, |mut sum, more| {
        merge(&mut sum, more);
        sum
    })
}
