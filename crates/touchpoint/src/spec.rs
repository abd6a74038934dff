//! The attributes of the envelope: their names, shapes and meaning, in the order of the wire form.

use crate::field::{FieldSpec, Shape};
use crate::{Channel, MAX_EVENT_BYTES};

/// Most characters of a text attribute: `source`, `type` and the like.
pub(crate) const MAX_TEXT_CHARS: usize = 200;

const TEXT: Shape = Shape::Text(MAX_TEXT_CHARS);

/// The attributes of the envelope beside `data`; others are left alone.
pub const ENVELOPE: &[FieldSpec] = &[
    required("specversion", TEXT, &["The version of CloudEvents: `1.0`."]),
    required("id", Shape::Uuid, &["The event's id, unique within its customer; version 7 is preferred."]),
    required("source", TEXT, &["The system that it comes from, for example `crm/sales`."]),
    required("type", TEXT, &["The event type: a name of this catalogue."]),
    required("dataschema", TEXT, &["`urn:lifefold:<type>:<version>`: the schema version of `data`."]),
    required("subject", Shape::Uuid, &["The customer's id: random, never derived from a phone number or a name."]),
    required("time", Shape::Time, &["occurred_at: when it happened, at most 5 minutes after it is recorded."]),
    required("channel", Channel::SHAPE, &["How customer and company met."]),
    optional("companyid", Shape::Code, &["一线公司: the city company."]),
    optional("projectid", Shape::Code, &["项目: the project."]),
    optional("actorid", Shape::Code, &["Who recorded it: a staff code, not a name."]),
    optional("correlationid", Shape::Code, &["What it belongs to, for example a case that spans several events."]),
    optional("causationid", Shape::Code, &["What it follows from, for example another event's id."]),
    optional("pii", Shape::Text(MAX_EVENT_BYTES), &["Personal data. Refused until it can be kept encrypted."]),
    optional(
        "firstrecordedat",
        Shape::Time,
        &["When the source system learned of it: imported history only, at most the time of recording."],
    ),
];

/// The names of all attributes that are read: those above, then `data`.
pub(crate) const ATTRIBUTE_NAMES: [&str; ENVELOPE.len() + 1] = {
    let mut names = ["data"; ENVELOPE.len() + 1];
    let mut index = 0;
    while index < ENVELOPE.len() {
        names[index] = ENVELOPE[index].name;
        index += 1;
    }
    names
};

/// The index of an attribute among [`ATTRIBUTE_NAMES`]; asked at compile time.
pub(crate) const fn attribute(name: &str) -> usize {
    let mut index = 0;
    while !same(ATTRIBUTE_NAMES[index].as_bytes(), name.as_bytes()) {
        index += 1;
    }
    index
}

const fn same(one: &[u8], other: &[u8]) -> bool {
    let mut index = 0;
    while index < one.len() && index < other.len() && one[index] == other[index] {
        index += 1;
    }
    index == one.len() && index == other.len()
}

const fn required(name: &'static str, shape: Shape, doc: &'static [&'static str]) -> FieldSpec {
    FieldSpec { name, doc, shape, required: true }
}

const fn optional(name: &'static str, shape: Shape, doc: &'static [&'static str]) -> FieldSpec {
    FieldSpec { name, doc, shape, required: false }
}
