//! Storms, and rests between them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tests::{Clients, View};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::Wanted;
use crate::ask::now;
use crate::dice::Dice;
use crate::floors::Floors;
use crate::following::{Follower, Risks, Segments};
use crate::ledger::Ledger;
use crate::operating::Operator;
use crate::pinned::PinnedQuestions;
use crate::replaying::{self, Replays};
use crate::resting::Rest;
use crate::story::Story;
use crate::world::World;
use crate::{reading, writing};

/// How long a storm lasts, in seconds.
const STORM_SECONDS: [u64; 2] = [10, 40];
/// Callers who record.
const RECORDERS: u64 = 3;
/// Pause between two questions about the past.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// How often it is looked whether something is wrong.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What all callers of a storm have.
pub(crate) struct Shared {
    pub(crate) gateway: Clients,
    /// In the order of [`View::ALL`].
    pub(crate) readers: [Clients; 3],
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) pinned: Arc<PinnedQuestions>,
    pub(crate) replays: Arc<Replays>,
    pub(crate) floors: Floors,
    pub(crate) stop: CancellationToken,
}

/// Goes on until the time is over.
///
/// # Panics
/// If anything is wrong.
pub(crate) async fn run(world: &mut World, wanted: Wanted) {
    let (begun, minutes) = (Instant::now(), wanted.time.as_secs().div_ceil(60));
    let mut dice = Dice::new(wanted.seed, 2);
    let mut story = Story::new(wanted.seed, minutes, now());
    let (ledger, pinned) = (Arc::new(Ledger::default()), Arc::new(PinnedQuestions::default()));
    let replays = Arc::new(Replays::default());
    let (risks, segments) = (Follower::<Risks>::default(), Follower::<Segments>::default());
    let mut followers = JoinSet::new();
    followers.spawn(risks.clone().follow(world.reader(View::Churn), Dice::new(wanted.seed, 3)));
    followers.spawn(segments.clone().follow(world.reader(View::Segmentation), Dice::new(wanted.seed, 4)));
    let mut operator = Operator::new(Dice::new(wanted.seed, 5), begun, story.still.clone());
    let mut storms = 0;
    while begun.elapsed() < wanted.time {
        storms += 1;
        let shared = Arc::new(Shared {
            gateway: world.gateway(),
            readers: View::ALL.map(|view| world.reader(view)),
            ledger: ledger.clone(),
            pinned: pinned.clone(),
            replays: replays.clone(),
            floors: world.floors.clone(),
            stop: CancellationToken::new(),
        });
        let [least, most] = STORM_SECONDS;
        let left = wanted.time.saturating_sub(begun.elapsed());
        let until = Instant::now() + left.min(Duration::from_secs(dice.between(least, most)));
        let mut callers = Callers::start(&shared, story, wanted.seed, storms);
        while Instant::now() < until {
            operator.step(world);
            callers.look();
            all_well(&mut followers);
            sleep(LOOK_EVERY).await;
        }
        operator.calm(world).await;
        story = callers.stop(&shared).await;
        all_well(&mut followers);
        let rest =
            Rest { world, ledger: &ledger, pinned: &pinned, replays: &replays, risks: &risks, segments: &segments };
        rest.check(&mut dice, &story.still).await;
        all_well(&mut followers);
        operator.say(&format!("storm {storms} is over, all is well: {}", ledger.summary()));
    }
    let (risks, segments) = (risks.lists(), segments.lists());
    println!("watchers listed {risks} and {segments} times, {} questions are pinned", pinned.len());
}

/// Nothing has ended.
fn all_well(tasks: &mut JoinSet<()>) {
    if let Some(ended) = tasks.try_join_next() {
        ended.unwrap_or_else(|error| panic!("{error}"));
        panic!("a watcher ended");
    }
}

/// Those who write and ask in a storm.
struct Callers {
    all: JoinSet<()>,
    imports: JoinSet<Story>,
}

impl Callers {
    fn start(shared: &Arc<Shared>, story: Story, seed: u64, storm: u64) -> Self {
        let dice = |number: u64| Dice::new(seed, storm * 100 + number);
        let (mut all, mut imports) = (JoinSet::new(), JoinSet::new());
        imports.spawn(writing::imports(shared.clone(), story, dice(0)));
        for number in 0..RECORDERS {
            all.spawn(writing::records(shared.clone(), dice(1 + number)));
        }
        for view in View::ALL {
            all.spawn(reading::reads(shared.clone(), view));
        }
        all.spawn(replaying::replays(shared.clone(), dice(51)));
        all.spawn(asks_again(shared.clone(), dice(50)));
        Self { all, imports }
    }

    /// Everybody lives, but for who has come to an end.
    fn look(&mut self) {
        while let Some(ended) = self.all.try_join_next() {
            ended.unwrap_or_else(|error| panic!("a caller: {error}"));
        }
    }

    async fn stop(mut self, shared: &Shared) -> Story {
        shared.stop.cancel();
        while let Some(ended) = self.all.join_next().await {
            ended.unwrap_or_else(|error| panic!("a caller: {error}"));
        }
        let story = self.imports.join_next().await.unwrap_or_else(|| panic!("nobody imports"));
        story.unwrap_or_else(|error| panic!("an import: {error}"))
    }
}

/// Asks about the past, again and again.
async fn asks_again(shared: Arc<Shared>, mut dice: Dice) {
    while !shared.stop.is_cancelled() {
        shared.pinned.ask_again(&shared.readers, &mut dice).await;
        sleep(ASK_EVERY).await;
    }
}
