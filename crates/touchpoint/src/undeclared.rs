//! Fields of `data` that an event's type does not declare. Decoding passes over them; who must know reads them again.

use std::borrow::Cow;

use crate::json::{Json, Key, Malformed};
use crate::{Kind, Scalar};

/// Most fields that are named; a body has room for thousands.
pub(crate) const MAX_NAMED: usize = 20;

/// Their names in the body of an event that was decoded. `null` says nothing, and is left out.
pub(crate) fn undeclared(kind: Kind, body: &[u8]) -> Vec<Cow<'_, str>> {
    let mut found = Vec::new();
    let Ok(text) = std::str::from_utf8(body) else { return found };
    let data = each_field(&mut Json::new(text.trim_start()), |json, name| {
        if name != "data" {
            return json.scalar().map(drop);
        }
        each_field(json, |json, name| {
            if json.scalar()? != Scalar::Null && !kind.names().contains(&&*name) && found.len() < MAX_NAMED {
                found.push(name);
            }
            Ok(())
        })
    });
    debug_assert_eq!(data, Ok(()), "the body was decoded");
    found
}

fn each_field<'a>(
    json: &mut Json<'a>,
    mut each: impl FnMut(&mut Json<'a>, Cow<'a, str>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    json.object(&[], |json, key| match key {
        Key::Other(name) => each(json, name),
        // No name is expected.
        Key::Expected(_) => json.scalar().map(drop),
    })
}
