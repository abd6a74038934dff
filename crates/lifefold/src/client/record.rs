//! `record`: one touchpoint, durable when the command ends.

use std::io::{IsTerminal, Read};

use api::v1;
use clap::builder::NonEmptyStringValueParser;
use serde_json::{Map, Value};
use touchpoint::{Event, Kind, Violation, Violations};

use super::asking::Call;
use super::failure::{Failure, Outcome};
use super::output::{self, Format};
use super::{format, query};
use crate::clock;
use crate::settings::Settings;

/// Most bytes that are read of an event; the gateway refuses more than 63 KiB.
const MAX_BYTES: u64 = 1 << 20;

const EXAMPLES: &str = r#"Examples:
  lifefold record '{"type":"VisitRecorded","subject":"0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11",
    "channel":"IN_PERSON","data":{"visit_id":"V1","kind":"FIRST","purpose":"SALES_CENTRE",
    "lead_source":"WALK_IN","consultant_id":"S7"}}'
  lifefold record visit.json --expected-revision 0
  some-program | lifefold record -

An event is CloudEvents 1.0 structured JSON. If it has none, specversion, id, time (now), source
("cli") and dataschema (the newest version) are filled in. To be safe against recording it twice,
give it an id of its own: the same event again is answered as a duplicate. The position that is
printed is what --min-position of the read commands takes."#;

/// Arguments of `record`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The event: JSON, a file, or - for stdin
    #[arg(value_name = "EVENT", default_value = "-", hide_default_value = true)]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    event: String,
    /// Record it only if the customer's last event is at this position; 0: if there is none
    #[arg(long, value_name = "POSITION", value_parser = query::position)]
    expected_revision: Option<u64>,
    #[command(flatten)]
    call: Call,
}

/// Runs `record`.
pub(crate) async fn run(args: Args, settings: &Settings) -> Result<Outcome, Failure> {
    let mut sent = object(&read(&args.event)?)?;
    fill(&mut sent, &clock::fresh_event_id().to_string(), &clock::now().to_string());
    let touchpoint = touchpoint(&sent)?;
    let id = touchpoint.id.clone();
    let request = v1::RecordRequest { touchpoint: Some(touchpoint), expected_revision: args.expected_revision };
    let link = args.call.link(settings);
    let answer = link.touchpoints().await?.record(link.request(request)).await?.into_inner();
    if args.call.output.output == Format::Table {
        let how = if answer.duplicate { "was recorded before" } else { "is recorded" };
        output::print(&format!("{id} {how}, at position {}\n", format::count(answer.position)))?;
    } else {
        args.call.output.show(&answer, |_| String::new())?;
    }
    Ok(Outcome::Done)
}

/// The JSON that an argument means.
fn read(event: &str) -> Result<String, Failure> {
    if event.trim_start().starts_with('{') {
        return Ok(event.to_owned());
    }
    let (name, read) = if event == "-" {
        if std::io::stdin().is_terminal() {
            output::note("reading an event from stdin; Ctrl-D ends it");
        }
        ("stdin", read_bounded(std::io::stdin().lock()))
    } else {
        (event, std::fs::File::open(event).and_then(read_bounded))
    };
    read.map_err(|error| Failure::File(name.to_owned(), error))
}

fn read_bounded(from: impl Read) -> std::io::Result<String> {
    let mut text = String::new();
    from.take(MAX_BYTES).read_to_string(&mut text).map(|_| text)
}

fn object(text: &str) -> Result<Map<String, Value>, Failure> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| Failure::Other(format!("the event is no JSON: {error}")))?;
    match value {
        Value::Object(map) => Ok(map),
        _ => Err(Failure::Other("the event is no JSON object".to_owned())),
    }
}

/// Gives the event what it does not say of itself.
fn fill(event: &mut Map<String, Value>, id: &str, now: &str) {
    let kind = event.get("type").and_then(Value::as_str).and_then(Kind::from_name);
    let dataschema = kind.map(|kind| format!("urn:lifefold:{}:{}", kind.name(), kind.version()));
    let defaults =
        [("specversion", Some("1.0".to_owned())), ("id", Some(id.to_owned())), ("time", Some(now.to_owned()))];
    for (name, text) in defaults.into_iter().chain([("source", Some("cli".to_owned())), ("dataschema", dataschema)]) {
        if let Some(text) = text.filter(|_| !event.contains_key(name)) {
            event.insert(name.to_owned(), Value::String(text));
        }
    }
}

/// The message, if the event is one and the message can say all of it.
fn touchpoint(sent: &Map<String, Value>) -> Result<v1::Touchpoint, Failure> {
    let bytes = serde_json::to_vec(sent).map_err(|error| Failure::Other(error.to_string()))?;
    let event = Event::decode(&bytes)?;
    let mut broken = Violations::default();
    event.refuse_personal_data(&bytes, &mut broken);
    if !broken.is_empty() {
        return Err(broken.into());
    }
    let message = api::touchpoints::from_event(&event);
    let kept: Map<String, Value> = serde_json::from_slice(&api::touchpoints::to_json(&message)).unwrap_or_default();
    let lost = unknown_fields(sent, &kept);
    if lost.is_empty() {
        return Ok(message);
    }
    let message = "is not of the catalogue and would be lost: leave it out, or use `import`, which stores it as sent";
    Err(Failure::Event(lost.into_iter().map(|field| Violation { field, message: message.to_owned() }).collect()))
}

/// Fields that are sent and not kept.
fn unknown_fields(sent: &Map<String, Value>, kept: &Map<String, Value>) -> Vec<String> {
    let missing = |prefix: &str, sent: &Map<String, Value>, kept: &Map<String, Value>| {
        let lost = sent.iter().filter(|(name, value)| !value.is_null() && !kept.contains_key(*name));
        lost.map(|(name, _)| format!("{prefix}{name}")).collect::<Vec<_>>()
    };
    let mut lost = missing("", sent, kept);
    if let (Some(Value::Object(sent)), Some(Value::Object(kept))) = (sent.get("data"), kept.get("data")) {
        lost.extend(missing("data.", sent, kept));
    }
    lost
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c12";

    /// The message of an event as typed, or the report of what is wrong.
    fn sent(text: &str) -> Result<v1::Touchpoint, String> {
        let event = object(text).map(|mut event| {
            fill(&mut event, ID, "2025-03-31T17:30:00.000000Z");
            event
        });
        event.and_then(|event| touchpoint(&event)).map_err(|failure| failure.report())
    }

    fn complaint(more: &str, data: &str) -> String {
        format!(
            r#"{{"type":"ComplaintAcknowledged","subject":"0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11","channel":"PHONE"{more},
            "data":{{"complaint_id":"Q1"{data}}}}}"#
        )
    }

    #[test]
    fn what_is_not_said_is_filled_in_and_what_is_said_stays() {
        let event = sent(&complaint("", "")).unwrap();
        assert_eq!((event.id.as_str(), event.source.as_str()), (ID, "cli"));
        assert_eq!(event.occurred_at.unwrap().seconds, 1_743_442_200);
        let own = r#","source":"crm/service","time":"2025-03-31T17:30:01Z""#;
        let event = sent(&complaint(own, "")).unwrap();
        assert_eq!((event.source.as_str(), event.occurred_at.unwrap().seconds), ("crm/service", 1_743_442_201));
    }

    #[test]
    fn broken_events_are_not_sent() {
        let broken = r#"{"type":"ComplaintAcknowledged","subject":"Mr Wang","data":{}}"#;
        let report = sent(broken).unwrap_err();
        for field in ["subject", "channel", "data.complaint_id"] {
            assert!(report.contains(&format!("\n  {field}")), "{report}");
        }
        assert!(sent("{").unwrap_err().starts_with("error: the event is no JSON: "));
        assert_eq!(sent("[1]").unwrap_err(), "error: the event is no JSON object");
    }

    #[test]
    fn nothing_is_lost_in_silence() {
        let report = sent(&complaint(r#","traceparent":"x""#, r#","mood":"angry""#)).unwrap_err();
        assert!(report.contains("traceparent") && report.contains("data.mood"), "{report}");
        assert!(sent(&complaint(r#","pii":"138…""#, "")).unwrap_err().contains("\n  pii"));
        assert!(!sent(&complaint(r#","pii":"secret""#, "")).unwrap_err().contains("secret"));
        // What the gateway refuses in any form is not advised to be imported.
        let corrected =
            complaint("", r#","field":"phone","new":"secret""#).replace("ComplaintAcknowledged", "ProfileCorrected");
        let report = sent(&corrected).unwrap_err();
        assert!(report.contains("data.new") && !report.contains("import") && !report.contains("secret"), "{report}");
    }
}
