//! The event catalogue as a page for newcomers, from the declarations of the crate and its fixtures.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use touchpoint::{ENVELOPE, Family, FieldSpec, Kind, MAX_EVENT_BYTES, Shape, describe};

const INTRODUCTION: &str = "\
# The event catalogue

<!-- Generated from crates/touchpoint. Do not edit: cargo run -q -p touchpoint --example catalog > docs/event-catalog.md -->

A **touchpoint** (触点) is anything that happened between a customer and the company. Each is one immutable event:
recorded once, never edited, corrected only by a further event (`EventVoided`).

On the wire and in the log an event is one JSON object, structured as [CloudEvents 1.0](https://cloudevents.io). Its
attributes (the envelope) say what happened to whom, when and how; `data` holds the fields of the event's type.
";

const RULES: &str = "\
- Every violation of an event is reported at once, each with the path of its field, for example `data.score`.
- `null` means the same as leaving a field out. Unknown attributes and fields are passed over, and stored as sent; a known
  one that comes twice is refused.
- Whole numbers are written without point or exponent: `5`, not `5.0` or `5e0`. Money is in fen (0.01 CNY), area in
  0.01 m². Dates are calendar dates in Asia/Shanghai. A code is 1–40 characters of `[A-Za-z0-9._:-]`.
- `time` is at most 5 minutes after the event is recorded; any past time is good. `firstrecordedat` is accepted by Import
  only. `pii` is refused until it can be kept encrypted: what enters the log in clear can never leave it.
- Personal data (names, phone and identity numbers, addresses, free words) goes into no other field: reasons, categories
  and outcomes are codes. `ProfileCorrected` and a `ContractAmended` of kind NAME_CHANGE say that such data changed, and
  nothing more: the gateway refuses any field of `data` that this page does not list there. One that is in the log all the
  same is read like any other.
- The same `id` with the same content is a duplicate and has no second effect; with other content it is refused.
";

const MEANINGS: &str = "\
Names that do not speak for themselves. In the protobuf form they have the name of their enumeration before them:
`CHANNEL_AGENT`.
";

/// The whole page.
pub(crate) fn page() -> std::io::Result<String> {
    let mut page = format!("{INTRODUCTION}\n## Contents\n\n");
    for family in families() {
        let links: Vec<_> =
            events_of(family).map(|kind| format!("[{kind}](#{})", kind.name().to_lowercase())).collect();
        line(&mut page, &format!("- {}: {}", title(family), links.join(", ")));
    }
    line(&mut page, "- [Names and their meaning](#names-and-their-meaning)");
    page.push_str(&format!("\n## The envelope\n\n{}", table("Attribute", ENVELOPE)));
    line(&mut page, "| `data` | an object | yes | The fields of the event type, below. |\n");
    line(&mut page, &format!("One event is at most {} KiB of UTF-8.\n", MAX_EVENT_BYTES / 1024));
    line(&mut page, &format!("### Rules for every event\n\n{RULES}"));
    for family in families() {
        line(&mut page, &format!("## {}\n", title(family)));
        for kind in events_of(family) {
            page.push_str(&event(kind)?);
        }
    }
    page.push_str(&meanings());
    Ok(format!("{}\n", page.trim_end()))
}

/// What the names of enumerations mean, where they do not speak for themselves.
fn meanings() -> String {
    let fields = ENVELOPE.iter().chain(Kind::ALL.iter().flat_map(|kind| kind.fields()));
    let enums: BTreeMap<_, _> = fields
        .filter_map(|field| match field.shape {
            Shape::Enum(name, names, meanings) => Some((name, names.iter().zip(meanings))),
            _ => None,
        })
        .collect();
    let mut text = format!("## Names and their meaning\n\n{MEANINGS}\n| Name | Of | Meaning |\n|---|---|---|\n");
    for (of, names) in enums {
        for (name, meaning) in names.filter(|(_, meaning)| !meaning.is_empty()) {
            line(&mut text, &format!("| `{name}` | {of} | {} |", meaning.trim()));
        }
    }
    text
}

fn event(kind: Kind) -> std::io::Result<String> {
    let mut text = format!("### {kind}\n\n{}\n\n", sentences(kind.doc()));
    if kind.version() == 1 {
        line(&mut text, "Schema version 1.\n");
    } else {
        line(&mut text, &format!("Schema version {}; older ones are still read:\n", kind.version()));
        for (change, version) in kind.history().iter().zip(1..) {
            line(&mut text, &format!("- Version {version}: {change}"));
        }
        text.push('\n');
    }
    if kind.fields().is_empty() {
        line(&mut text, "`data` is empty: `{}`.\n");
    } else {
        line(&mut text, &table("Field of `data`", kind.fields()));
    }
    let name = format!("{kind}.v{}.json", kind.version());
    let fixture = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name))?;
    line(&mut text, &format!("```json\n{}\n```\n", fixture.trim_end()));
    Ok(text)
}

fn table(first: &str, fields: &[FieldSpec]) -> String {
    let mut text = format!("| {first} | Type | Required | Meaning |\n|---|---|---|---|\n");
    for field in fields {
        let required = if field.required { "yes" } else { "" };
        line(
            &mut text,
            &format!("| `{}` | {} | {required} | {} |", field.name, words(field.shape), sentences(field.doc)),
        );
    }
    text
}

/// A shape in words; the codes and names as code.
fn words(shape: Shape) -> String {
    match shape {
        Shape::Code => "a code".to_owned(),
        Shape::Enum(_, names, _) => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" "),
        Shape::Time => "an RFC 3339 time, at most 6 decimals".to_owned(),
        Shape::Text(MAX_EVENT_BYTES) => "a text".to_owned(),
        shape => describe(shape),
    }
}

fn sentences(doc: &[&str]) -> String {
    doc.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

fn families() -> impl Iterator<Item = Family> {
    let mut families: Vec<_> = Kind::ALL.iter().map(|kind| kind.family()).collect();
    families.dedup();
    families.into_iter()
}

fn events_of(family: Family) -> impl Iterator<Item = Kind> {
    Kind::ALL.iter().copied().filter(move |kind| kind.family() == family)
}

const fn title(family: Family) -> &'static str {
    match family {
        Family::Visit => "Visit 来访",
        Family::Sign => "Sign 签约",
        Family::Handover => "Handover 交付",
        Family::Complaint => "Complaint 投诉",
        Family::Revisit => "Revisit 回访",
        Family::Survey => "Survey 满意度调查",
        Family::Loyalty => "Loyalty 推荐",
        Family::Person => "Person 客户信息",
        Family::Record => "Record 更正",
    }
}

fn line(text: &mut String, line: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{line}");
}
