//! Control events: what the log says of itself, about no customer. The genesis is the event log's own.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{Code, EventId, Unreadable, Violations};

/// The longest note of an activation, in characters.
pub const MAX_NOTE_CHARS: usize = 500;
/// Who writes control events.
const SOURCE: &str = "lifefold";
const TYPE: &str = "RulesActivated";
const SCHEMA: &str = "urn:lifefold:RulesActivated:1";

/// From its position on, these rules are the default of every answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesActivated<'a> {
    /// The event's id.
    pub id: EventId,
    /// What the rules are called: the digest of their meaning, as its writer understood them.
    pub version: Code<'a>,
    /// Who wanted them and why, in words; may be empty.
    pub note: Cow<'a, str>,
    /// The rules as a file: every key, so that other defaults of a later build do not change what applied.
    pub rules: Cow<'a, str>,
}

/// The form in the log. Unknown keys are a newer writer's, who would have raised the schema version if they mattered.
#[derive(Serialize, Deserialize)]
struct Form<'a> {
    specversion: &'a str,
    id: EventId,
    source: &'a str,
    r#type: &'a str,
    dataschema: &'a str,
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Serialize, Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    rules_version: Cow<'a, str>,
    #[serde(borrow)]
    note: Cow<'a, str>,
    #[serde(borrow)]
    rules: Cow<'a, str>,
}

/// As much of a control event as says what kind it is.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    r#type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    dataschema: Option<Cow<'a, str>>,
}

impl<'a> RulesActivated<'a> {
    /// Reads a control message; nothing if it says something else than that rules are activated.
    pub fn decode(body: &'a [u8]) -> Result<Option<Self>, Violations> {
        let head: Head<'_> = serde_json::from_slice(body).map_err(|error| malformed(&error))?;
        if head.r#type.as_deref() != Some(TYPE) {
            return Ok(None);
        }
        if head.dataschema.as_deref() != Some(SCHEMA) {
            let message = format!("expected {SCHEMA}");
            return Err(Violations::one(Unreadable::UnknownVersion, "dataschema", message));
        }
        let form: Form<'_> = serde_json::from_slice(body).map_err(|error| malformed(&error))?;
        let Data { rules_version, note, rules } = form.data;
        let Some(version) = Code::new(rules_version) else {
            return Err(Violations::one(Unreadable::Invalid, "data.rules_version", "expected a code"));
        };
        check_note(&note).map_err(|message| Violations::one(Unreadable::Invalid, "data.note", message))?;
        Ok(Some(Self { id: form.id, version, note, rules }))
    }

    /// The same activation, on its own.
    pub fn into_owned(self) -> RulesActivated<'static> {
        let Self { id, version, note, rules } = self;
        let [note, rules] = [note, rules].map(|text| Cow::Owned(text.into_owned()));
        RulesActivated { id, version: version.into_owned(), note, rules }
    }

    /// The form in the log.
    pub fn to_json(&self) -> String {
        let data = Data {
            rules_version: self.version.as_str().into(),
            note: self.note.as_ref().into(),
            rules: self.rules.as_ref().into(),
        };
        let form = Form { specversion: "1.0", id: self.id, source: SOURCE, r#type: TYPE, dataschema: SCHEMA, data };
        // Texts and ids always have a form; a test reads it back.
        serde_json::to_string(&form).unwrap_or_default()
    }
}

/// Says what is wrong with a note.
pub fn check_note(note: &str) -> Result<(), String> {
    let chars = note.chars().count();
    if chars > MAX_NOTE_CHARS {
        return Err(format!("expected at most {MAX_NOTE_CHARS} characters, got {chars}"));
    }
    if note.chars().any(char::is_control) {
        return Err("expected one line without control characters".to_owned());
    }
    Ok(())
}

/// Without the text itself, which may be anything.
fn malformed(error: &serde_json::Error) -> Violations {
    let reason = if error.is_data() { Unreadable::Invalid } else { Unreadable::Malformed };
    Violations::one(reason, "", format!("line {} column {}", error.line(), error.column()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is in some log must be read for ever.
    const FROZEN: &str = include_str!("../fixtures/control/RulesActivated.v1.json");

    fn frozen() -> RulesActivated<'static> {
        RulesActivated {
            id: EventId::from_u128(0x0195_e0c1_9a40_7000_8000_0000_0000_0001),
            version: Code::new("686a0adaf9b939b8").unwrap(),
            note: "委员会 2025-03: silence counts \"less\"".into(),
            rules: "[lifecycle]\nlost_after_days = 90\n".into(),
        }
    }

    #[test]
    fn an_activation_of_today_is_read_for_ever() {
        assert_eq!(RulesActivated::decode(FROZEN.as_bytes()).unwrap(), Some(frozen()));
        assert_eq!(frozen().to_json(), FROZEN.trim_end());
    }

    #[test]
    fn what_is_none_is_passed_over_and_what_is_newer_is_named() {
        for none in [r#"{"type":"LogStarted","data":{"epoch":"x"}}"#, "{}"] {
            assert_eq!(RulesActivated::decode(none.as_bytes()), Ok(None));
        }
        let reason = |body: String| RulesActivated::decode(body.as_bytes()).unwrap_err().reason;
        assert_eq!(reason(FROZEN.replace("Activated:1", "Activated:2")), Unreadable::UnknownVersion);
        assert_eq!(reason(FROZEN.replace("\"note\"", "\"remark\"")), Unreadable::Invalid);
        assert_eq!(reason(FROZEN.replace("686a0adaf9b939b8", "two words")), Unreadable::Invalid);
        assert_eq!(reason(FROZEN.replace("2025-03", "2025\\n03")), Unreadable::Invalid);
        assert_eq!(reason("{".to_owned()), Unreadable::Malformed);
    }

    #[test]
    fn a_note_is_one_short_line() {
        assert_eq!(check_note(&"度".repeat(MAX_NOTE_CHARS)), Ok(()));
        assert!(check_note(&"a".repeat(MAX_NOTE_CHARS + 1)).is_err());
        assert!(check_note("one\ntwo").is_err());
    }
}
