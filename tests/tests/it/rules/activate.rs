//! `rules activate`: what `rules diff` foretold comes true in every view, and only from then on.

use std::collections::BTreeMap;
use std::fs;

use api::v1;
use serde_json::Value;
use tests::{System, View, text_of};
use views::rules::Rules;

use crate::rules::population::{AS_OF, CANDIDATE, STALE_ONE, id, start};

fn first() -> String {
    Rules::default().version().to_string()
}

fn candidate() -> String {
    Rules::parse(CANDIDATE).unwrap().version().to_string()
}

/// A system, and the flags that lead to it.
struct World {
    system: System,
    flags: Vec<String>,
}

impl World {
    async fn start() -> Self {
        let (mut system, mut flags) = start().await;
        flags.extend(["--gateway".to_owned(), format!("http://{}", system.gateway.address())]);
        fs::write(system.machine.folder().join("candidate.toml"), CANDIDATE).unwrap();
        Self { system, flags }
    }

    /// Runs `rules` with these arguments, which must succeed with this code; what it says as JSON.
    fn rules(&self, arguments: &[&str], code: i32) -> Value {
        let flags = self.flags.iter().map(String::as_str);
        let all: Vec<_> =
            ["rules"].into_iter().chain(arguments.iter().copied()).chain(["-o", "json"]).chain(flags).collect();
        let (ended, out, err) = text_of(self.system.machine.folder(), &all);
        assert_eq!(ended, Some(code), "{all:?}: {err}\n{out}");
        serde_json::from_str(&out).unwrap_or_default()
    }

    /// The version and position of every activation, the last first; only the first of them is in force.
    fn history(&self) -> Vec<(String, u64)> {
        let said = self.rules(&["history"], 0);
        let all = said["activations"].as_array().unwrap();
        assert!(all.iter().enumerate().all(|(index, it)| it["active"] == (index == 0)), "{said:#}");
        all.iter().map(|it| (it["version"].as_str().unwrap().to_owned(), it["position"].as_u64().unwrap())).collect()
    }

    async fn bands(&mut self, query: v1::ViewQuery) -> (String, BTreeMap<String, u64>) {
        let request = v1::CountBandsRequest { query: Some(query), ..Default::default() };
        let said = self.system.reader(View::Churn).churn().count_bands(request).await.unwrap().into_inner();
        let band =
            |it: &v1::BandCount| (it.band().as_str_name().trim_start_matches("RISK_BAND_").to_owned(), it.customers);
        (said.meta.unwrap().rules_version, said.bands.iter().map(band).filter(|(_, count)| *count > 0).collect())
    }

    /// The rules, and the p of who is silent for long.
    async fn risk(&mut self, query: v1::ViewQuery) -> (String, u32) {
        let request = v1::GetRiskRequest { customer_id: id(STALE_ONE), query: Some(query) };
        let said = self.system.reader(View::Churn).churn().get_risk(request).await.unwrap().into_inner();
        (said.meta.unwrap().rules_version, said.risk.unwrap().p_millionths.unwrap())
    }

    /// What every view answers by, once it has applied this position.
    async fn all_go_by(&mut self, version: &str, position: u64) {
        let query = || Some(v1::ViewQuery { min_position: position, ..at() });
        let request = v1::CountMembersRequest { query: query(), ..Default::default() };
        let said = self.system.reader(View::Segmentation).segmentation().count_members(request).await.unwrap();
        let segmentation = said.into_inner().meta.unwrap().rules_version;
        let request = v1::CountClassesRequest { query: query(), ..Default::default() };
        let said = self.system.reader(View::Satisfaction).satisfaction().count_classes(request).await.unwrap();
        let satisfaction = said.into_inner().meta.unwrap().rules_version;
        let live = v1::ViewQuery { min_position: position, ..Default::default() };
        let (churn, (kept, _)) = (self.risk(query().unwrap()).await.0, self.bands(live).await);
        assert_eq!([segmentation, satisfaction, churn, kept], [version; 4].map(str::to_owned));
    }
}

fn at() -> v1::ViewQuery {
    let as_of = Some(api::names::timestamp(AS_OF.parse().unwrap()));
    v1::ViewQuery { as_of, ..Default::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_foretold_comes_true_from_then_on() {
    let mut world = World::start().await;
    assert_eq!(world.history(), [(first(), 2)], "the gateway has given an empty log its rules");
    let before = world.bands(at()).await;
    assert_eq!((&before.0, world.risk(at()).await), (&first(), (first(), 668_188)));
    let foretold = world.rules(&["diff", "candidate.toml", "--as-of", AS_OF], 3);

    // Nobody can be asked here.
    world.rules(&["activate", "candidate.toml"], 2);
    let said = world.rules(&["activate", "candidate.toml", "--yes", "--note", "says the test"], 0);
    let (position, recorded_at) =
        (said["activation"]["position"].as_u64().unwrap(), &said["activation"]["recorded_at"]);
    let by_then = recorded_at.as_str().unwrap().parse::<touchpoint::Timestamp>().unwrap();
    assert_eq!((&said["activation"]["version"], &said["already_active"]), (&candidate().into(), &false.into()));
    world.all_go_by(&candidate(), position).await;
    assert_eq!(world.risk(at()).await, (candidate(), 377_541));
    let after = world.bands(at()).await;
    assert_eq!(after, (candidate(), then(&foretold["churn"], &before.1)));

    // What was known before is answered by the rules of then; of the lists, too.
    let known_before = v1::ViewQuery { known_at: Some(api::names::timestamp(by_then.plus_micros(-1))), ..at() };
    assert_eq!(world.risk(known_before.clone()).await, (first(), 668_188));
    assert_eq!(world.bands(known_before).await, before);
    let known_then = v1::ViewQuery { known_at: Some(api::names::timestamp(by_then)), ..at() };
    assert_eq!(world.risk(known_then).await, (candidate(), 377_541));
    // Rules are an argument of every answer: of one customer, and of all, also of the present.
    let by = |version: &str, query: v1::ViewQuery| v1::ViewQuery { rules_version: version.to_owned(), ..query };
    assert_eq!(world.risk(by(&first(), at())).await, (first(), 668_188));
    assert_eq!(world.bands(by(&first(), at())).await, before);
    assert_eq!(world.bands(by(&first(), v1::ViewQuery::default())).await.0, first());
    let nobodys = v1::CountBandsRequest { query: Some(by("0123456789abcdef", at())), ..Default::default() };
    let refused = world.system.reader(View::Churn).churn().count_bands(nobodys).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
    assert!(format!("{refused:?}").contains("query.rules_version"), "{refused:?}");
    assert!(refused.message().contains("rules history"), "{refused}");
    // Once more changes nothing.
    let again = world.rules(&["activate", "candidate.toml", "--yes"], 0);
    assert_eq!((&again["activation"]["position"], &again["already_active"]), (&position.into(), &true.into()));

    let back = world.rules(&["rollback", "--yes"], 0)["activation"]["position"].as_u64().unwrap();
    world.all_go_by(&first(), back).await;
    assert_eq!(world.bands(at()).await, before);
    assert_eq!(world.history(), [(first(), back), (candidate(), position), (first(), 2)]);
    world.system.never_panicked();
}

/// The bands that a difference leads to.
fn then(diff: &Value, before: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let mut bands = before.clone();
    for cell in diff["diff"]["matrices"][0]["cells"].as_array().unwrap() {
        let customers = cell["customers"].as_u64().unwrap();
        *bands.entry(cell["from"].as_str().unwrap().to_owned()).or_default() -= customers;
        *bands.entry(cell["to"].as_str().unwrap().to_owned()).or_default() += customers;
    }
    assert_ne!(bands, *before, "the candidate moves somebody");
    bands.retain(|_, customers| *customers > 0);
    bands
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_start_again_go_by_the_log() {
    let mut world = World::start().await;
    let said = world.rules(&["activate", "candidate.toml", "--yes"], 0);
    let position = said["activation"]["position"].as_u64().unwrap();
    world.all_go_by(&candidate(), position).await;
    for view in View::ALL {
        world.system.projector(view).crash();
    }
    world.system.gateway.crash();
    world.system.serving().await;
    world.all_go_by(&candidate(), position).await;
    let last = world.system.machine.last_position().await;
    assert_eq!(last, Some(position), "a gateway that starts again gives the log no rules");
    for view in View::ALL {
        let status = world.system.reader(view).status().await.unwrap();
        assert_eq!((status.rules_version, status.rules_position), (candidate(), position));
        assert_eq!(status.rules_notice, "", "nobody has given these projectors a file");
    }
    // A projector with an own file says that the log's rules apply.
    fs::write(world.system.machine.folder().join("own.toml"), "[lifecycle]\nlost_after_days = 50\n").unwrap();
    let store = world.system.machine.folder().join("another");
    let command = ["projector", "churn", "--data", &store.to_string_lossy(), "--rules", "own.toml"];
    let mut another = world.system.machine.service("another", command);
    let reader = tests::Clients::of(another.address());
    reader.serving(View::Churn.service()).await;
    let status = reader.status().await.unwrap();
    assert_eq!(status.rules_version, candidate());
    assert!(status.rules_notice.contains("not those of this process's file"), "{}", status.rules_notice);
    // A new fold of the whole log meets both activations.
    let rebuilt = world.system.reader(View::Churn).rebuilt().await;
    assert_eq!(rebuilt.position, position);
    world.all_go_by(&candidate(), position).await;
    world.system.never_panicked();
    another.never_panicked();
}
