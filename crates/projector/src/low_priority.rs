//! Threads for tasks that give way to those who serve.

use std::io;

use tokio::runtime::{Builder, Runtime};

use crate::cores::Priority;

/// So many threads that give way, and end when this is dropped.
pub struct LowPriorityThreads(Option<Runtime>);

impl LowPriorityThreads {
    /// Starts them, under this name.
    pub fn start(name: &'static str, threads: usize) -> io::Result<Self> {
        let give_way = || Priority::Low.apply_to_thread();
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(threads).thread_name(name).on_thread_start(give_way).enable_all();
        builder.build().map(|runtime| Self(Some(runtime)))
    }

    /// Does a task on them; those that it spawns are done there, too.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if let Some(runtime) = &self.0 {
            runtime.spawn(task);
        }
    }
}

impl Drop for LowPriorityThreads {
    fn drop(&mut self) {
        // Not waited for: this may be the thread of a task.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
