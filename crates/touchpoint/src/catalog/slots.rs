//! The values of one event's fields, picked out of `data` in one pass.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::field::{FieldType, read_field};
use crate::{FieldSpec, Scalar, Violations};

/// Most fields that one event has; a test holds the catalogue to it.
pub(crate) const MAX_FIELDS: usize = 16;

/// A value for each declared field, in the order of the declaration.
pub(crate) struct Slots<'a> {
    fields: &'static [FieldSpec],
    values: [Scalar<'a>; MAX_FIELDS],
}

impl<'a> Slots<'a> {
    /// Picks the declared fields out of `data`; unknown ones are passed over, the last of a repeated one counts.
    pub(crate) fn read(fields: &'static [FieldSpec], data: &'a RawValue, broken: &mut Violations) -> Option<Self> {
        let slots = Self { fields, values: Default::default() };
        match slots.deserialize(&mut serde_json::Deserializer::from_str(data.get())) {
            Ok(slots) => Some(slots),
            Err(_) => {
                broken.add("data", "expected an object");
                None
            }
        }
    }

    /// Gives a field that is absent this value.
    pub(crate) fn default(&mut self, name: &str, value: Scalar<'a>) {
        let index = self.fields.iter().position(|field| field.name == name);
        if let Some(slot) = index.and_then(|index| self.values.get_mut(index))
            && *slot == Scalar::Null
        {
            *slot = value;
        }
    }

    /// The value of the field at this index, or a violation noted.
    pub(crate) fn take<T: FieldType<'a>>(&mut self, index: usize, name: &str, broken: &mut Violations) -> Option<T> {
        let value = std::mem::take(self.values.get_mut(index)?);
        read_field(&value).map_err(|message| broken.add(format!("data.{name}"), message)).ok()
    }
}

impl<'a> DeserializeSeed<'a> for Slots<'a> {
    type Value = Self;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'a> Visitor<'a> for Slots<'a> {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some(slot) = map.next_key_seed(FieldIndex(self.fields))? {
            match slot.and_then(|index| self.values.get_mut(index)) {
                Some(value) => *value = map.next_value()?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(self)
    }
}

/// Finds the index of a key among the declared fields, without keeping the key.
struct FieldIndex(&'static [FieldSpec]);

impl<'a> DeserializeSeed<'a> for FieldIndex {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for FieldIndex {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|field| field.name == key))
    }
}
