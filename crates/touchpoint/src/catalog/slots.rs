//! The values of one event's fields, picked out of `data`.

use crate::field::{FieldType, read_field};
use crate::json::{Json, Malformed};
use crate::keys::{REPEATED, Seen, find};
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
    /// No field yet.
    pub(crate) fn new() -> Self {
        Self { names: &[], values: [const { Scalar::Null }; MAX_FIELDS], seen: Seen::default() }
    }

    /// Picks the fields of these names out of the object here; others are passed over.
    pub(crate) fn read(&mut self, names: &'static [&'static str], json: &mut Json<'a>) -> Result<(), Malformed> {
        self.names = names;
        json.object(names, |json, key| {
            let value = json.scalar()?;
            if let Some(index) = find(names, &key) {
                self.values[index] = value;
                self.seen.note(index);
            }
            Ok(())
        })
    }

    /// Gives a field that the event's version does not know this value.
    pub(crate) fn set(&mut self, name: &str, value: Scalar<'a>) {
        if let Some(index) = self.names.iter().position(|declared| *declared == name) {
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
