//! A rebuild whose process ends before it does.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::support::rebuilt::{copy, ended, phase, restart_without_a_page, serving, until};
use crate::support::running::{NOW, Running, options, start};
use projector::{Origin, Phase, Projector, RebuildOptions, RebuildStatus, State};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use touchpoint::Position;
use view_store::{GenerationId, Head, Store};
use views::churn::Churn;

/// Slow enough to be interrupted: 64 events a second.
const SLOWLY: RebuildOptions = RebuildOptions { accept: false, max_rate: 64 };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_goes_on_after_a_restart_from_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let (log, running) = serving(dir.path(), 16).await;
    let wanted = running.at(log.end()).await;
    let rebuild = running.projector.begin_rebuild(SLOWLY).await.unwrap();
    let begun = rebuild.carry_out();
    let taken_in = || running.projector.status().building.is_some_and(|it| it.position >= Position(48));
    until("the rebuild to fold a part", taken_in).await;
    running.stop().await;

    let running = start(&log, dir.path()).await;
    let rebuilt = ended(&running).await;
    assert_eq!((rebuilt.generation, rebuilt.resumed, rebuilt.origin), (begun, 1, Origin::Fold));
    assert_eq!(rebuilt.ending.unwrap().given_up, None);
    assert_eq!(running.projector.status().serving.generation, begun);
    assert_eq!(running.at(log.end()).await, wanted);
    let resumed_after = log.tails().into_iter().filter(|after| (Position(48)..log.end()).contains(after)).count();
    assert_eq!(resumed_after, 1, "only what was missing is folded again: {:?}", log.tails());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_was_cut_off_is_told_of_before_it_goes_on_and_remembered_after_it_ended() {
    let dir = tempfile::tempdir().unwrap();
    let (log, running) = serving(dir.path(), 16).await;
    let begun = running.projector.begin_rebuild(SLOWLY).await.unwrap().carry_out();
    let projector = running.projector.clone();
    running.stop().await;
    assert_eq!(projector.last_rebuild().unwrap().phase, Phase::Interrupted, "no end of it");
    drop(projector);

    // Opened, but not run: it is not known yet what serves.
    let stop = CancellationToken::new();
    let opened = Projector::<Churn>::start(options(&log, dir.path(), Arc::new(|| NOW)), stop.clone()).await.unwrap();
    let wanted = RebuildStatus { generation: begun, phase: Phase::Interrupted, progress: None };
    assert_eq!(opened.last_rebuild(), Some(wanted));
    let running = tokio::spawn(async move { opened.run().await });
    stop.cancel();
    running.await.unwrap();

    let running = start(&log, dir.path()).await;
    let compared = ended(&running).await.ending.unwrap().compared.unwrap();
    running.stop().await;
    let running = start(&log, dir.path()).await;
    let Some(Phase::Switched(Some(findings))) = phase(&running) else { panic!("{:?}", phase(&running)) };
    assert_eq!((findings.compared, findings.different), compared);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_accepted_before_a_restart_is_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let (log, running) = serving(dir.path(), 16).await;
    let (running, lost) = restart_without_a_page(running, &log, dir.path()).await;
    let begun = running.projector.begin_rebuild(SLOWLY).await.unwrap().carry_out();
    assert!(running.projector.accept_rebuild());
    running.stop().await;

    let running = start(&log, dir.path()).await;
    let rebuilt = ended(&running).await;
    assert_eq!((rebuilt.generation, rebuilt.resumed, rebuilt.options.accept), (begun, 1, true));
    let ending = rebuilt.ending.unwrap();
    assert_eq!((ending.given_up, ending.compared.map(|(_, different)| different)), (None, Some(lost)));
    assert_eq!(running.projector.status().serving.generation, begun);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollback_goes_on_after_a_restart_and_is_compared_with_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (live, crashed) = (dir.path().join("live"), dir.path().join("crashed"));
    let (log, running) = serving(&live, 16).await;
    let first = running.projector.status().serving.generation;
    running.projector.begin_rebuild(RebuildOptions::default()).await.unwrap().finish().await.unwrap();
    let rollback = running.projector.begin_rollback().await.unwrap();
    copy(&live, &crashed);
    rollback.finish().await.unwrap();
    running.stop().await;

    let running = start(&log, &crashed).await;
    let rebuilt = ended(&running).await;
    assert_eq!((rebuilt.generation, rebuilt.origin, rebuilt.resumed), (first, Origin::Previous, 1));
    let ending = rebuilt.ending.unwrap();
    assert_eq!((ending.given_up, ending.compared), (None, None));
    assert_eq!(running.projector.status().serving.generation, first);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_served_already_when_the_process_ended_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let (log, running) = serving(dir.path(), 16).await;
    let begun = running.projector.begin_rebuild(RebuildOptions::default()).await.unwrap();
    let generation = begun.generation();
    begun.finish().await.unwrap();
    running.stop().await;
    // It ended after the switch, before it could write down how the rebuild had ended.
    let note = dir.path().join("rebuilds.json");
    let mut rebuilds: Value = serde_json::from_slice(&fs::read(&note).unwrap()).unwrap();
    rebuilds[0]["ending"] = Value::Null;
    fs::write(&note, rebuilds.to_string()).unwrap();

    let running = start(&log, dir.path()).await;
    let rebuilt = ended(&running).await;
    assert_eq!((rebuilt.generation, rebuilt.resumed), (generation, 0));
    let ending = rebuilt.ending.unwrap();
    assert_eq!((ending.given_up, Position(ending.position)), (None, log.end()));
    assert_eq!(running.projector.status().serving.generation, generation);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_waits_while_the_view_is_paused() {
    let dir = tempfile::tempdir().unwrap();
    let (log, running) = serving(dir.path(), 16).await;
    let first = running.projector.status().serving.generation;
    let begun = running.projector.begin_rebuild(SLOWLY).await.unwrap().carry_out();
    running.stop().await;
    // As if somebody had paused the view before the rebuild went on.
    let pause = json!({ "at": NOW.micros(), "by": "wang", "reason": "a test" });
    fs::write(dir.path().join("pause.json"), pause.to_string()).unwrap();

    let running = start(&log, dir.path()).await;
    running.is(|state| matches!(state, State::Paused(_))).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(phase(&running), Some(Phase::Interrupted));
    assert_eq!(running.projector.status().serving.generation, first);
    running.projector.resume().unwrap();
    assert_eq!(ended(&running).await.ending.unwrap().given_up, None);
    assert_eq!(running.projector.status().serving.generation, begun);
    running.stop().await;
}

/// Cuts a rebuild off, does this to what it left in the store, and starts again. The number of its generation, and why it
/// was given up.
async fn given_up(dir: &Path, harm: impl FnOnce(&Store, GenerationId)) -> (Running, u64, String) {
    let (log, running) = serving(dir, 16).await;
    let begun = running.projector.begin_rebuild(SLOWLY).await.unwrap().carry_out();
    running.stop().await;
    let store = Store::open(dir).unwrap();
    let id = store.generations().unwrap().into_iter().find(|id| id.get() == begun).unwrap();
    harm(&store, id);
    drop(store);
    let running = start(&log, dir).await;
    let reason = ended(&running).await.ending.unwrap().given_up.unwrap();
    (running, begun, reason)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_cut_off_and_cannot_go_on_is_given_up_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let (running, _, reason) = given_up(dir.path(), |store, id| store.drop_generation(id).unwrap()).await;
    assert!(reason.contains("before anything of it was on disk"), "{reason}");
    assert!(running.projector.begin_rebuild(RebuildOptions::default()).await.is_ok(), "another one may begin");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_cut_off_and_is_damaged_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let damage = |store: &Store, id| {
        let head = Head { extra: vec![7; 3], ..store.head(id).unwrap() };
        store.commit(id, [], &head).unwrap();
    };
    let (running, begun, reason) = given_up(dir.path(), damage).await;
    assert!(reason.contains("3 extra bytes in the head"), "{reason}");
    assert_ne!(running.projector.status().serving.generation, begun);
    running.stop().await;
}
