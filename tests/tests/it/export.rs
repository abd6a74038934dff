//! Exports of a demo history from real processes, read back by DuckDB and Polars: the totals of the services, in every
//! format.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use tests::{Python, Up, text_of};

const FORMATS: [&str; 3] = ["parquet", "ndjson", "csv"];
const EXPORTS: [&str; 4] = ["events", "segmentation", "satisfaction", "churn"];
const AS_OF: [&str; 2] = ["--as-of", "2025-06-30"];

/// A running system with a demo history.
struct Demo {
    up: Up,
    folder: TempDir,
}

impl Drop for Demo {
    /// Asked to end, `up` takes its nats-server along; killed, it could not.
    fn drop(&mut self) {
        if self.up.service.ended().is_none() {
            self.up.service.terminate();
            self.up.service.wait();
        }
    }
}

impl Demo {
    fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let mut up = Up::start(folder.path(), &["--demo", "150"]);
        up.ready();
        Self { up, folder }
    }

    fn run(&self, words: &[&str]) -> (Option<i32>, String, String) {
        let data = self.up.data().to_string_lossy();
        text_of(self.folder.path(), &[words, &["--data", &data]].concat())
    }

    fn done(&self, words: &[&str]) -> String {
        let (code, out, err) = self.run(words);
        assert_eq!(code, Some(0), "{words:?}\n{err}\n{out}");
        out
    }

    fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.done(&[words, &["-o", "json"]].concat())).unwrap()
    }

    /// Exports everything in every format, into a folder for each; the manifests by the names of those.
    fn export_all(&self, into: &str) -> BTreeMap<String, Value> {
        let mut manifests = BTreeMap::new();
        for (what, format) in EXPORTS.iter().flat_map(|what| FORMATS.map(|format| (*what, format))) {
            let name = format!("{what}-{format}");
            let out = format!("{into}/{name}");
            let instant: &[&str] = if what == "events" { &[] } else { &AS_OF };
            let said = self.json(&[&["export", what, "--format", format, "--out", &out], instant].concat());
            let written = std::fs::read(self.folder.path().join(&out).join("manifest.json")).unwrap();
            assert_eq!(said, serde_json::from_slice::<Value>(&written).unwrap());
            manifests.insert(name, said);
        }
        manifests
    }
}

/// Counts by name, as rows of a query.
fn rows(counts: &Value, name: &str, prefix: &str) -> BTreeMap<String, u64> {
    let counts = counts.as_array().unwrap().iter().map(|it| {
        let value = it[name].as_str().unwrap();
        (value.strip_prefix(prefix).unwrap_or(value).to_owned(), it["customers"].as_u64().unwrap())
    });
    counts.filter(|(_, count)| *count > 0).collect()
}

/// The rows of a query by their first column; those without one are left out.
fn by_name(said: &Value) -> BTreeMap<String, u64> {
    let rows = said.as_array().unwrap().iter();
    rows.filter_map(|row| Some((row[0].as_str()?.to_owned(), row[1].as_u64().unwrap()))).collect()
}

#[test]
fn others_read_what_the_services_say_in_every_format() {
    let python = Python::with("readers.txt", env!("CARGO_TARGET_TMPDIR"));
    let demo = Demo::start();
    let manifests = demo.export_all("out");
    let moved = who_moves_is_written_in_every_format(&demo);
    let read = python.run("read_export.py", &[&demo.folder.path().join("out").to_string_lossy()]);
    for (name, manifest) in &manifests {
        let file = &manifest["files"][0];
        assert_eq!((&file["sha256"], &file["bytes"]), (&read[name]["sha256"], &read[name]["bytes"]), "{name}");
        let (what, _) = name.split_once('-').unwrap();
        let parquet = &read[format!("{what}-parquet")]["said"];
        assert_eq!(&read[name]["said"], parquet, "{name} says what Parquet says");
        assert_eq!(parquet["rows"][0][0], manifest["rows"], "{name}");
    }
    for format in FORMATS {
        let said = &read[format!("moves-{format}")]["said"];
        assert_eq!(said, &read["moves-parquet"]["said"], "{format}");
        assert_eq!(by_name(&said["kinds"])["churn axis"], moved);
    }
    events_are_those_of_the_log(&demo, &read["events-parquet"], &manifests["events-parquet"]);
    views_have_the_totals_of_their_services(&demo, &read, &manifests);
    columns_have_their_types(&read);
    again_is_the_same_and_only_by_force(&demo, &manifests);
    demo.up.service.never_panicked();
}

/// How many move on the axis of the churn view.
fn who_moves_is_written_in_every_format(demo: &Demo) -> u64 {
    std::fs::write(demo.folder.path().join("candidate.toml"), "[churn.reasons.SILENCE]\npoints_per_gap = 0\n").unwrap();
    let said = FORMATS.map(|format| {
        let folder = format!("out/moves-{format}");
        std::fs::create_dir_all(demo.folder.path().join(&folder)).unwrap();
        let out = format!("{folder}/moves.{format}");
        let words = ["rules", "diff", "candidate.toml", "-o", "json", "--out", &out];
        let (code, out, err) = demo.run(&[&words[..], &AS_OF].concat());
        assert_eq!(code, Some(3), "{err}");
        serde_json::from_str::<Value>(&out).unwrap()["churn"]["diff"]["moved"].as_u64().unwrap()
    });
    assert!(said[0] > 0 && said.iter().all(|moved| *moved == said[0]), "{said:?}");
    said[0]
}

/// The log as `replay` prints it, counted here.
fn events_are_those_of_the_log(demo: &Demo, read: &Value, manifest: &Value) {
    let lines = demo.done(&["replay", "--positions"]);
    let read_line = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        (line["position"].as_u64().unwrap(), line["event"].take())
    };
    let (positions, events): (Vec<u64>, Vec<Value>) = lines.lines().map(read_line).unzip();
    let said = &read["said"];
    let position = manifest["position"].as_u64().unwrap();
    // The log's own messages stand between the events, and are none.
    assert_eq!(manifest["rows"], events.len());
    assert_eq!(
        (&said["rows"][0][1], &said["rows"][0][2]),
        (&positions[0].into(), &(*positions.last().unwrap()).into())
    );
    assert!(position >= *positions.last().unwrap());
    let mut types = BTreeMap::new();
    for event in &events {
        *types.entry(event["type"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    assert_eq!(by_name(&said["types"]), types);
    let signed = events.iter().filter(|event| event["type"] == "ContractSigned");
    let prices: Vec<i64> = signed.map(|event| event["data"]["price_fen"].as_i64().unwrap()).collect();
    assert_eq!(said["prices"], json!([[prices.iter().sum::<i64>(), prices.len()]]));
    let of = |event: &Value| event["data"]["metric"] == "NPS" && event["data"]["score"].is_u64();
    let scores: Vec<u64> = events.iter().filter(|it| of(it)).filter_map(|it| it["data"]["score"].as_u64()).collect();
    let nps = said["scores"].as_array().unwrap().iter().find(|row| row[0] == "NPS").unwrap();
    assert_eq!(*nps, json!(["NPS", scores.iter().sum::<u64>(), scores.len()]));

    demo.done(&["export", "events", "--type", "LeadLost", "--from", "100", "--out", "lost"]);
    let manifest = std::fs::read(demo.folder.path().join("lost/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(
        (&manifest["selection"]["types"], &manifest["selection"]["from"]),
        (&json!(["LeadLost"]), &"100".into())
    );
    let late = positions.iter().zip(&events).filter(|(position, _)| **position >= 100);
    let lost = late.filter(|(_, event)| event["type"] == "LeadLost").count();
    assert_eq!((&manifest["rows"], &manifest["position"]), (&lost.into(), &position.into()));
    an_instant_narrows_the_events(demo, &positions, &events);
}

/// `--as-of` by when they happened, `--to` by when they were recorded: all of a demo are recorded now.
fn an_instant_narrows_the_events(demo: &Demo, positions: &[u64], events: &[Value]) {
    let export = |more: &[&str]| demo.json(&[&["export", "events", "--out", "then", "--force"], more].concat());
    let manifest = export(&["--as-of", "2025-06-30"]);
    let by_then = events.iter().filter(|it| it["time"].as_str().unwrap() < "2025-06-30T16:00:00").count();
    assert!(by_then > 0 && by_then < events.len());
    assert_eq!((&manifest["rows"], &manifest["as_of"]), (&by_then.into(), &"2025-06-30T15:59:59.999999Z".into()));
    let before = export(&["--to", "2025-06-30"]);
    assert_eq!((&before["rows"], &before["selection"]["to"]), (&0.into(), &"2025-06-30T15:59:59.999999Z".into()));

    let last = positions[positions.len() / 2];
    let half = export(&["--to", &last.to_string()]);
    let (rest, whole) = (export(&["--from", &(last + 1).to_string()]), export(&["--format", "csv"]));
    for digest in ["digest", "content_digest"] {
        let of = |manifest: &Value| u128::from_str_radix(manifest[digest].as_str().unwrap(), 16).unwrap();
        assert_eq!(of(&half).wrapping_add(of(&rest)), of(&whole), "{digest}");
    }
}

fn views_have_the_totals_of_their_services(demo: &Demo, read: &Value, manifests: &BTreeMap<String, Value>) {
    let totals = |view: &str| demo.json(&[&[view, "totals"], &AS_OF[..]].concat());
    let said = |what: &str| &read[format!("{what}-parquet")]["said"];
    let churn = totals("churn");
    assert_eq!(by_name(&said("churn")["bands"]), rows(&churn["bands"], "band", "RISK_BAND_"));
    assert_eq!(said("churn")["withheld"][0][0], churn["withheld"]);
    let segments = totals("segment");
    assert_eq!(by_name(&said("segmentation")["stages"]), rows(&segments["stages"], "stage", "LIFECYCLE_STAGE_"));
    assert_eq!(by_name(&said("segmentation")["tiers"]), rows(&segments["value_tiers"], "tier", "VALUE_TIER_"));
    assert_eq!(by_name(&said("segmentation")["labels"]), rows(&segments["rfm_labels"], "label", "RFM_LABEL_"));
    let members: u64 = rows(&segments["rule_segments"], "name", "").values().sum();
    assert_eq!(said("segmentation")["segments"][0][0], members);
    let satisfaction = totals("satisfaction");
    let classes = rows(&satisfaction["satisfaction_classes"], "satisfaction_class", "SATISFACTION_CLASS_");
    assert_eq!(by_name(&said("satisfaction")["classes"]), classes);

    let status = demo.json(&["status"]);
    for (view, totals) in [("segmentation", segments), ("satisfaction", satisfaction), ("churn", churn)] {
        let manifest = &manifests[&format!("{view}-parquet")];
        assert_eq!(manifest["rows"], totals["customers"]);
        let of = |name: &str| (manifest[name].clone(), totals["meta"][name].clone());
        for (ours, theirs) in ["as_of", "position", "rules_version", "unresolved_references", "parked"].map(of) {
            assert_eq!(ours, theirs);
        }
        let status = status.as_array().unwrap().iter().find(|it| it["view"] == view).unwrap();
        assert_eq!(manifest["digest"], status["serving"]["digest"]);
        assert_eq!(manifest["content_digest"], status["serving"]["content_digest"]);
    }
}

fn columns_have_their_types(read: &Value) {
    let expect = [
        ("events", "position", "BIGINT"),
        ("events", "occurred_at", "TIMESTAMP WITH TIME ZONE"),
        ("events", "planned_handover_on", "DATE"),
        ("events", "price_fen", "BIGINT"),
        ("events", "score", "INTEGER"),
        ("events", "not_applicable", "BOOLEAN"),
        ("events", "severity", "VARCHAR"),
        ("churn", "p_millionths", "INTEGER"),
        ("churn", "silent_since", "TIMESTAMP WITH TIME ZONE"),
        ("churn", "repurchase_from", "DATE"),
        (
            "churn",
            "reasons",
            "STRUCT(code VARCHAR, points_millionths BIGINT, \
             evidence STRUCT(event_id VARCHAR, occurred_at TIMESTAMP WITH TIME ZONE)[])[]",
        ),
        ("segmentation", "owner_from", "DATE"),
        ("segmentation", "live_contracts_fen", "BIGINT"),
        ("moves", "before", "BIGINT"),
        ("moves", "condition", "VARCHAR"),
        ("moves", "holds_after", "BOOLEAN"),
    ];
    for (what, column, kind) in expect {
        assert_eq!(read[format!("{what}-parquet")]["columns"][column], kind, "{what}.{column}");
    }
}

/// The same instant and position give the same bytes; what is there is replaced by force only, and nothing is left over.
fn again_is_the_same_and_only_by_force(demo: &Demo, manifests: &BTreeMap<String, Value>) {
    let out = Path::new("out/churn-csv").to_string_lossy().into_owned();
    let words = ["export", "churn", "--format", "csv", "--out", &out];
    let words = [&words[..], &AS_OF].concat();
    let (code, _, err) = demo.run(&words);
    assert_eq!(code, Some(1));
    assert!(err.contains("manifest.json is there already") && err.contains("--force"), "{err}");
    let again = demo.json(&[&words[..], &["--force"]].concat());
    assert_eq!(again, manifests["churn-csv"]);
    demo.done(&[&["export", "churn", "--out", &out, "--force"], &AS_OF[..]].concat());
    let mut left: Vec<_> = std::fs::read_dir(demo.folder.path().join(&out)).unwrap().collect::<Result<_, _>>().unwrap();
    left.sort_by_key(std::fs::DirEntry::file_name);
    let left: Vec<_> = left.iter().map(std::fs::DirEntry::file_name).collect();
    assert_eq!(left, ["churn.parquet", "manifest.json"]);
}
