//! Rebuilds, and what is remembered of them.

use std::fs;
use std::path::Path;

use history::Order;
use projector::{Phase, Remembered};
use tokio::time::{Duration, sleep, timeout};
use view_store::{EncodedPage, PageNumber, Store};

use super::running::{PATIENCE, Running, start};
use super::{Log, population};

pub(crate) const SEED: u64 = 21;

/// A projector that serves a whole log.
pub(crate) async fn serving(dir: &Path, batch: usize) -> (Log, Running) {
    let (entries, _) = population(SEED, 60, Order::Recorded);
    let log = Log::new(entries, batch);
    let running = start(&log, dir).await;
    running.at(log.end()).await;
    (log, running)
}

pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let seen = async {
        while !is_so() {
            sleep(Duration::from_millis(2)).await;
        }
    };
    timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("{what}"));
}

pub(crate) fn is_saving(running: &Running) -> bool {
    matches!(phase(running), Some(Phase::Saving(_)))
}

/// What the last rebuild does, or how it ended.
pub(crate) fn phase(running: &Running) -> Option<Phase> {
    running.projector.last_rebuild().map(|it| it.phase)
}

pub(crate) fn newest(running: &Running) -> Remembered {
    running.projector.rebuilds()[0].clone()
}

/// Waits until the last rebuild has ended, and gives what is remembered of it.
pub(crate) async fn ended(running: &Running) -> Remembered {
    until("the rebuild to end", || newest(running).ending.is_some() && !is_saving(running)).await;
    newest(running)
}

/// Takes the records of one page out of the store, as if a mistake had lost them. Gives how many there were.
fn lose_a_page(dir: &Path) -> u64 {
    let store = Store::open(dir).unwrap();
    let serving = store.serving().unwrap().unwrap();
    let page = store.pages(serving, PageNumber::all()).unwrap().next().unwrap().unwrap();
    let nothing = EncodedPage::new(page.number(), [(0, ""); 0]).unwrap();
    store.commit(serving, [Ok(nothing)], &store.head(serving).unwrap()).unwrap();
    page.records().count() as u64
}

/// Takes records away beneath a projector, which starts again. Gives how many customers it lost.
pub(crate) async fn restart_without_a_page(running: Running, log: &Log, dir: &Path) -> (Running, u64) {
    running.stop().await;
    let lost = lose_a_page(dir);
    let running = start(log, dir).await;
    running.at(log.end()).await;
    (running, lost)
}

/// The files as a crash would leave them.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (entry, to) = (entry.as_ref().unwrap(), to.join(entry.as_ref().unwrap().file_name()));
        if entry.file_type().unwrap().is_dir() { copy(&entry.path(), &to) } else { drop(fs::copy(entry.path(), to)) }
    }
}
