//! What must hold when everything runs and nobody writes.

use std::collections::BTreeMap;

use api::v1;
use tests::{Clients, View, until};
use touchpoint::CustomerId;

use crate::ask::{self, now};
use crate::dice::Dice;
use crate::following::{Follower, Risks, Segments};
use crate::judging::Judge;
use crate::ledger::Ledger;
use crate::pinned::{Basis, PinnedQuestions};
use crate::replaying::Replays;
use crate::world::{Part, World};

/// Questions about the past that each rest adds for each view.
const PINNED_EACH: usize = 12;
/// Items of a page.
const PAGE_SIZE: i32 = 1_000;

/// Why a rebuild may be given up: somebody wanted it no more, or its process was killed early, or another one came first.
const MAY_END_REBUILDS: [&str; 2] = ["it was cancelled", "its process ended"];

/// What is looked at.
pub(crate) struct Rest<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) ledger: &'a Ledger,
    pub(crate) pinned: &'a PinnedQuestions,
    pub(crate) replays: &'a Replays,
    pub(crate) risks: &'a Follower<Risks>,
    pub(crate) segments: &'a Follower<Segments>,
}

impl Rest<'_> {
    /// Looks at everything, does something that may change no answer, and looks at the answers once more.
    ///
    /// # Panics
    /// If anything is wrong.
    pub(crate) async fn check(self, dice: &mut Dice, still: &[CustomerId]) {
        let log = self.world.machine.log_entries().await;
        let last = log.last().map_or(0, |entry| entry.position.0);
        self.ledger.is_in(&log);
        self.replays.had_all(&log);
        self.same_digests(last, dice).await;
        let (first, now) = (self.first_rules().await, now());
        let basis = Basis { position: last, rules_version: first, now, silenced: self.ledger.silenced() };
        let judge = Judge::new(&log);
        judge.check(View::ALL.map(|view| self.world.reader(view)), &basis, dice).await;
        self.lists_are_scans(last).await;
        self.export_is_whole(last).await;
        self.watchers_know(last).await;
        for view in View::ALL {
            let clients = self.world.reader(view);
            self.pinned.ask_all_again(&clients, view, basis.silenced).await;
            self.pinned.pin(&clients, view, None, &basis, dice).await;
            for _ in 0..PINNED_EACH {
                self.pinned.pin(&clients, view, Some(*dice.pick(still)), &basis, dice).await;
            }
        }
        let view = *dice.pick(&View::ALL);
        quiet_fault(self.world, view, dice).await;
        self.pinned.ask_all_again(&self.world.reader(view), view, basis.silenced).await;
        self.same_digests(last, dice).await;
        self.rebuilds_ended_well().await;
        self.world.never_panicked();
        self.world.never_complained();
    }

    /// All views have the same digests, which are those of a fresh fold; nothing was ever put right.
    async fn same_digests(&self, last: u64, dice: &mut Dice) {
        let fresh = folded(&self.world.machine.refolded(*dice.pick(&View::ALL), last).await);
        for view in View::ALL {
            let reader = self.world.reader(view);
            let serving = reader.reached(last).await;
            assert_eq!(folded(&serving), fresh, "{} by a fresh projector", view.name());
            let scrub = reader.status().await.and_then(|status| status.scrub).unwrap_or_default();
            assert_eq!(scrub.different, 0, "{}: {scrub:?}", view.name());
        }
    }

    /// No rebuild was given up because something was broken.
    async fn rebuilds_ended_well(&self) {
        for view in View::ALL {
            let request = v1::ListRebuildsRequest { page_size: PAGE_SIZE, ..Default::default() };
            let listed = self.world.reader(view).rebuilds().list_rebuilds(request).await;
            let listed = listed.unwrap_or_else(|status| panic!("ListRebuilds: {status:?}")).into_inner();
            let given_up = listed.rebuilds.iter().filter(|it| it.outcome() == v1::RebuildPhase::GivenUp);
            let mut wrong = given_up.filter(|it| !MAY_END_REBUILDS.iter().any(|may| it.message.contains(may)));
            assert_eq!(wrong.next(), None, "a rebuild of {}", view.name());
        }
    }

    /// The version of the rules that everything began with.
    async fn first_rules(&self) -> String {
        let request = v1::ListRulesRequest { page_size: PAGE_SIZE, ..Default::default() };
        let listed = self.world.gateway().rules().list_rules(request).await;
        let listed = listed.unwrap_or_else(|status| panic!("ListRules: {status:?}")).into_inner();
        listed.activations.last().map(|it| it.version.clone()).unwrap_or_default()
    }

    /// Totals that are kept are those of a scan of everybody at the same instant.
    async fn lists_are_scans(&self, last: u64) {
        for view in View::ALL {
            let clients = self.world.reader(view);
            let live = v1::ViewQuery { min_position: last, ..Default::default() };
            let (kept, meta) = answered(ask::all(&clients, view, live).await);
            let query = v1::ViewQuery { as_of: meta.as_of, min_position: last, ..Default::default() };
            let (scanned, of_scan) = answered(ask::all(&clients, view, query).await);
            assert_eq!(kept, scanned, "{} at {meta:?}", view.name());
            let rests_on = |it: &v1::AnswerMeta| (it.rules_version.clone(), it.unresolved_references, it.parked);
            assert_eq!(rests_on(&meta), rests_on(&of_scan), "{}", view.name());
        }
    }

    /// An export has everybody, and is of what is served.
    async fn export_is_whole(&self, last: u64) {
        let churn = self.world.reader(View::Churn);
        let request = v1::ExportRisksRequest::default();
        let export = churn.churn().export_risks(request).await;
        let mut export = export.unwrap_or_else(|status| panic!("at rest: {status:?}")).into_inner();
        let (mut customers, mut summary) = (0, None);
        while let Some(part) = export.message().await.unwrap_or_else(|status| panic!("at rest: {status:?}")) {
            customers += part.risks.len() as u64;
            summary = part.summary;
        }
        let (summary, serving) = (summary.unwrap_or_default(), churn.reached(last).await);
        assert_eq!((summary.customers, &summary.digest), (customers, &serving.digest), "{serving:?}");
        assert_eq!(customers, serving.customers);
    }

    /// Who watches knows what is served, once time has been told to both.
    async fn watchers_know(&self, last: u64) {
        let churn = self.world.reader(View::Churn);
        until("the watcher of risks to know what is served", async || {
            let places = self.risks.places(last)?.into_iter();
            let told: BTreeMap<_, _> = places.map(|(customer, it)| (customer, it.p_millionths)).collect();
            (told == risks(&churn, last).await).then_some(())
        })
        .await;
        let segmentation = self.world.reader(View::Segmentation);
        until("the watcher of segments to know what is served", async || {
            let places = self.segments.places(last)?.into_iter();
            let told: BTreeMap<_, _> =
                places.map(|(customer, it)| (customer, (it.stage, it.rfm_label, it.value_tier))).collect();
            (told == members(&segmentation, last).await).then_some(())
        })
        .await;
    }
}

/// What a generation has folded.
fn folded(it: &v1::Generation) -> (u64, String, String, u64, u64, u64) {
    (it.digest_position, it.digest.clone(), it.content_digest.clone(), it.customers, it.erased, it.parked)
}

fn answered(answered: ask::Answered) -> (String, v1::AnswerMeta) {
    answered.unwrap_or_else(|status| panic!("at rest: {status:?}"))
}

/// All pages of a list of the present.
async fn pages<T>(mut ask: impl AsyncFnMut(String) -> (Vec<T>, String)) -> Vec<T> {
    let (mut all, mut token) = (Vec::new(), String::new());
    loop {
        let (items, next) = ask(token).await;
        all.extend(items);
        if next.is_empty() {
            return all;
        }
        token = next;
    }
}

async fn risks(churn: &Clients, min_position: u64) -> BTreeMap<String, u32> {
    let listed = pages(async |page_token| {
        let query = Some(v1::ViewQuery { min_position, ..Default::default() });
        let request = v1::ListAtRiskRequest { query, page_size: PAGE_SIZE, page_token, ..Default::default() };
        let page = churn.churn().list_at_risk(request).await;
        let page = page.unwrap_or_else(|status| panic!("at rest: {status:?}")).into_inner();
        (page.risks, page.next_page_token)
    });
    listed.await.into_iter().map(|it| (it.customer_id, it.p_millionths.unwrap_or_default())).collect()
}

async fn members(segmentation: &Clients, min_position: u64) -> BTreeMap<String, (i32, i32, i32)> {
    let mut all = BTreeMap::new();
    for stage in (1..).map_while(|number| v1::LifecycleStage::try_from(number).ok()) {
        let selector = Some(v1::member_selector::Selector::Stage(stage.into()));
        let listed = pages(async |page_token| {
            let selector = Some(v1::MemberSelector { selector: selector.clone() });
            let query = Some(v1::ViewQuery { min_position, ..Default::default() });
            let request = v1::ListMembersRequest { selector, query, page_size: PAGE_SIZE, page_token, scope: None };
            let page = segmentation.segmentation().list_members(request).await;
            let page = page.unwrap_or_else(|status| panic!("at rest: {status:?}")).into_inner();
            (page.members, page.next_page_token)
        });
        all.extend(listed.await.into_iter().map(|it| (it.customer_id, (it.stage, it.rfm_label, it.value_tier))));
    }
    all
}

/// Something happens that may change no answer.
async fn quiet_fault(world: &mut World, view: View, dice: &mut Dice) {
    match dice.between(0, 3) {
        0 => {
            world.kill(Part::Projector(view));
            world.start_again(Part::Projector(view));
        }
        1 => drop(world.reader(view).rebuilt().await),
        2 => {
            world.machine.nats.kill().unwrap_or_else(|error| panic!("nats-server: {error}"));
            world.machine.nats.restart().unwrap_or_else(|error| panic!("nats-server: {error}"));
        }
        _ => Part::ALL.into_iter().for_each(|part| world.proxy(part).cut()),
    }
    world.serving().await;
}
