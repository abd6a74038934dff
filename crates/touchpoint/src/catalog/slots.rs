//! The values of one event's fields, picked out of `data`.

use std::borrow::Cow;

use crate::field::{FieldType, read_field};
use crate::json::{Json, Key, Malformed};
use crate::keys::{REPEATED, Seen};
use crate::{Scalar, Violations};

/// Most fields that one event has; the catalogue does not compile beyond it.
pub(crate) const MAX_FIELDS: usize = 16;

/// A field of `data` by its name, whether declared or not.
pub(crate) type Field<'a> = (Cow<'a, str>, Scalar<'a>);

/// `data` before the type of the event is known, which may stand behind it.
#[derive(Default)]
pub(crate) enum Data<'a> {
    /// Absent, or `null`, which means the same.
    #[default]
    Absent,
    /// An object with these fields.
    Object(Vec<Field<'a>>),
    /// No object.
    Other,
}

impl<'a> Data<'a> {
    /// Reads a value; an object's fields mostly have these names.
    pub(crate) fn read(json: &mut Json<'a>, names: &'static [&'static str]) -> Result<Self, Malformed> {
        if !json.is_object() {
            return Ok(if json.scalar()? == Scalar::Null { Self::Absent } else { Self::Other });
        }
        let mut fields = Vec::with_capacity(MAX_FIELDS);
        json.object(names, |json, key| {
            let name = match key {
                Key::Expected(index) => Cow::Borrowed(names[index]),
                Key::Other(text) => text,
            };
            fields.push((name, json.scalar()?));
            Ok(())
        })?;
        Ok(Self::Object(fields))
    }
}

/// A value for each declared field, in the order of the declaration.
pub(crate) struct Slots<'a> {
    names: &'static [&'static str],
    values: [Scalar<'a>; MAX_FIELDS],
    seen: Seen,
}

impl<'a> Slots<'a> {
    /// Picks the fields of these names; others are passed over.
    pub(crate) fn new(names: &'static [&'static str], fields: Vec<Field<'a>>) -> Self {
        let mut slots = Self { names, values: [const { Scalar::Null }; MAX_FIELDS], seen: Seen::default() };
        let mut expected = 0;
        for (name, value) in fields {
            // Nearly always the fields come in the order of their names.
            let is_expected = names.get(expected).is_some_and(|declared| *declared == name);
            let index = if is_expected { Some(expected) } else { position(names, &name) };
            if let Some(index) = index {
                slots.values[index] = value;
                slots.seen.note(index);
                expected = index + 1;
            }
        }
        slots
    }

    /// Gives a field that the event's version does not know this value.
    pub(crate) fn set(&mut self, name: &str, value: Scalar<'a>) {
        if let Some(index) = position(self.names, name) {
            self.values[index] = value;
            self.seen.forget(index);
        }
    }

    /// The value of the field at this index, or a violation noted.
    pub(crate) fn take<T: FieldType<'a>>(&self, index: usize, broken: &mut Violations) -> Option<T> {
        let name = self.names[index];
        if self.seen.is_repeated(index) {
            broken.add(format!("data.{name}"), REPEATED);
            return None;
        }
        read_field(&self.values[index]).map_err(|message| broken.add(format!("data.{name}"), message)).ok()
    }
}

fn position(names: &[&str], name: &str) -> Option<usize> {
    names.iter().position(|declared| *declared == name)
}
