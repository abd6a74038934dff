//! Work shared out among the processor's cores.

use std::panic::resume_unwind;
use std::thread;

use tokio::sync::watch;
use tokio::task::spawn_blocking;

use crate::error::Panicked;

/// How much lower than that of the threads that serve the priority of a thread is that gives way, as `nice` counts:
/// where both want a core it gets about a tenth of it.
const GIVEN_WAY: i32 = 10;

/// Whether work goes before that of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// Somebody waits for it.
    Normal,
    /// On threads that give way to those who serve.
    Low,
}

/// The threads on which the work of a generation is done.
#[derive(Debug)]
pub(crate) struct Workers {
    /// How many work side by side where much is to be done.
    threads: usize,
    /// Low as long as nobody is served by their work: whoever is goes before.
    priority: watch::Sender<Priority>,
}

impl Workers {
    /// So many, at normal priority.
    pub(crate) fn new(threads: usize) -> Self {
        Self { threads, priority: watch::Sender::new(Priority::Normal) }
    }

    pub(crate) const fn threads(&self) -> usize {
        self.threads
    }

    /// From now on they work at this priority.
    pub(crate) fn prioritise(&self, priority: Priority) {
        self.priority.send_replace(priority);
    }

    pub(crate) fn priority(&self) -> Priority {
        *self.priority.borrow()
    }

    /// The priority as it changes.
    pub(crate) fn watch_priority(&self) -> watch::Receiver<Priority> {
        self.priority.subscribe()
    }
}

/// How many threads can work at the same time.
pub(crate) fn count() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Does these pieces of work side by side, and gives their results in order.
pub(crate) fn share_out<P: Send, T: Send>(
    priority: Priority,
    mut pieces: Vec<P>,
    work: impl Fn(P) -> T + Sync,
) -> Vec<T> {
    // One piece alone needs no other thread, unless this one must not give way.
    if pieces.len() <= 1 && priority == Priority::Normal {
        return pieces.pop().map(work).into_iter().collect();
    }
    let work = |piece| {
        priority.apply_to_thread();
        work(piece)
    };
    let work = &work;
    thread::scope(|scope| {
        let workers: Vec<_> = pieces.into_iter().map(|piece| scope.spawn(move || work(piece))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    })
}

/// Does this on a thread that gives way, while the calling one waits.
pub(crate) fn giving_way<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let worker = scope.spawn(|| {
            Priority::Low.apply_to_thread();
            work()
        });
        worker.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// Does this away from the threads that serve; `what` it is, should it panic.
pub(crate) async fn apart<T: Send + 'static>(
    what: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Panicked> {
    spawn_blocking(work).await.map_err(|_| Panicked(what))
}

impl Priority {
    /// The calling thread works at this priority, for the rest of its life: a thread can give its priority away, but not
    /// take it back.
    pub fn apply_to_thread(self) {
        if self == Self::Low
            && let Err(error) = rustix::process::nice(GIVEN_WAY)
        {
            tracing::debug!(%error, "work beside serving goes on at full priority");
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What `nice` says of this thread; Linux has it for each thread.
    fn niceness() -> i32 {
        rustix::process::nice(0).unwrap()
    }

    #[tokio::test]
    async fn what_panics_is_named() {
        assert_eq!(apart("comparing", || 3).await, Ok(3));
        let panicked: Result<(), _> = apart("comparing", || panic!("by the test")).await;
        assert!(panicked.unwrap_err().to_string().starts_with("comparing panicked"));
    }

    #[test]
    fn only_the_threads_that_give_way_do() {
        let before = niceness();
        assert_eq!(share_out(Priority::Normal, vec![1, 2, 3], |it| (it, niceness())), [1, 2, 3].map(|it| (it, before)));
        if cfg!(target_os = "linux") {
            let behind = (before + GIVEN_WAY).min(19);
            assert_eq!(share_out(Priority::Low, vec![1], |it| (it, niceness())), [(1, behind)]);
            assert_eq!(giving_way(niceness), behind);
        }
        assert_eq!(niceness(), before);
    }
}
