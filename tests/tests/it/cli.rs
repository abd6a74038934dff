//! The client commands against a whole system: what was imported is read back in every form.

use std::path::PathBuf;

use history::believable::{Config, Population, Totals};
use serde_json::Value;
use tests::{CONTROL_MESSAGES, Clients, Machine, Service, View, instant, text_of, text_of_fed};

/// Customers of the history: with fewer, no project has the 30 answers that a rank needs.
const CUSTOMERS: u64 = 400;
const SEED: u64 = 7;
/// The history ends here, and so do the questions.
const UNTIL: &str = "2025-06-30T16:00:00Z";

/// Gateway, three projectors, and a history that was imported through the command line.
struct System {
    machine: Machine,
    // Stopped when dropped.
    _services: Vec<Service>,
    addresses: Vec<String>,
    population: Population,
    totals: Totals,
}

/// What a command left behind.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    /// It went well; on a slow machine stderr may say how far it came.
    fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{}\n{}", self.err, self.out);
        self.out
    }

    fn json(self) -> Value {
        serde_json::from_str(&self.done()).unwrap()
    }
}

impl System {
    async fn start() -> Self {
        let machine = Machine::start();
        let mut services = vec![gateway(&machine).await];
        let mut flags = vec!["--gateway".to_owned(), format!("http://{}", services[0].address())];
        for view in [View::Segmentation, View::Satisfaction, View::Churn] {
            let mut projector = machine.projector(view);
            let address = projector.address();
            Clients::of(address).serving(view.service()).await;
            flags.extend([format!("--{}", view.name()), format!("http://{address}")]);
            services.push(projector);
        }
        let population = Population::new(Config::new(CUSTOMERS, SEED, instant(UNTIL)));
        let totals = population.totals();
        Self { machine, _services: services, addresses: flags, population, totals }
    }

    /// Runs a command against the system.
    fn lifefold(&self, arguments: &[&str]) -> Ran {
        let addresses = self.addresses.iter().map(String::as_str);
        let all: Vec<_> = arguments.iter().copied().chain(addresses).collect();
        let (code, out, err) = text_of(self.machine.folder(), &all);
        Ran { code, out, err }
    }

    /// A file in the folder of the system.
    fn file(&self, name: &str, lines: impl IntoIterator<Item = Vec<u8>>) -> PathBuf {
        let path = self.machine.folder().join(name);
        let mut text = lines.into_iter().collect::<Vec<_>>().join(&b'\n');
        text.push(b'\n');
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Imports the history and gives the position that it ends at.
    fn import(&self) -> String {
        let (sent, _) = self.population.sent();
        self.file("history.ndjson", sent.iter().map(history::Planned::import_body));
        let summary = self.lifefold(&["import", "history.ndjson", "-o", "json"]).json();
        assert_eq!(summary["received"], self.totals.sent());
        assert_eq!(summary["recorded"], self.totals.events);
        assert_eq!(summary["duplicates"], self.totals.duplicates);
        assert_eq!(summary["refused"], 0);
        summary["last_position"].to_string()
    }
}

/// The gateway of a machine, serving.
async fn gateway(machine: &Machine) -> Service {
    let mut gateway = machine.gateway();
    Clients::of(gateway.address()).serving("lifefold.v1.TouchpointService").await;
    gateway
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_from_stdin_names_the_refused_line_and_ends_with_code_1() {
    let machine = Machine::start();
    let mut gateway = gateway(&machine).await;
    let url = format!("http://{}", gateway.address());
    let import = |lines: &[&str]| {
        let arguments = ["import", "-", "--gateway", &url, "-o", "json"];
        let (code, out, err) = text_of_fed(machine.folder(), &arguments, &lines.join("\n"));
        let summary: Value = serde_json::from_str(&out).unwrap();
        (code, ["recorded", "duplicates", "refused"].map(|name| summary[name].as_u64().unwrap()), err)
    };
    let (sent, _) = Population::new(Config::new(1, SEED, instant(UNTIL))).sent();
    let lines: Vec<_> = sent.iter().map(|it| String::from_utf8(it.import_body()).unwrap()).collect();
    let broken = lines[1].replace("\"specversion\":\"1.0\"", "\"specversion\":\"2.0\"");
    let (code, counted, err) = import(&[&lines[0], &broken, &lines[2]]);
    assert_eq!((code, counted), (Some(1), [2, 0, 1]), "{err}");
    assert!(err.contains("stdin:2: specversion: "), "{err}");
    let (code, counted, err) = import(&[&lines[0], &lines[1], &lines[2]]);
    assert_eq!((code, counted, err.as_str()), (Some(0), [1, 2, 0], ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_imported_is_read_back_in_every_form() {
    let system = System::start().await;
    let last = system.import();
    let at = ["--as-of", UNTIL, "--min-position", &last];
    let ask = |words: &[&str]| system.lifefold(&[words, &at].concat());

    totals_agree(&system, &ask);
    who_can_be_kept_is_listed(&ask);
    one_customer_is_explained(&system, &last, &ask);
    reports_are_of_the_last_wave(&ask);
    the_log_gives_back_what_was_sent(&system);
    projectors_are_compared(&system);
}

/// Stages count everybody who is not erased; every band's list is as long as its total.
fn totals_agree(system: &System, ask: &impl Fn(&[&str]) -> Ran) {
    let known = system.totals.customers - system.totals.erased;
    let totals = ask(&["segment", "totals", "-o", "json"]).json();
    assert_eq!((&totals["customers"], &totals["erased"]), (&known.into(), &system.totals.erased.into()));
    let stages = totals["stages"].as_array().unwrap();
    assert_eq!(stages.iter().map(|it| it["customers"].as_u64().unwrap()).sum::<u64>(), known);
    let members = ask(&["segment", "members", "stage", "run-in", "--limit", "1000", "-o", "ndjson"]).done();
    let run_in = stages.iter().find(|it| it["stage"] == "LIFECYCLE_STAGE_RUN_IN").unwrap();
    assert_eq!(members.lines().count() as u64, run_in["customers"].as_u64().unwrap());

    let bands = ask(&["churn", "totals", "-o", "json"]).json();
    for band in bands["bands"].as_array().unwrap() {
        let name = band["band"].as_str().unwrap().trim_start_matches("RISK_BAND_").to_owned();
        let list = ask(&["churn", "list", "--band", &name, "--limit", "1000", "-o", "ndjson"]).done();
        assert_eq!(list.lines().count() as u64, band["customers"].as_u64().unwrap(), "{name}");
    }
    let table = ask(&["churn", "totals"]).done();
    assert!(table.contains("CRITICAL") && table.contains("as of 2025-07-01 00:00:00+08:00"), "{table}");
    let funnel = ask(&["segment", "funnel", "-o", "json"]).json();
    assert_eq!(funnel["rows"][0]["steps"][0]["customers"], known);
    let (short, all) = (ask(&["segment", "funnel"]).done(), ask(&["segment", "funnel", "--all"]).done());
    assert!(short.contains("DELIVERED") && short.contains("--all shows every cohort"), "{short}");
    let cohorts = |text: &str| text.lines().filter(|line| line.starts_with("20")).count();
    assert_eq!(cohorts(&short), 12, "{short}");
    let rows = funnel["rows"].as_array().unwrap().iter().filter(|row| row["cohort"] != "").count();
    assert_eq!(cohorts(&all), rows);
}

/// Without a band, everybody who is not lost yet: the bands' lists without them.
fn who_can_be_kept_is_listed(ask: &impl Fn(&[&str]) -> Ran) {
    let list = |words: &[&str]| {
        let text = ask(&[&["churn", "list", "--limit", "1000", "-o", "ndjson"], words].concat()).done();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>()
    };
    let lost = |risk: &Value| {
        let stage = risk["lifecycle"]["stage"].as_str().unwrap();
        stage == "LIFECYCLE_STAGE_LOST" || stage == "LIFECYCLE_STAGE_EXITED"
    };
    let of_bands = ["CRITICAL", "HIGH", "MEDIUM", "LOW"].map(|band| list(&["--band", band])).concat();
    let (gone, kept): (Vec<_>, Vec<_>) = of_bands.into_iter().partition(|risk| lost(risk));
    assert!(!gone.is_empty() && !kept.is_empty());
    assert_eq!(list(&[]), kept);
}

/// The customer at the highest risk that has reasons.
fn one_customer_is_explained(system: &System, last: &str, ask: &impl Fn(&[&str]) -> Ran) {
    let list = ask(&["churn", "list", "--limit", "1000", "-o", "ndjson"]).done();
    let risks = list.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let risk = risks.into_iter().find(|risk| risk["reasons"].as_array().unwrap().len() > 1).unwrap();
    let (customer, reason) = (risk["customer_id"].as_str().unwrap(), &risk["reasons"][0]);
    let text = ask(&["churn", "explain", customer]).done();
    assert!(text.contains(customer) && text.contains(reason["code"].as_str().unwrap()), "{text}");
    let evidence = reason["evidence"][0]["occurred_at"].as_str().unwrap();
    let date = instant(evidence).shanghai_date().to_string();
    let named = text.split(&format!("{date} ")).skip(1).any(|rest| rest.starts_with(char::is_uppercase));
    assert!(named, "{date} and what happened, in\n{text}");
    // Thousands stand apart in tables.
    assert!(text.replace(',', "").contains(&format!("position {last} ")), "{text}");
    assert!(system.lifefold(&["timeline", customer]).done().contains("revision "));

    let segments = ask(&["segment", customer]).done();
    assert!(segments.contains("RFM") && segments.contains("value tier"), "{segments}");
    let index = ask(&["satisfaction", "customer", customer, "-o", "json"]).json();
    assert_eq!(index["customer"]["customer_id"], customer);
    let stranger = "0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11";
    let nobody = ask(&["churn", "explain", stranger]);
    assert_eq!(nobody.code, Some(1));
    assert!(nobody.err.contains("check the id, and --as-of"), "{}", nobody.err);
    let nobody = system.lifefold(&["timeline", stranger]);
    let expect = format!("error: {stranger}: the log has no event of this customer; check the id\n");
    assert_eq!((nobody.code, nobody.err), (Some(1), expect));
}

fn reports_are_of_the_last_wave(ask: &impl Fn(&[&str]) -> Ran) {
    let report = ask(&["satisfaction", "report", "-o", "json"]).json();
    let wave = report["wave_id"].as_str().unwrap();
    assert_eq!(report["scores"].as_array().unwrap().len(), 9);
    let text = ask(&["satisfaction", "report"]).done();
    assert!(text.contains(&format!("wave 调查期次 {wave}")) && text.contains("Repair 维修服务"), "{text}");
    // The last wave may have begun only just before; the one before it has overall answers.
    let wave = report["scores"][0]["change"]["previous_wave_id"].as_str().unwrap();
    let rank = ask(&["satisfaction", "rank", "--by", "project", "--wave", wave, "-o", "ndjson"]).done();
    let unit: Value = serde_json::from_str(rank.lines().next().unwrap()).unwrap();
    let unit = format!("project:{}", unit["unit_id"].as_str().unwrap());
    let project = ask(&["satisfaction", "report", "--unit", &unit, "--port", "OVERALL", "-o", "json"]).json();
    assert_eq!(project["scores"].as_array().unwrap().len(), 1);
    for words in ["compare", "indicators", "nps"] {
        let text = ask(&["satisfaction", words, "--unit", &unit, "--wave", wave]).done();
        assert!(text.contains(wave), "{text}");
    }
    let levels = ask(&["satisfaction", "service-levels", "-o", "json"]).json();
    let open = ask(&["satisfaction", "complaints", "--limit", "1000", "-o", "ndjson"]).done();
    assert_eq!(open.lines().count() as u64, levels["open"].as_u64().unwrap());
    assert!(ask(&["satisfaction", "totals"]).done().contains("DISSATISFIED"));
}

/// A replay is the distinct events as they were sent, and importing it again changes nothing.
fn the_log_gives_back_what_was_sent(system: &System) {
    let replayed = system.lifefold(&["replay"]).done();
    assert_eq!(replayed.lines().count() as u64, system.totals.events);
    let (sent, _) = system.population.sent();
    assert_eq!(replayed.lines().next().unwrap().as_bytes(), sent[0].import_body());
    let lodged = system.lifefold(&["replay", "--type", "ComplaintLodged", "--positions"]).done();
    let expect = system.totals.by_kind[&touchpoint::Kind::ComplaintLodged];
    assert_eq!(lodged.lines().count() as u64, expect);
    let first: Value = serde_json::from_str(lodged.lines().next().unwrap()).unwrap();
    assert_eq!(first["event"]["type"], "ComplaintLodged");
    let from = (first["position"].as_u64().unwrap() + 1).to_string();
    let rest = system.lifefold(&["replay", "--type", "ComplaintLodged", "--from", &from]).done();
    assert_eq!(rest.lines().count() as u64, expect - 1);

    system.file("again.ndjson", replayed.lines().map(|line| line.as_bytes().to_vec()));
    let again = system.lifefold(&["import", "again.ndjson", "-o", "json"]).json();
    assert_eq!((&again["recorded"], &again["duplicates"]), (&0.into(), &system.totals.events.into()));
}

fn projectors_are_compared(system: &System) {
    let status = system.lifefold(&["status", "-o", "json"]).json();
    for (index, view) in ["segmentation", "satisfaction", "churn"].into_iter().enumerate() {
        assert_eq!(status[index]["view"], view);
        let digest = status[index]["serving"]["digest"].as_str().unwrap();
        assert!(system.lifefold(&["status"]).done().contains(digest));
        let rebuilt = system.lifefold(&["rebuild", view, "--yes", "-o", "json"]).json();
        assert_eq!((&rebuilt["verdict"], &rebuilt["after"]["digest"]), (&"SAME".into(), &digest.into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_event_is_read_by_its_position_and_refusals_name_the_field() {
    let system = System::start().await;
    let customer = "0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11";
    let event = |id: u32, data: &str| {
        format!(
            r#"{{"type":"ComplaintLodged","id":"0190a5c8-7e4b-7cc3-8a5e-0000000000{id:02}","source":"tests",
            "subject":"{customer}","time":"2025-03-01T08:00:00Z","channel":"PHONE","data":{data}}}"#
        )
    };
    let good = r#"{"complaint_id":"Q1","port":"REPAIR_SERVICE","category":"LEAK","severity":"HIGH"}"#;
    let answer = system.lifefold(&["record", &event(1, good), "--expected-revision", "0", "-o", "json"]).json();
    let position = answer["position"].to_string();
    let read = ["satisfaction", "customer", customer, "--min-position", &position, "--as-of", "2025-03-02"];
    let text = system.lifefold(&read).done();
    assert!(text.contains("Q1") && text.contains("HIGH") && text.contains("LODGED"), "{text}");

    let again = system.lifefold(&["record", &event(1, good)]).done();
    assert!(again.ends_with(&format!("was recorded before, at position {position}\n")), "{again}");
    let other = system.lifefold(&["record", &event(1, &good.replace("HIGH", "LOW"))]);
    assert_eq!(other.code, Some(1));
    assert!(other.err.contains("with other content"), "{}", other.err);
    let stale = system.lifefold(&["record", &event(2, good), "--expected-revision", "0"]);
    assert_eq!(stale.code, Some(1));
    assert!(stale.err.contains(&format!("revision is {position}")), "{}", stale.err);

    let broken = event(3, r#"{"complaint_id":"Q1","port":"KITCHEN","category":"LEAK","severity":"HIGH"}"#);
    let dataschema = r#""dataschema":"urn:lifefold:ComplaintLodged:1","specversion":"1.0","#;
    let full = |event: String| event.replacen('{', &format!("{{{dataschema}"), 1).replace('\n', " ").into_bytes();
    system.file("mixed.ndjson", [full(event(4, good)), b"{".to_vec(), vec![], full(broken)]);
    let mixed = system.lifefold(&["import", "mixed.ndjson", "--errors", "refused.txt"]);
    assert_eq!((mixed.code, mixed.err.as_str()), (Some(1), ""));
    assert!(mixed.out.contains("1 written, 0 duplicates, 2 refused"), "{}", mixed.out);
    let refused = std::fs::read_to_string(system.machine.folder().join("refused.txt")).unwrap();
    let lines: Vec<_> = refused.lines().collect();
    assert!(lines[0].starts_with("mixed.ndjson:2: "), "{refused}");
    assert!(lines[1].starts_with("mixed.ndjson:4: data.port: "), "{refused}");
    let timeline = system.lifefold(&["timeline", customer, "-o", "ndjson"]).done();
    assert_eq!(timeline.lines().count(), 2);
}

/// The log is killed in the middle of an import: it goes on by itself, and every event is there once.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_survives_the_death_of_the_log() {
    let mut machine = Machine::start();
    let (mut gateway, mut churn) = (machine.gateway(), machine.projector(View::Churn));
    Clients::of(gateway.address()).serving("lifefold.v1.TouchpointService").await;
    let reader = Clients::of(churn.address());
    reader.serving(View::Churn.service()).await;
    let (sent, totals) = Population::new(Config::new(CUSTOMERS, SEED, instant(UNTIL))).sent();
    let mut text = sent.iter().map(history::Planned::import_body).collect::<Vec<_>>().join(&b'\n');
    text.push(b'\n');
    std::fs::write(machine.folder().join("history.ndjson"), text).unwrap();

    let (folder, url) = (machine.folder().to_owned(), format!("http://{}", gateway.address()));
    let import =
        std::thread::spawn(move || text_of(&folder, &["import", "history.ndjson", "-o", "json", "--gateway", &url]));
    reader.reached(100).await;
    assert!(!import.is_finished(), "the import is over before anything happened");
    machine.nats.kill().unwrap();
    machine.nats.restart().unwrap();
    let (code, out, err) = import.join().unwrap();
    assert_eq!(code, Some(0), "{err}");
    let summary: Value = serde_json::from_str(&out).unwrap();
    let number = |field: &str| summary[field].as_u64().unwrap();
    // What was recorded when its answer was lost comes back as a duplicate.
    assert_eq!(number("recorded") + number("duplicates"), totals.sent(), "{err}");
    assert!(number("recorded") <= totals.events);
    let ids: std::collections::HashSet<_> = machine.log_entries().await.into_iter().map(|it| it.body).collect();
    assert_eq!(ids.len() as u64, totals.events + CONTROL_MESSAGES as u64);
}
