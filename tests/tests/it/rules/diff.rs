//! `rules diff`: of six customers it is known who moves, where to, and why.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};
use tests::{System, text_of};

use crate::rules::population::{
    AS_OF, CANDIDATE, CONTENT_ONE, FRESH_ONE, LOST_ONE, STALE_ONE, WITHHELD_LOST, WITHHELD_STALE, event_id, id, start,
};

/// Runs `rules diff` with these arguments: exit code, stdout, stderr.
fn diff(system: &System, flags: &[String], arguments: &[&str]) -> (Option<i32>, String, String) {
    let flags = flags.iter().map(String::as_str);
    let all: Vec<_> = ["rules", "diff"].into_iter().chain(arguments.iter().copied()).chain(flags).collect();
    text_of(system.machine.folder(), &all)
}

/// customers, moved, shifted, same, withheld, withheld_changed.
fn counts(said: &Value) -> Vec<u64> {
    let names = ["customers", "moved", "shifted", "same", "withheld", "withheld_changed"];
    names.iter().map(|name| said["diff"][*name].as_u64().unwrap()).collect()
}

fn cells(said: &Value, axis: usize) -> BTreeSet<(String, String, u64)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let cells = said["diff"]["matrices"][axis]["cells"].as_array().unwrap().iter();
    cells.map(|it| (text(&it["from"]), text(&it["to"]), it["customers"].as_u64().unwrap())).collect()
}

fn cell(from: &str, to: &str, customers: u64) -> (String, String, u64) {
    (from.to_owned(), to.to_owned(), customers)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_known_movers_move_and_nobody_else() {
    let (system, flags) = start().await;
    let file = |name: &str, text: &str| fs::write(system.machine.folder().join(name), text).unwrap();
    file("candidate.toml", CANDIDATE);
    file("same.toml", "# the defaults\n");
    file("wrong.toml", "[churn]\nhorizn = 1\n\n[lifecycle]\nlost_after_days = -1\n");

    let (code, out, err) = diff(&system, &flags, &["candidate.toml", "--as-of", AS_OF, "-o", "json"]);
    assert_eq!(code, Some(3), "{err}\n{out}");
    let said: Value = serde_json::from_str(&out).unwrap();
    churn(&said["churn"]);
    segmentation(&said["segmentation"]);
    segments_say_why(&said["segmentation"]);
    satisfaction(&said["satisfaction"]);

    written(&system, &flags);
    let (code, out, err) = diff(&system, &flags, &["candidate.toml", "--as-of", AS_OF]);
    assert_eq!(code, Some(3), "{err}");
    for part in [
        "churn: 1 of 6 customers move",
        "HIGH → MEDIUM",
        "SILENCE +1.2 → –",
        "+lost_ones",
        "days silent 81",
        "seen_of_late now: no such segment",
        "first_home then: no such segment",
        "seen_of_late then: count = {",
        "then",
    ] {
        assert!(out.contains(part), "{part} is not in\n{out}");
    }
    assert!(!out.contains(&id(WITHHELD_LOST)), "{out}");

    let (code, out, err) = diff(&system, &flags, &["same.toml", "--as-of", AS_OF, "-o", "ndjson"]);
    assert_eq!((code, out.lines().count()), (Some(0), 3), "{err}\n{out}");
    let (code, _, err) = diff(&system, &flags, &["wrong.toml"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("wrong.toml:2:") && err.contains("wrong.toml:5:"), "{err}");
    system.never_panicked();
}

fn churn(said: &Value) {
    // Who becomes LOST has p 1 and stays CRITICAL.
    assert_eq!(counts(said), [6, 1, 1, 2, 2, 1], "{said:#}");
    assert_eq!(
        cells(said, 0),
        BTreeSet::from([cell("HIGH", "MEDIUM", 1), cell("CRITICAL", "CRITICAL", 1), cell("MEDIUM", "MEDIUM", 2)])
    );
    let moved = said["moved"].as_array().unwrap();
    assert_eq!(moved.len(), 1);
    assert_eq!(moved[0]["customer_id"], id(STALE_ONE));
    assert_eq!(moved[0]["reasons"], json!([{"code": "SILENCE", "before_millionths": 1_200_000}]));
    assert_eq!(moved[0]["figures"], json!([{"name": "p_millionths", "before": 668_188, "after": 377_541}]));
}

fn segmentation(said: &Value) {
    assert_eq!(counts(said), [6, 3, 0, 1, 2, 1], "{said:#}");
    // Stages are of everybody: who withholds the profile is in their totals, too.
    assert_eq!(
        cells(said, 0),
        BTreeSet::from([cell("PROSPECT", "LOST", 2), cell("PROSPECT", "PROSPECT", 3), cell("LEAD", "LEAD", 1)])
    );
    let segments = json!([
        {"name": "first_home", "before": 3, "after": 0, "gained": 0, "lost": 3},
        {"name": "high_net_worth", "before": 0, "after": 1, "gained": 1, "lost": 0},
        {"name": "lost_ones", "before": 0, "after": 1, "gained": 1, "lost": 0},
        {"name": "seen_of_late", "before": 0, "after": 2, "gained": 2, "lost": 0},
    ]);
    assert_eq!(said["diff"]["segments"], segments);
    let ids: BTreeSet<_> = said["moved"].as_array().unwrap().iter().map(|it| it["customer_id"].to_string()).collect();
    assert_eq!(ids, [STALE_ONE, LOST_ONE, FRESH_ONE].map(|one| json!(id(one)).to_string()).into());
    let of = |customer: u8| {
        let it = said["moved"].as_array().unwrap().iter().find(|it| it["customer_id"] == id(customer)).unwrap();
        (it["figures"].clone(), it["segment_reasons"].clone())
    };
    let (figures, segments) = of(STALE_ONE);
    assert_eq!(figures, json!([{"name": "recency", "before": 4, "after": 5}]));
    let visit = json!([{"event_id": event_id(STALE_ONE, 1)}]);
    let behind = |code: &str| json!({"code": code, "evidence": visit});
    assert_eq!(segments, json!([behind("high_net_worth"), behind("seen_of_late"), behind("first_home")]));
    assert_eq!(of(LOST_ONE).0, json!([{"name": "days_silent", "before": 81, "after": 81}]));
}

fn satisfaction(said: &Value) {
    // Who becomes LOST is said to be so here, too.
    assert_eq!(counts(said), [6, 1, 1, 2, 2, 1], "{said:#}");
    let moves = json!([{"axis": "satisfaction_class", "from": "NEUTRAL", "to": "SATISFIED"}]);
    assert_eq!(said["moved"][0]["customer_id"], id(CONTENT_ONE));
    assert_eq!(said["moved"][0]["moves"], moves);
    let reasons = json!([
        {"code": "OVERALL 2025-06-25", "before_millionths": 46_875_000, "after_millionths": 75_000_000},
        {"code": "SALES_SERVICE 2025-06-25", "before_millionths": 28_125_000, "after_millionths": 0},
    ]);
    assert_eq!((&said["moved"][0]["reasons"], &said["moved"][0]["figures"]), (&reasons, &json!([])));
}

/// Which conditions decide, under the rules in force and under the candidate ones.
fn segments_say_why(said: &Value) {
    let of = |customer: u8| -> Vec<Value> {
        let it = said["moved"].as_array().unwrap().iter().find(|it| it["customer_id"] == id(customer)).unwrap();
        it["segment_changes"].as_array().unwrap().clone()
    };
    let decided = |holds: bool, conditions: Value| json!({"holds": holds, "conditions": conditions});
    let condition = |text: &str, holds: bool| json!({"condition": text, "negated": false, "holds": holds});
    let found = |text: &str, holds: bool, what: &str, found: Value| {
        let mut it = condition(text, holds);
        it[what] = found;
        it
    };
    let motive = found("motive = [\"FIRST_HOME\"]", true, "value", json!("FIRST_HOME"));
    let lost = json!({"name": "first_home", "before": decided(true, json!([motive]))});
    let visits = "count = { events = [\"VisitRecorded\"], days = 60, min = 1 }";
    let seen = decided(true, json!([found(visits, true, "number", json!(1))]));
    // Both parts failed, and now the second one holds: its first condition by another rule, the other within `not`.
    let neither = json!([
        condition("budget_max_fen = { min = 1000000000 }", false),
        condition("largest_contract_fen = { min = 1000000000 }", false),
    ]);
    let silent = json!({"condition": "days_silent = { max = 10 }", "negated": true, "holds": false, "number": 42});
    let recent = found("recency = { min = 5 }", true, "number", json!(5));
    let expect = [
        json!({
            "name": "high_net_worth",
            "before": decided(false, neither),
            "after": decided(true, json!([recent, silent])),
        }),
        json!({"name": "seen_of_late", "after": seen}),
        lost.clone(),
    ];
    assert_eq!(of(STALE_ONE), expect);
    let stage = found("stage = [\"LOST\"]", true, "value", json!("LOST"));
    assert_eq!(of(LOST_ONE), [json!({"name": "lost_ones", "after": decided(true, json!([stage]))}), lost.clone()]);
    assert_eq!(of(FRESH_ONE), [json!({"name": "seen_of_late", "after": seen}), lost]);
}

/// The files have everybody who moves, whatever is shown.
fn written(system: &System, flags: &[String]) {
    for name in ["moves.csv", "moves.ndjson"] {
        let arguments = ["candidate.toml", "--as-of", AS_OF, "--limit", "1", "-o", "json", "--out", name];
        let (code, out, err) = diff(system, flags, &arguments);
        assert_eq!(code, Some(3), "{err}");
        let said: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(said["segmentation"]["moved"].as_array().unwrap().len(), 1);
    }
    let read = |name: &str| fs::read_to_string(system.machine.folder().join(name)).unwrap();
    let csv = read("moves.csv");
    assert!(
        csv.starts_with("view,customer_id,kind,name,from,to,before,after,condition,negated,holds_before,holds_after\n")
    );
    for row in [
        format!("churn,{},axis,band,HIGH,MEDIUM,,,,,,\n", id(STALE_ONE)),
        format!("churn,{},reason,SILENCE,,,1200000,,,,,\n", id(STALE_ONE)),
        format!("segmentation,{},axis,stage,PROSPECT,LOST,,,,,,\n", id(LOST_ONE)),
        format!("segmentation,{},segment,lost_ones,,member,,,,,,\n", id(LOST_ONE)),
        format!("segmentation,{},segment,first_home,member,,,,,,,\n", id(FRESH_ONE)),
        format!("segmentation,{},rules,lost_ones,,defined,,,,,,\n", id(LOST_ONE)),
        format!("segmentation,{},rules,first_home,defined,,,,,,,\n", id(FRESH_ONE)),
        format!(
            "segmentation,{},condition,high_net_worth,,,,42,days_silent = {{ max = 10 }},true,,false\n",
            id(STALE_ONE)
        ),
        format!(
            "segmentation,{},condition,high_net_worth,,,,,budget_max_fen = {{ min = 1000000000 }},false,false,\n",
            id(STALE_ONE)
        ),
        format!("satisfaction,{},axis,satisfaction_class,NEUTRAL,SATISFIED,,,,,,\n", id(CONTENT_ONE)),
    ] {
        assert!(csv.contains(&row), "{row} is not in\n{csv}");
    }
    let lines: Vec<Value> = read("moves.ndjson").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut named: Vec<_> = lines.iter().map(|line| (line["view"].as_str(), line["customer_id"].as_str())).collect();
    named.dedup();
    assert_eq!(named.len(), 5, "{named:?}");
    for customer in [WITHHELD_STALE, WITHHELD_LOST] {
        assert!(!csv.contains(&id(customer)) && !read("moves.ndjson").contains(&id(customer)));
    }
}
