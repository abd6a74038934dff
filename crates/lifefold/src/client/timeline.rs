//! `timeline`: the events of one customer as the log has them.

use std::collections::HashSet;

use api::v1;
use api::v1::recorded_touchpoint::Content;
use comfy_table::{Color, ColumnConstraint, Width};
use serde_json::Value;
use tonic::{Code, Status};

use super::asking::Call;
use super::failure::{Failure, Outcome};
use super::link::Link;
use super::output::{self, Format, Screen};
use super::{format, query, stored};
use crate::settings::Settings;

/// Most events of one page.
const PAGE: i32 = 500;
/// Columns of the type: the longest name and " (voided)".
const TYPE_COLUMNS: u16 = 21;

const EXAMPLES: &str = "\
Examples:
  lifefold timeline 0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11
  lifefold timeline 0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11 -o ndjson > one.ndjson
  lifefold timeline 0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11 -o json

ndjson is the events as stored, which `import` takes again; json adds position and recorded_at. The revision \
below the table is what `record --expected-revision` takes.";

/// Arguments of `timeline`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The customer's id
    #[arg(value_name = "CUSTOMER", value_parser = query::customer)]
    customer: String,
    #[command(flatten)]
    call: Call,
}

/// Runs `timeline`.
pub(crate) async fn run(args: Args, settings: &Settings) -> Result<Outcome, Failure> {
    let answer = read(&args.call.link(settings), &args.customer).await?;
    match args.call.output.output {
        Format::Table => output::print(&render(Screen::of_stdout(), &answer))?,
        Format::Json => {
            let events: Result<Vec<_>, _> = answer.events.iter().map(stored::with_position).collect();
            output::print_json(&Value::Array(events?))?;
        }
        Format::Ndjson => answer.events.iter().try_for_each(print_line)?,
    }
    Ok(Outcome::Done)
}

/// An event as stored, on a line of its own; what is no JSON cannot stand there, and is noted on stderr.
pub(crate) fn print_line(event: &v1::RecordedTouchpoint) -> Result<(), Failure> {
    match stored::line(event) {
        Some(line) => output::print(&(line + "\n")),
        None => {
            output::note(&format!(
                "position {}: what is stored is no JSON, and is left out",
                format::count(event.position)
            ));
            Ok(())
        }
    }
}

/// All events, page by page.
pub(crate) async fn read(link: &Link, customer: &str) -> Result<v1::GetTimelineResponse, Failure> {
    let mut timelines = link.timelines().await?;
    let mut all = v1::GetTimelineResponse::default();
    loop {
        let request = v1::GetTimelineRequest {
            customer_id: customer.to_owned(),
            page_size: PAGE,
            page_token: all.next_page_token,
            include_json: true,
        };
        let page = timelines.get_timeline(link.request(request)).await;
        let page = page.map_err(|status| unknown(customer, status))?.into_inner();
        all.events.extend(page.events);
        (all.next_page_token, all.revision) = (page.next_page_token, page.revision);
        if all.next_page_token.is_empty() {
            return Ok(all);
        }
    }
}

/// The log is asked, which knows no instants: there is nothing but the id to check.
fn unknown(customer: &str, status: Status) -> Failure {
    match status.code() {
        Code::NotFound => Failure::Other(format!("{customer}: the log has no event of this customer; check the id")),
        _ => status.into(),
    }
}

fn render(screen: Screen, answer: &v1::GetTimelineResponse) -> String {
    let voided = Voided::of(answer.events.iter());
    let mut table = screen.table(&[">Position", "Time (Shanghai)", "Type", "Channel", "Main fields"]);
    for event in &answer.events {
        let [time, kind, channel, fields] = cells(event);
        let (kind, colour) = match (&event.content, voided.has(event)) {
            (Some(Content::Unreadable(_)), _) => (kind, Some(Color::Red)),
            (_, true) => (format!("{kind} (voided)"), Some(Color::DarkGrey)),
            (_, false) => (kind, None),
        };
        let texts = [format::count(event.position), time, kind, channel, fields];
        table.add_row(texts.map(|text| screen.paint(text, colour)));
    }
    for (index, constraint) in [
        (0, ColumnConstraint::ContentWidth),
        (1, ColumnConstraint::ContentWidth),
        (2, ColumnConstraint::UpperBoundary(Width::Fixed(TYPE_COLUMNS + 2))),
        (3, ColumnConstraint::ContentWidth),
    ] {
        if let Some(column) = table.column_mut(index) {
            column.set_constraint(constraint);
        }
    }
    let events = format::count(answer.events.len() as u64);
    format!("{}\n{events} events, revision {}\n", output::text(&table), format::count(answer.revision))
}

/// Time, type, channel and main fields.
fn cells(event: &v1::RecordedTouchpoint) -> [String; 4] {
    match &event.content {
        Some(Content::Touchpoint(it)) => [
            format::clock(it.occurred_at.as_ref()),
            stored::kind(it).to_owned(),
            it.channel().as_str_name().trim_start_matches("CHANNEL_").to_owned(),
            stored::main_fields(&event.cloud_event_json),
        ],
        Some(Content::Unreadable(it)) => {
            [format::clock(event.recorded_at.as_ref()), "UNREADABLE".to_owned(), String::new(), it.message.clone()]
        }
        None => [const { String::new() }; 4],
    }
}

/// What the voids of a timeline name.
#[derive(Default)]
pub(crate) struct Voided {
    ids: HashSet<String>,
    positions: HashSet<u64>,
}

impl Voided {
    /// Of the events of a customer.
    pub(crate) fn of<'a>(events: impl Iterator<Item = &'a v1::RecordedTouchpoint>) -> Self {
        let mut voided = Self::default();
        for event in events {
            let Some(Content::Touchpoint(it)) = &event.content else { continue };
            if let Some(v1::touchpoint::Event::EventVoided(void)) = &it.event {
                voided.ids.extend(void.target_event_id.clone());
                voided.positions.extend(void.target_position);
            }
        }
        voided
    }

    /// The event is voided; voids and erasures cannot be.
    pub(crate) fn has(&self, event: &v1::RecordedTouchpoint) -> bool {
        use v1::touchpoint::Event;
        let Some(Content::Touchpoint(it)) = &event.content else { return false };
        let named = self.ids.contains(&it.id) || self.positions.contains(&event.position);
        named && !matches!(it.event, Some(Event::EventVoided(_) | Event::CustomerErased(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(position: u64, body: &str) -> v1::RecordedTouchpoint {
        let recorded_at = touchpoint::Timestamp::from_micros(1_743_500_000_000_000);
        api::timeline::recorded(touchpoint::Position(position), recorded_at, body.as_bytes(), true)
    }

    #[test]
    fn a_timeline_shows_what_is_voided_and_what_cannot_be_read() {
        let customer = "0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11";
        let body = |id: u32, kind: &str, data: &str| {
            format!(
                r#"{{"specversion":"1.0","id":"0190a5c8-7e4b-7cc3-8a5e-0000000000{id:02}","source":"crm/sales",
                "type":"{kind}","dataschema":"urn:lifefold:{kind}:1","subject":"{customer}",
                "time":"2025-03-31T17:30:00Z","channel":"IN_PERSON","data":{data}}}"#
            )
        };
        let signed = r#"{"contract_id":"K1","unit_id":"U1","price_fen":320000000,"payment":"FULL","planned_handover_on":"2026-01-01"}"#;
        let void = r#"{"target_event_id":"0190a5c8-7e4b-7cc3-8a5e-000000000001","reason":"TYPED_TWICE"}"#;
        let events = vec![
            event(3, &body(1, "ContractSigned", signed)),
            event(9, &body(2, "EventVoided", void)),
            event(1_010, "?"),
        ];
        let answer = v1::GetTimelineResponse { events, revision: 1_010, ..Default::default() };
        let text = render(Screen::plain(), &answer);
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("Position  Time"), "{text}");
        assert!(lines[2].contains("2025-04-01 01:30:00  ContractSigned"), "{text}");
        assert!(text.contains("(voided)") && text.contains("¥3,200,000"), "{text}");
        assert!(text.contains("EventVoided") && text.contains("UNREADABLE"), "{text}");
        assert!(text.ends_with("\n3 events, revision 1,010\n"), "{text}");
        assert!(lines.iter().all(|line| line.chars().count() <= 100), "{text}");
    }
}
