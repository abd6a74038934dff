//! `events.proto`, written from the event catalogue.
//!
//! The number of a field is its place in the declaration, the number in the `oneof` is the type's tag plus
//! [`FIRST_EVENT_NUMBER`]; the catalogue never reuses either, so the numbers hold.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use touchpoint::{ENVELOPE, FieldSpec, Kind, Shape, describe};

/// Where the file is kept, below `proto/`.
pub(crate) const PATH: &str = "lifefold/v1/events.proto";
/// Added to a type's tag: its number in the `oneof`. The numbers below are for the envelope.
const FIRST_EVENT_NUMBER: u32 = 100;

const HEAD: &str = r#"// The event catalogue: the envelope of a touchpoint, and one message per event type.
//
// GENERATED from crates/touchpoint by `cargo run -q -p api --example generate`; do not edit.
//
// What a field allows is said at the field. A gateway refuses an event that breaks a rule with INVALID_ARGUMENT, and
// names every broken field at once. Optional and numeric fields have explicit presence, so that "not given" is not 0.

syntax = "proto3";

package lifefold.v1;

import "google/protobuf/timestamp.proto";

// A touchpoint: anything that happened between a customer and the company. Immutable once it is recorded.
message Touchpoint {
  // Required: a UUID, version 7 preferred, unique within the customer. The same id with the same content is a
  // duplicate, with other content a conflict.
  string id = 1;
  // Required: the system that it comes from, 1 to 200 characters, for example "crm/sales".
  string source = 2;
  // Required: the customer's UUID, random, never derived from a phone number or a name.
  string customer_id = 3;
  // Required: when it happened, in whole microseconds; at most 5 minutes after it is recorded. Any past time is allowed.
  google.protobuf.Timestamp occurred_at = 4;
  // Required: how customer and company met.
  Channel channel = 5;
  // The city company: a code of 1 to 40 characters of A-Z a-z 0-9 . _ : -
  optional string company_id = 6;
  // The project: a code of 1 to 40 characters of A-Z a-z 0-9 . _ : -
  optional string project_id = 7;
  // Who recorded it: a code of 1 to 40 characters of A-Z a-z 0-9 . _ : -
  optional string actor_id = 8;
  // What it belongs to: a code of 1 to 40 characters of A-Z a-z 0-9 . _ : -
  optional string correlation_id = 9;
  // What it follows from: a code of 1 to 40 characters of A-Z a-z 0-9 . _ : -
  optional string causation_id = 10;
  // When the source system learned of it, in whole microseconds, not after it is recorded. For imported history:
  // accepted by Import only.
  google.protobuf.Timestamp first_recorded_at = 11;
  // Personal data. Refused until it can be kept encrypted: what enters the log in clear can never leave it.
  optional string pii = 12;
  // Required: what happened.
  oneof event {
"#;

/// The whole file.
pub(crate) fn proto() -> String {
    let mut out = HEAD.to_owned();
    for &kind in Kind::ALL {
        comment(&mut out, "    ", kind.doc());
        let number = FIRST_EVENT_NUMBER + kind as u32;
        line(&mut out, format_args!("    {} {} = {number};", kind.name(), snake_case(kind.name())));
    }
    out.push_str("  }\n}\n");
    Kind::ALL.iter().for_each(|&kind| message(&mut out, kind));
    enums().into_iter().for_each(|(name, it)| enumeration(&mut out, name, &it));
    out
}

fn message(out: &mut String, kind: Kind) {
    out.push('\n');
    comment(out, "", kind.doc());
    if kind.fields().is_empty() {
        return line(out, format_args!("message {} {{}}", kind.name()));
    }
    line(out, format_args!("message {} {{", kind.name()));
    for (number, field) in (1..).zip(kind.fields()) {
        comment(out, "  ", field.doc);
        line(out, format_args!("  // {}", presence(field)));
        line(out, format_args!("  {}{} {} = {number};", label(field), type_name(field.shape), field.name));
    }
    out.push_str("}\n");
}

fn presence(field: &FieldSpec) -> String {
    let presence = if field.required { "Required" } else { "Optional" };
    match field.shape {
        Shape::Enum(..) | Shape::Flag => format!("{presence}."),
        shape => format!("{presence}: {}.", describe(shape).trim_end_matches(" .")),
    }
}

/// An enumeration has UNSPECIFIED for "not given", a required text the empty one; everything else says its presence.
const fn label(field: &FieldSpec) -> &'static str {
    match field.shape {
        Shape::Enum(..) | Shape::Time => "",
        Shape::Code | Shape::Uuid | Shape::Date | Shape::Text(_) if field.required => "",
        _ => "optional ",
    }
}

const fn type_name(shape: Shape) -> &'static str {
    match shape {
        Shape::Code | Shape::Uuid | Shape::Date | Shape::Text(_) => "string",
        Shape::Enum(name, ..) => name,
        Shape::Int(0.., high) if high <= u32::MAX as i64 => "uint32",
        Shape::Int(..) | Shape::Fen => "int64",
        Shape::Position => "uint64",
        Shape::Flag => "bool",
        Shape::Time => "google.protobuf.Timestamp",
    }
}

/// An enumeration: what it says, its values, and what each means where that is said.
struct Enum {
    doc: String,
    values: &'static [&'static str],
    meanings: &'static [&'static str],
}

/// Every enumeration that an attribute or a field uses, with the words of the first such one.
fn enums() -> BTreeMap<&'static str, Enum> {
    let attributes = ENVELOPE.iter().map(|spec| (spec, String::new()));
    let fields = Kind::ALL.iter().flat_map(|kind| {
        kind.fields().iter().map(move |field| (field, format!(" See {}.{}.", kind.name(), field.name)))
    });
    let mut enums = BTreeMap::new();
    for (field, place) in attributes.chain(fields) {
        if let Shape::Enum(name, values, meanings) = field.shape {
            let doc = format!("{}{place}", field.doc.join(" ").trim());
            enums.entry(name).or_insert(Enum { doc, values, meanings });
        }
    }
    enums
}

fn enumeration(out: &mut String, name: &str, Enum { doc, values, meanings }: &Enum) {
    let prefix = snake_case(name).to_uppercase();
    out.push('\n');
    comment(out, "", &[doc]);
    line(out, format_args!("enum {name} {{"));
    line(out, format_args!("  // Not given."));
    line(out, format_args!("  {prefix}_UNSPECIFIED = 0;"));
    for ((number, value), meaning) in (1..).zip(*values).zip(*meanings) {
        if !meaning.is_empty() {
            comment(out, "  ", &[meaning]);
        }
        line(out, format_args!("  {prefix}_{value} = {number};"));
    }
    out.push_str("}\n");
}

fn comment(out: &mut String, indent: &str, doc: &[&str]) {
    doc.iter().for_each(|text| line(out, format_args!("{indent}// {}", text.trim())));
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{text}");
}

/// `FaceToFaceFollowUp` as `face_to_face_follow_up`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for (index, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
