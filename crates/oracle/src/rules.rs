//! Rule segments: named conditions over axes, attributes and event counts. Section 5.

use std::collections::BTreeMap;

use toml::{Table, Value as Toml};

use crate::admit::Admitted;
use crate::behind::behind;
use crate::contract::live_contracts;
use crate::event::{Event, Evidence, Value, evidence};

/// The segments that the domain ships.
pub const DEFAULT_SEGMENTS: &str = r#"
[[segments]]
name = "first_home"
when = { motive = ["FIRST_HOME"] }

[[segments]]
name = "high_net_worth"
when = { any = [ { budget_max_fen = { min = 1000000000 } }, { largest_contract_fen = { min = 1000000000 } } ] }

[[segments]]
name = "complaints_unheard"
when = { all = [ { count = { events = ["ComplaintLodged"], days = 90, min = 2 } }, { count = { events = ["RevisitCompleted"], days = 30, max = 0 } } ] }
"#;

/// The attributes that are text, compared with a list of values.
const TEXTS: [&str; 8] = ["stage", "label", "tier", "motive", "household", "project", "company", "consultant"];
/// The attributes that are numbers, compared with bounds, both included.
const NUMBERS: [&str; 11] = [
    "rooms",
    "budget_min_fen",
    "budget_max_fen",
    "recency",
    "frequency",
    "monetary",
    "days_silent",
    "live_contracts",
    "contract_value_fen",
    "largest_contract_fen",
    "conversions",
];

/// Segments that are not of the agreed form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("wrong rule segments: {0}")]
pub struct WrongSegments(String);

/// A named condition.
#[derive(Debug, Clone)]
pub struct Segment {
    /// Its name.
    pub name: String,
    when: Condition,
}

#[derive(Debug, Clone)]
enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Count { events: Vec<String>, filter: Vec<(String, Vec<Toml>)>, days: Option<i64>, min: i64, max: i64 },
    OneOf { attribute: String, values: Vec<String> },
    Between { attribute: String, min: i64, max: i64 },
    OpenContract(bool),
}

/// What a condition is asked about.
#[derive(Debug, Default)]
pub(crate) struct Attributes {
    pub(crate) texts: BTreeMap<&'static str, String>,
    pub(crate) numbers: BTreeMap<&'static str, i128>,
    pub(crate) open_contract: bool,
}

/// Reads `[[segments]]` with `name` and `when`.
pub fn parse_segments(text: &str) -> Result<Vec<Segment>, WrongSegments> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| WrongSegments(error.to_string()))?;
    let list = table.get("segments").and_then(Toml::as_array).cloned().unwrap_or_default();
    list.iter().map(|segment| parse_segment(segment).ok_or_else(|| WrongSegments(segment.to_string()))).collect()
}

/// That a customer is in a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The segment's name.
    pub name: String,
    /// The events behind it.
    pub evidence: Vec<Evidence>,
}

/// The segments that the customer is in.
pub(crate) fn members_of(segments: &[Segment], attributes: &Attributes, admitted: &Admitted<'_>) -> Vec<Membership> {
    let inside = segments.iter().filter(|segment| holds(&segment.when, attributes, admitted));
    let member = |segment: &Segment| Membership {
        name: segment.name.clone(),
        evidence: evidence(because(&segment.when, attributes, admitted)),
    };
    inside.map(member).collect()
}

/// The events behind a condition that holds: those that its counts counted, and those that gave an axis or attribute its
/// value; of `any`, of the first part that holds; of `not`, none.
fn because<'a>(condition: &Condition, attributes: &Attributes, admitted: &Admitted<'a>) -> Vec<&'a Event> {
    match condition {
        Condition::All(parts) => parts.iter().flat_map(|part| because(part, attributes, admitted)).collect(),
        Condition::Any(parts) => {
            let first = parts.iter().find(|part| holds(part, attributes, admitted));
            first.map(|part| because(part, attributes, admitted)).unwrap_or_default()
        }
        Condition::Count { events, filter, days, .. } => counted(events, filter, *days, admitted),
        Condition::OneOf { attribute, .. } | Condition::Between { attribute, .. } => behind(attribute, admitted),
        Condition::OpenContract(true) => {
            let open = live_contracts(admitted).into_iter().filter(|contract| !contract.delivered());
            open.map(|contract| contract.signed).collect()
        }
        Condition::Not(_) | Condition::OpenContract(false) => Vec::new(),
    }
}

/// "0 counts; events are counted, repeated openings and ignored steps included."
fn counted<'a>(
    kinds: &[String],
    filter: &[(String, Vec<Toml>)],
    days: Option<i64>,
    admitted: &Admitted<'a>,
) -> Vec<&'a Event> {
    let mut counted = admitted.events.clone();
    counted.retain(|event| {
        let of_type = kinds.iter().any(|kind| kind == event.kind);
        of_type && days.is_none_or(|days| admitted.within(event.at, days)) && passes(event, filter)
    });
    counted
}

fn holds(condition: &Condition, attributes: &Attributes, admitted: &Admitted<'_>) -> bool {
    match condition {
        Condition::All(parts) => parts.iter().all(|part| holds(part, attributes, admitted)),
        Condition::Any(parts) => parts.iter().any(|part| holds(part, attributes, admitted)),
        Condition::Not(part) => !holds(part, attributes, admitted),
        Condition::Count { events, filter, days, min, max } => {
            (*min..=*max).contains(&(counted(events, filter, *days, admitted).len() as i64))
        }
        // "A missing one compares false."
        Condition::OneOf { attribute, values } => {
            attributes.texts.get(attribute.as_str()).is_some_and(|value| values.contains(value))
        }
        Condition::Between { attribute, min, max } => attributes
            .numbers
            .get(attribute.as_str())
            .is_some_and(|value| (i128::from(*min)..=i128::from(*max)).contains(value)),
        Condition::OpenContract(expected) => attributes.open_contract == *expected,
    }
}

fn passes(event: &Event, filter: &[(String, Vec<Toml>)]) -> bool {
    filter.iter().all(|(field, allowed)| match event.data.get(field.as_str()) {
        Some(Value::Text(text)) => allowed.iter().any(|value| value.as_str() == Some(text)),
        Some(Value::Int(number)) => allowed.iter().any(|value| value.as_integer() == Some(*number)),
        Some(Value::Flag(flag)) => allowed.iter().any(|value| value.as_bool() == Some(*flag)),
        None => false,
    })
}

fn parse_segment(segment: &Toml) -> Option<Segment> {
    let name = segment.get("name")?.as_str()?.to_owned();
    Some(Segment { name, when: parse_condition(segment.get("when")?)? })
}

/// Each condition is a table with exactly one key.
fn parse_condition(condition: &Toml) -> Option<Condition> {
    let table = condition.as_table()?;
    let (key, value) = table.iter().next().filter(|_| table.len() == 1)?;
    match key.as_str() {
        "all" => Some(Condition::All(parse_conditions(value)?)),
        "any" => Some(Condition::Any(parse_conditions(value)?)),
        "not" => Some(Condition::Not(Box::new(parse_condition(value)?))),
        "count" => parse_count(value),
        "open_contract" => Some(Condition::OpenContract(value.as_bool()?)),
        attribute if TEXTS.contains(&attribute) => {
            Some(Condition::OneOf { attribute: attribute.to_owned(), values: texts(value)? })
        }
        attribute if NUMBERS.contains(&attribute) => {
            let (min, max) = bounds(value, i64::MIN)?;
            Some(Condition::Between { attribute: attribute.to_owned(), min, max })
        }
        _ => None,
    }
}

fn parse_conditions(list: &Toml) -> Option<Vec<Condition>> {
    list.as_array()?.iter().map(parse_condition).collect()
}

fn parse_count(count: &Toml) -> Option<Condition> {
    let days = match count.get("days") {
        Some(days) => Some(days.as_integer()?),
        None => None,
    };
    let mut filter = Vec::new();
    if let Some(fields) = count.get("where") {
        for (field, value) in fields.as_table()? {
            let allowed = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
            filter.push((field.clone(), allowed));
        }
    }
    let (min, max) = bounds(count, 0)?;
    Some(Condition::Count { events: texts(count.get("events")?)?, filter, days, min, max })
}

fn texts(list: &Toml) -> Option<Vec<String>> {
    list.as_array()?.iter().map(|value| value.as_str().map(str::to_owned)).collect()
}

fn bounds(table: &Toml, default_min: i64) -> Option<(i64, i64)> {
    let bound = |key: &str, default: i64| match table.get(key) {
        Some(value) => value.as_integer(),
        None => Some(default),
    };
    Some((bound("min", default_min)?, bound("max", i64::MAX)?))
}
