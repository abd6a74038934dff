//! The values of one event's fields, picked out of `data` in one pass.

use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::field::{FieldType, read_field};
use crate::keys::{Key, REPEATED, Seen};
use crate::{Scalar, Violations};

/// Most fields that one event has; the catalogue does not compile beyond it.
pub(crate) const MAX_FIELDS: usize = 16;

/// A value for each declared field, in the order of the declaration.
pub(crate) struct Slots<'a> {
    names: &'static [&'static str],
    values: [Scalar<'a>; MAX_FIELDS],
    seen: Seen,
}

impl<'a> Slots<'a> {
    /// No value yet for the fields of these names.
    pub(crate) fn new(names: &'static [&'static str]) -> Self {
        Self { names, values: [const { Scalar::Null }; MAX_FIELDS], seen: Seen::default() }
    }

    /// Picks the declared fields out of `data`; unknown ones are passed over.
    pub(crate) fn fill(&mut self, data: &'a RawValue, broken: &mut Violations) -> Option<()> {
        if !is_object(data) {
            broken.add("data", "expected an object");
            return None;
        }
        serde_json::Deserializer::from_str(data.get())
            .deserialize_map(self)
            // What is left are numbers and escapes beyond reading; the parser names them without quoting them.
            .map_err(|error| broken.add("data", format!("expected readable values: {error}")))
            .ok()
    }

    /// Gives a field that the event's version does not know this value.
    pub(crate) fn set(&mut self, name: &str, value: Scalar<'a>) {
        let index = self.names.iter().position(|field| *field == name);
        if let Some((index, slot)) = index.and_then(|index| Some((index, self.values.get_mut(index)?))) {
            *slot = value;
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

/// It is an object; the text is JSON already, so the first character tells.
pub(crate) fn is_object(data: &RawValue) -> bool {
    data.get().starts_with('{')
}

impl<'a> Visitor<'a> for &mut Slots<'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let mut expected = 0;
        while let Some(key) = map.next_key_seed(Key { names: self.names, expected })? {
            match key.and_then(|index| Some((index, self.values.get_mut(index)?))) {
                Some((index, value)) => {
                    *value = map.next_value()?;
                    self.seen.note(index);
                    expected = index + 1;
                }
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}
