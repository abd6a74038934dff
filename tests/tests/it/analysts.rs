//! What analysts ask, on one customer made by hand whose every turn is known: history, bisect, series, explanations.

use serde_json::{Value, json};
use tests::{System, View, text_of};

const CUSTOMER: &str = "0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11";
/// Another one, of whom much is recorded.
const LONG: &str = "0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c12";
/// Another one, who withdraws consent to PROFILING.
const WITHDRAWN: &str = "0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c13";

/// The customer's events by number: type, when it happened, when that became known, and its fields.
///
/// A visit, then silence; a contract; an answer that is taken back; two complaints, and between them a revisit that
/// became known only in April.
fn events() -> [(u32, &'static str, &'static str, &'static str, Value); 7] {
    let lodged =
        |id: &str| json!({"complaint_id": id, "port": "REPAIR_SERVICE", "category": "LEAK", "severity": "HIGH"});
    let visit = json!({"visit_id": "V1", "kind": "FIRST", "purpose": "SALES_CENTRE", "lead_source": "WALK_IN",
        "consultant_id": "K1"});
    let signed = json!({"contract_id": "C1", "unit_id": "U1", "price_fen": 320_000_000, "payment": "FULL",
        "planned_handover_on": "2026-12-31"});
    let answer = json!({"survey_id": "S1", "wave_id": "2025", "port": "OVERALL", "item_code": "OVERALL_OVERALL",
        "metric": "CSAT", "score": 1});
    let void = json!({"target_event_id": event_id(3), "reason": "TYPED_TWICE"});
    let revisit = json!({"revisit_id": "R1", "mode": "PHONE", "trigger": "POST_COMPLAINT"});
    [
        (1, "VisitRecorded", "2025-01-01T02:00:00Z", "2025-01-01T02:00:00Z", visit),
        (2, "ContractSigned", "2025-02-01T02:00:00Z", "2025-02-01T02:00:00Z", signed),
        (3, "SurveyAnswered", "2025-02-10T02:00:00Z", "2025-02-10T02:00:00Z", answer),
        (4, "EventVoided", "2025-02-15T02:00:00Z", "2025-02-15T02:00:00Z", void),
        (5, "ComplaintLodged", "2025-03-01T08:00:00Z", "2025-03-01T08:00:00Z", lodged("Q1")),
        (6, "RevisitCompleted", "2025-03-05T08:00:00Z", "2025-04-01T08:00:00Z", revisit),
        (7, "ComplaintLodged", "2025-03-10T08:00:00Z", "2025-03-10T08:00:00Z", lodged("Q2")),
    ]
}

fn event_id(number: u32) -> String {
    format!("0190a5c8-7e4b-7cc3-8a5e-0000000000{number:02}")
}

fn line((number, kind, time, known, data): (u32, &str, &str, &str, Value)) -> String {
    let version = if kind == "SurveyAnswered" { 2 } else { 1 };
    let event = json!({
        "specversion": "1.0", "id": event_id(number), "source": "tests", "type": kind,
        "dataschema": format!("urn:lifefold:{kind}:{version}"), "subject": CUSTOMER, "time": time,
        "firstrecordedat": known, "channel": "SYSTEM", "data": data,
    });
    format!("{event}\n")
}

/// A running system that knows the customer, and the flags that lead to it.
struct Asked {
    system: System,
    flags: Vec<String>,
}

impl Asked {
    async fn start() -> Self {
        let mut system = System::start().await;
        let mut flags = vec!["--gateway".to_owned(), format!("http://{}", system.gateway.address())];
        for view in View::ALL {
            flags.extend([format!("--{}", view.name()), format!("http://{}", system.projector(view).address())]);
        }
        let text: String = events().into_iter().map(line).collect();
        std::fs::write(system.machine.folder().join("one.ndjson"), text).unwrap();
        let asked = Self { system, flags };
        let summary = asked.json(&["import", "one.ndjson"]);
        assert_eq!((&summary["recorded"], &summary["refused"]), (&7.into(), &0.into()));
        let last = summary["last_position"].to_string();
        for view in ["churn", "segment", "satisfaction"] {
            asked.done(&[view, "totals", "--min-position", &last]);
        }
        asked
    }

    /// Exit code, stdout and stderr of a command.
    fn run(&self, words: &[&str]) -> (Option<i32>, String, String) {
        let flags = self.flags.iter().map(String::as_str);
        text_of(self.system.machine.folder(), &words.iter().copied().chain(flags).collect::<Vec<_>>())
    }

    fn done(&self, words: &[&str]) -> String {
        let (code, out, err) = self.run(words);
        assert_eq!(code, Some(0), "{words:?}\n{err}\n{out}");
        out
    }

    fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.done(&[words, &["-o", "json"]].concat())).unwrap()
    }

    fn bisect(&self, until: &str, more: &[&str]) -> Value {
        self.json(&[&["bisect", CUSTOMER, "--until", until, "--as-of", "2025-06-30"], more].concat())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn analysts_find_when_and_why() {
    let asked = Asked::start().await;
    silence_and_windows_are_found_to_the_instant(&asked);
    events_are_found(&asked);
    what_never_was_or_makes_no_sense_is_said(&asked);
    history_goes_in_the_order_of_events(&asked);
    history_goes_in_the_order_of_knowledge(&asked);
    history_is_of_the_log_and_the_instant_that_are_asked(&asked);
    totals_go_over_time(&asked);
    answers_name_the_events_behind(&asked);
    what_is_withheld_is_said(&asked);
    long_histories_are_read_to_their_end(&asked);
}

/// No event makes it so: the 17th whole day of silence, and a revisit that leaves its window of 30 days.
fn silence_and_windows_are_found_to_the_instant(asked: &Asked) {
    let high = asked.bisect("band = HIGH", &[]);
    assert_eq!((&high["by"], &high["as_of"]), (&"TIME".into(), &"2025-01-18T02:00:00Z".into()), "{high}");
    assert_eq!((&high["before"]["band"], &high["after"]["p"]), (&"MEDIUM".into(), &"0.408196".into()), "{high}");
    let even = asked.bisect("p >= .5", &[]);
    assert_eq!((&even["by"], &even["as_of"]), (&"TIME".into(), &"2025-01-27T02:00:00Z".into()), "{even}");
    let unheard = asked.bisect("segment = complaints_unheard", &[]);
    assert_eq!((&unheard["by"], &unheard["as_of"]), (&"TIME".into(), &"2025-04-04T08:00:00Z".into()), "{unheard}");
    let text = asked.done(&["bisect", CUSTOMER, "--until", "band = HIGH", "--as-of", "2025-06-30"]);
    assert!(text.contains("time alone") && text.contains("2025-01-18 10:00:00+08:00"), "{text}");
    assert!(text.contains(&format!("lifefold churn explain {CUSTOMER} --as-of 2025-01-18T02:00:00Z")), "{text}");
}

fn events_are_found(asked: &Asked) {
    let named = |until: &str, more: &[&str], number: u32| {
        let found = asked.bisect(until, more);
        assert_eq!(found["by"], "EVENT", "{found}");
        assert_eq!(found["events"].as_array().unwrap().len(), 1, "{found}");
        assert_eq!(found["events"][0]["event_id"], event_id(number), "{found}");
    };
    named("stage = PROSPECT", &[], 1);
    named("stage = quasi-owner", &[], 2);
    named("class = DISSATISFIED", &[], 5);
    named("index <= 50", &[], 5);
    // The answer was not taken back yet, the revisit not known yet.
    named("class = DISSATISFIED", &["--known-at", "2025-02-12"], 3);
    named("segment = complaints_unheard", &["--known-at", "2025-03-20"], 7);
}

fn what_never_was_or_makes_no_sense_is_said(asked: &Asked) {
    let (code, out, err) = asked.run(&["bisect", CUSTOMER, "--until", "stage = EXITED", "--as-of", "2025-06-30"]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.contains("stage = EXITED: never so for"), "{err}");
    let (code, out, _) = asked.run(&["bisect", CUSTOMER, "--until", "p > .9", "--as-of", "2025-06-30", "-o", "json"]);
    let never: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &never["found"]), (Some(1), &false.into()));
    let found = asked.bisect("p > .4", &[]);
    let in_force = &asked.json(&["churn", "totals"])["meta"];
    for answer in [&never, &found] {
        let basis = ["position", "rules_version"].map(|name| &answer[name]);
        assert_eq!(basis, [&in_force["position"], &in_force["rules_version"]], "{answer}");
    }
    let (code, _, err) = asked.run(&["bisect", CUSTOMER, "--until", "bond = HIGH"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("field \"bond\": expected one of stage, band, p"), "{err}");
    for until in ["segment = complaints_unhaerd", "segment != complaints_unhaerd"] {
        for more in [&[][..], &["--known-at", "2025-03-20"]] {
            let (code, out, err) = asked.run(&[&["bisect", CUSTOMER, "--until", until], more].concat());
            assert_eq!((code, out.as_str()), (Some(2), ""), "{until}");
            assert!(err.contains("segment \"complaints_unhaerd\": expected one of those of the rules"), "{err}");
            assert!(err.contains("complaints_unheard"), "{err}");
        }
    }
}

fn history_goes_in_the_order_of_events(asked: &Asked) {
    let steps = asked.json(&["history", CUSTOMER, "--as-of", "2025-06-30"]);
    let steps = steps.as_array().unwrap();
    let ids: Vec<_> = steps.iter().map(|step| step["events"][0]["event_id"].as_str().unwrap()).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5, 6, 7].map(event_id));
    assert_eq!((&steps[0]["before"], &steps[0]["after"]["p"]), (&Value::Null, &"0.377541".into()));
    let signed = &steps[1];
    assert_eq!((&signed["before"]["stage"], &signed["before"]["band"]), (&"PROSPECT".into(), &"HIGH".into()));
    assert_eq!((&signed["changed"]["stage"], &signed["changed"]["p"]), (&"QUASI_OWNER".into(), &"0.075858".into()));
    assert_eq!(signed["changed"].get("class"), None, "{signed}");
    // What is taken back was never so, as we know now.
    assert_eq!((&steps[2]["events"][0]["voided"], &steps[2]["changed"]), (&true.into(), &json!({})));
    assert_eq!(steps[4]["changed"]["class"], "DISSATISFIED");
    let churn = asked.json(&["history", CUSTOMER, "--view", "churn", "--as-of", "2025-02-20"]);
    assert_eq!(churn.as_array().unwrap().len(), 4);
    assert_eq!(churn[1]["after"].as_object().unwrap().keys().collect::<Vec<_>>(), ["band", "p", "stage"]);
    let text = asked.done(&["history", CUSTOMER, "--as-of", "2025-06-30"]);
    assert!(text.contains("SurveyAnswered (voided)") && text.contains("stage QUASI_OWNER"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

/// Neither of an instant before the first event nor of a log that ends before it is there anything to step through.
fn history_is_of_the_log_and_the_instant_that_are_asked(asked: &Asked) {
    // The rules stand at position 2.
    let early = asked.json(&["history", CUSTOMER, "--as-of", "2025-06-30", "--max-position", "4"]);
    let ids: Vec<_> = early.as_array().unwrap().iter().map(|step| step["events"][0]["event_id"].clone()).collect();
    assert_eq!(ids, [1, 2].map(event_id));
    let in_force = &asked.json(&["churn", "totals"])["meta"];
    let all = asked.json(&["history", CUSTOMER, "--as-of", "2025-06-30"]);
    for (steps, position) in [(&early, &json!(4)), (&all, &in_force["position"])] {
        for step in steps.as_array().unwrap() {
            assert_eq!((&step["position"], &step["rules_version"]), (position, &in_force["rules_version"]), "{step}");
        }
    }
    for nothing in [["--as-of", "2024-12-31"], ["--known-at", "2024-12-31"], ["--max-position", "2"]] {
        let (code, _, err) = asked.run(&[&["history", CUSTOMER][..], &nothing].concat());
        assert!(code == Some(0) && err.contains("no event counts at that instant"), "{nothing:?} {err}");
    }
}

fn history_goes_in_the_order_of_knowledge(asked: &Asked) {
    let lines = asked.done(&["history", CUSTOMER, "--by", "recorded", "-o", "ndjson"]);
    let steps: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids: Vec<_> = steps.iter().map(|step| step["events"][0]["event_id"].as_str().unwrap()).collect();
    assert_eq!(ids, [1, 2, 3, 4, 5, 7, 6].map(event_id));
    assert_eq!(steps[2]["changed"]["class"], "DISSATISFIED", "{}", steps[2]);
    assert_eq!(steps[3]["changed"]["class"], "UNKNOWN", "{}", steps[3]);
    assert_eq!(steps[5]["after"]["segments"], json!(["complaints_unheard"]), "{}", steps[5]);
    assert_eq!(steps[6]["after"]["segments"], json!([]), "{}", steps[6]);
    // Why it came, and went again with the late report.
    let count = |text: &str, holds: bool, found: u32| {
        let condition = format!("count = {{ events = {text} }}");
        json!({"condition": condition, "negated": false, "holds": holds, "number": found})
    };
    let complaints = count("[\"ComplaintLodged\"], days = 90, min = 2", true, 2);
    let revisits = |holds, found| count("[\"RevisitCompleted\"], days = 30, max = 0", holds, found);
    let decided = |holds: bool, conditions: Value| {
        let decision = json!({"holds": holds, "conditions": conditions});
        json!([{"name": "complaints_unheard", "decision": decision}])
    };
    assert_eq!(steps[4]["segment_decisions"], json!([]), "{}", steps[4]);
    assert_eq!(steps[5]["segment_decisions"], decided(true, json!([complaints, revisits(true, 0)])));
    assert_eq!(steps[6]["segment_decisions"], decided(false, json!([revisits(false, 1)])));
}

fn totals_go_over_time(asked: &Asked) {
    let span = |words: &[&str]| {
        let text = asked.done(&[words, &["--from", "2025-01-31", "--to", "2025-03-31", "-o", "ndjson"]].concat());
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
    };
    let months = span(&["churn", "totals"]);
    let dates: Vec<_> = months.iter().map(|point| point["date"].as_str().unwrap()).collect();
    assert_eq!(dates, ["2025-01-31", "2025-02-28", "2025-03-31"]);
    assert_eq!(months[1]["meta"]["as_of"], "2025-02-28T15:59:59.999999Z");
    assert!(months.iter().all(|point| point["customers"] == 1), "{months:?}");
    // The rules stand at position 2, the visit at 3, the contract at 4.
    let stage = |more: &[&str]| {
        let words = ["segment", CUSTOMER, "--as-of", "2025-02-28"];
        asked.json(&[&words, more].concat())["customer"]["lifecycle"]["stage"].clone()
    };
    assert_eq!(stage(&["--max-position", "3"]), "LIFECYCLE_STAGE_PROSPECT");
    assert_eq!(stage(&["--max-position", "4"]), "LIFECYCLE_STAGE_QUASI_OWNER");
    assert_eq!(stage(&[]), "LIFECYCLE_STAGE_QUASI_OWNER");
    // On 12 February the answer of the 10th was not taken back yet.
    let classes = |more: &[&str]| {
        let day = ["satisfaction", "totals", "--from", "2025-02-12", "--to", "2025-02-12", "--every", "day"];
        let all = asked.json(&[&day, more].concat());
        let of = all["points"][0]["satisfaction_classes"].as_array().unwrap().clone();
        of.iter().find(|it| it["customers"] == 1).unwrap()["satisfaction_class"].clone()
    };
    assert_eq!(classes(&[]), "SATISFACTION_CLASS_UNKNOWN");
    assert_eq!(classes(&["--as-known"]), "SATISFACTION_CLASS_DISSATISFIED");
    let text = asked.done(&["segment", "totals", "--from", "2024-12-31", "--to", "2025-03-31"]);
    assert!(text.contains("2025-01-31") && text.contains("QUASI_OWNER 准业主") && text.contains("··██"), "{text}");
    let (code, _, err) =
        asked.run(&["churn", "totals", "--from", "2000-01-01", "--to", "2025-01-01", "--every", "day"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("more than 1000 instants: take a longer --every"), "{err}");
    let (code, _, err) = asked.run(&["churn", "totals", "--from", "2025-01-01", "--to", "9000-01-01"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("9000-01-01 is not over yet"), "{err}");
}

fn answers_name_the_events_behind(asked: &Asked) {
    let segments = asked.done(&["segment", "explain", CUSTOMER, "--as-of", "2025-05-01"]);
    assert!(segments.contains("2025-02-01 ContractSigned"), "{segments}");
    assert!(segments.contains("2025-03-10 ComplaintLodged"), "{segments}");
    let rows =
        ["complaints_unheard  yes    count = {", "first_home          no     motive = [\"FIRST_HOME\"]", "2 found"];
    assert!(rows.iter().all(|row| segments.contains(row)), "{segments}");
    assert_eq!(segments, asked.done(&["segment", CUSTOMER, "--as-of", "2025-05-01"]));
    let index = asked.done(&["satisfaction", "explain", CUSTOMER, "--as-of", "2025-05-01"]);
    assert!(index.contains("complaint Q1") && index.contains("2025-03-01 ComplaintLodged"), "{index}");
    assert_eq!(index, asked.done(&["satisfaction", "customer", CUSTOMER, "--as-of", "2025-05-01"]));
}

/// "Never so" would be another answer.
fn what_is_withheld_is_said(asked: &Asked) {
    let event = json!({
        "specversion": "1.0", "id": event_id(20), "source": "tests", "type": "ConsentWithdrawn",
        "dataschema": "urn:lifefold:ConsentWithdrawn:1", "subject": WITHDRAWN, "time": "2025-03-01T08:00:00Z",
        "channel": "SYSTEM", "data": {"purpose": "PROFILING"},
    });
    let position = asked.json(&["record", &event.to_string()])["position"].to_string();
    let bisect = |until: &str| asked.run(&["bisect", WITHDRAWN, "--until", until, "--min-position", &position]);
    for until in ["band = LOW", "p < .5", "tier = VIP", "segment != complaints_unheard", "class = UNKNOWN"] {
        let (code, out, err) = bisect(until);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{until}");
        assert!(err.contains("withdrew consent to PROFILING: only the stage can be asked about"), "{err}");
    }
    let (code, out, err) = bisect("stage = LEAD");
    assert!(code == Some(0) && out.contains("ConsentWithdrawn"), "{out}{err}");
}

/// More events than a page of the timeline has, and the one that counts comes last.
fn long_histories_are_read_to_their_end(asked: &Asked) {
    const PAGE: u32 = 1_000;
    let one = |number: u32, kind: &str, data: Value| {
        json!({
            "specversion": "1.0", "id": format!("0190a5c8-7e4b-7cc3-8a5e-1{number:011}"), "source": "tests",
            "type": kind, "dataschema": format!("urn:lifefold:{kind}:1"), "subject": LONG, "time": "2025-03-01T08:00:00Z",
            "channel": "SYSTEM", "data": data,
        })
    };
    let corrected = (0..PAGE).map(|number| one(number, "ProfileCorrected", json!({"field": "PHONE"})));
    let complaint = json!({"complaint_id": "Q1", "port": "REPAIR_SERVICE", "category": "LEAK", "severity": "HIGH"});
    let lines: Vec<_> =
        corrected.chain([one(PAGE, "ComplaintLodged", complaint)]).map(|it| format!("{it}\n")).collect();
    std::fs::write(asked.system.machine.folder().join("long.ndjson"), lines.concat()).unwrap();
    let summary = asked.json(&["import", "long.ndjson"]);
    assert_eq!((&summary["recorded"], &summary["refused"]), (&(PAGE + 1).into(), &0.into()), "{summary}");
    let last = summary["last_position"].to_string();
    let text = asked.done(&["churn", "explain", LONG, "--as-of", "2025-03-02", "--min-position", &last]);
    assert!(text.contains("2025-03-01 ComplaintLodged"), "{text}");
}
