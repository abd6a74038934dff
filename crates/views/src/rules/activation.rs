//! The rules that the log puts in force, as this build reads them: the same reading for views that answer by them and
//! for the gateway that lists them.

use touchpoint::RulesActivated;

use super::Rules;

/// What a control message of the log says of rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Activation<'a> {
    /// They are in force from here on.
    InForce {
        /// The event.
        event: RulesActivated<'a>,
        /// The rules.
        rules: Box<Rules>,
        /// What this build calls them. Its writer may have known less of them, and called them otherwise.
        version: String,
    },
    /// Rules of a newer build, whose text this one cannot read. What was in force before stays in force.
    Unknown {
        /// The event.
        event: RulesActivated<'a>,
        /// What this build does not understand.
        reason: String,
    },
    /// An event of a newer build. What was in force before stays in force.
    Unreadable {
        /// What this build does not understand.
        reason: String,
    },
}

impl<'a> Activation<'a> {
    /// Reads a control message; nothing if it is about something else.
    pub fn read(body: &'a [u8]) -> Option<Self> {
        let event = match RulesActivated::decode(body) {
            Ok(event) => event?,
            Err(broken) => return Some(Self::Unreadable { reason: broken.to_string() }),
        };
        Some(match Rules::parse(&event.rules) {
            Ok(rules) => Self::InForce { event, version: rules.version().to_string(), rules: Box::new(rules) },
            Err(error) => Self::Unknown { event, reason: error.to_string() },
        })
    }

    /// The event, if this build can read that much.
    pub const fn event(&self) -> Option<&RulesActivated<'a>> {
        match self {
            Self::InForce { event, .. } | Self::Unknown { event, .. } => Some(event),
            Self::Unreadable { .. } => None,
        }
    }

    /// What the rules are called: by this build if it can read them, else by their writer.
    pub fn version(&self) -> Option<&str> {
        match self {
            Self::InForce { version, .. } => Some(version),
            Self::Unknown { event, .. } => Some(event.version.as_str()),
            Self::Unreadable { .. } => None,
        }
    }

    /// The rules are in force from here on.
    pub const fn is_in_force(&self) -> bool {
        matches!(self, Self::InForce { .. })
    }

    /// What the writer called the rules, if this build calls them otherwise: they mean something else to it.
    pub fn renamed_from(&self) -> Option<&str> {
        match self {
            Self::InForce { event, version, .. } => Some(event.version.as_str()).filter(|recorded| recorded != version),
            Self::Unknown { .. } | Self::Unreadable { .. } => None,
        }
    }

    /// The same, on its own.
    pub fn into_owned(self) -> Activation<'static> {
        match self {
            Self::InForce { event, rules, version } => {
                Activation::InForce { event: event.into_owned(), rules, version }
            }
            Self::Unknown { event, reason } => Activation::Unknown { event: event.into_owned(), reason },
            Self::Unreadable { reason } => Activation::Unreadable { reason },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchpoint::{Code, EventId};

    fn message(version: &str, rules: &str) -> String {
        let version = Code::new(version.to_owned()).unwrap();
        RulesActivated { id: EventId::from_u128(1), version, note: "n".into(), rules: rules.into() }.to_json()
    }

    #[test]
    fn what_cannot_be_read_is_not_in_force_and_says_as_much_as_is_known() {
        assert_eq!(Activation::read(br#"{"type":"LogStarted"}"#), None);
        let newer = br#"{"type":"RulesActivated","dataschema":"urn:lifefold:RulesActivated:9"}"#;
        let newer = Activation::read(newer).unwrap();
        assert_eq!((newer.event(), newer.version(), newer.is_in_force()), (None, None, false));
        let text = message("abcd", "[unheard_of]\nx = 1\n");
        let unknown = Activation::read(text.as_bytes()).unwrap();
        assert_eq!((unknown.version(), unknown.is_in_force(), unknown.renamed_from()), (Some("abcd"), false, None));
        assert_eq!(unknown.event().unwrap().note, "n");
    }

    #[test]
    fn rules_have_the_name_that_answers_give_them() {
        let own = Rules::default().version().to_string();
        let named = |version: &str| Activation::read(message(version, "").as_bytes()).unwrap().into_owned();
        let (same, renamed) = (named(&own), named("abcd"));
        assert_eq!((same.version(), same.renamed_from()), (Some(own.as_str()), None));
        assert_eq!((renamed.version(), renamed.renamed_from()), (Some(own.as_str()), Some("abcd")));
        assert!(same.is_in_force() && renamed.is_in_force());
    }
}
