//! The three views over gRPC, of a believable history that came through the gateway, against the oracle; and whoever
//! has written reads what was written.

#![allow(clippy::disallowed_methods, reason = "producers have a clock")]
mod arriving;
mod churn;
mod question;
mod satisfaction;
mod segmentation;
mod waves;
mod world;

use tests::View;

use crate::views_e2e::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn lists_totals_scores_and_ranks_are_what_the_oracle_says() {
    let mut world = World::imported().await;
    let (risks, segments, indexes) = (
        world.system.reader(View::Churn),
        world.system.reader(View::Segmentation),
        world.system.reader(View::Satisfaction),
    );
    for question in world.past_questions() {
        churn::customers(&risks, &world, &question).await;
        segmentation::customers(&segments, &world, &question).await;
        satisfaction::customers(&indexes, &world, &question).await;
        churn::lists(&risks, &question).await;
        segmentation::lists(&segments, &question).await;
        satisfaction::report(&indexes, &question).await;
    }
    // What is kept up to date, and not scanned.
    let live = world.live_question().await;
    churn::lists(&risks, &live).await;
    segmentation::lists(&segments, &live).await;
    let live = world.live_question().await;
    satisfaction::report(&indexes, &live).await;

    arriving::own_writes_are_read(&mut world.system).await;
    arriving::the_end_of_the_log_is_known(&mut world.system).await;
    arriving::pages_are_stable(&mut world.system).await;
    world.system.never_panicked();
}
