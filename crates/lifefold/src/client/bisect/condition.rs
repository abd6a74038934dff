//! What `bisect` looks for: a field, a comparison, a value.

use std::fmt;
use std::str::FromStr;

use crate::cli::View;
use crate::client::facts::Facts;
use crate::client::words;

/// What stands between field and value, the longer ones first.
const OPERATORS: [(&str, Operator); 7] = [
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("!=", Operator::Not),
    ("==", Operator::Is),
    ("=", Operator::Is),
    (">", Operator::Above),
    ("<", Operator::Below),
];
/// Decimals of p and of the index.
const P_DECIMALS: usize = 6;
const INDEX_DECIMALS: usize = 2;
const MAX_P: u32 = 1_000_000;
const MAX_INDEX: u32 = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Is,
    Not,
    AtLeast,
    AtMost,
    Above,
    Below,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Stage,
    Band,
    P,
    Tier,
    Label,
    Class,
    Index,
    Segment,
}

/// The fields by name.
const FIELDS: [(&str, Field); 8] = [
    ("stage", Field::Stage),
    ("band", Field::Band),
    ("p", Field::P),
    ("tier", Field::Tier),
    ("label", Field::Label),
    ("class", Field::Class),
    ("index", Field::Index),
    ("segment", Field::Segment),
];

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Word(String),
    /// Millionths or hundredths, as the field has them.
    Number(u32),
}

/// A condition on the answers of one view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Condition {
    field: Field,
    operator: Operator,
    wanted: Wanted,
    text: String,
}

impl Condition {
    /// The view that answers for the field.
    pub(super) const fn view(&self) -> View {
        match self.field {
            Field::Band | Field::P => View::Churn,
            Field::Stage | Field::Tier | Field::Label | Field::Segment => View::Segmentation,
            Field::Class | Field::Index => View::Satisfaction,
        }
    }

    /// It asks for what is said of everybody, whatever they consented to.
    pub(super) fn is_of_the_stage(&self) -> bool {
        self.field == Field::Stage
    }

    /// The rule segment that it names.
    pub(super) fn segment(&self) -> Option<&str> {
        match (self.field, &self.wanted) {
            (Field::Segment, Wanted::Word(name)) => Some(name),
            _ => None,
        }
    }

    /// The answers meet it; what they do not say meets nothing.
    pub(super) fn holds(&self, facts: &Facts) -> bool {
        let word = match self.field {
            Field::P => return self.compares(facts.p_millionths),
            Field::Index => return self.compares(facts.index_hundredths),
            Field::Segment => return self.contains(facts.segments.as_deref()),
            Field::Stage => facts.stage,
            Field::Band => facts.band,
            Field::Tier => facts.tier,
            Field::Label => facts.label,
            Field::Class => facts.class,
        };
        let Wanted::Word(wanted) = &self.wanted else { return false };
        word.is_some_and(|word| (word == wanted) == (self.operator == Operator::Is))
    }

    fn compares(&self, number: Option<u32>) -> bool {
        let (Some(number), Wanted::Number(wanted)) = (number, &self.wanted) else { return false };
        match self.operator {
            Operator::Is => number == *wanted,
            Operator::Not => number != *wanted,
            Operator::AtLeast => number >= *wanted,
            Operator::AtMost => number <= *wanted,
            Operator::Above => number > *wanted,
            Operator::Below => number < *wanted,
        }
    }

    fn contains(&self, segments: Option<&[String]>) -> bool {
        let (Some(segments), Wanted::Word(wanted)) = (segments, &self.wanted) else { return false };
        segments.contains(wanted) == (self.operator == Operator::Is)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let at = text.find(['=', '<', '>', '!']);
        let (name, rest) = text.split_at(at.unwrap_or(text.len()));
        let name = name.trim().to_lowercase();
        let field = FIELDS.iter().find(|(known, _)| *known == name).map(|(_, field)| *field);
        let field = field.ok_or_else(|| {
            let names = FIELDS.map(|(name, _)| name).join(", ");
            format!("field {name:?}: expected one of {names}, as in \"band = HIGH\"")
        })?;
        let found = OPERATORS.iter().find(|(sign, _)| rest.starts_with(sign));
        let numeric = matches!(field, Field::P | Field::Index);
        let found = found.filter(|(_, operator)| numeric || matches!(operator, Operator::Is | Operator::Not));
        let (sign, operator) = found.ok_or_else(|| {
            let signs = if numeric { "=, !=, >=, <=, > or <" } else { "= or !=" };
            format!("{name}: expected {signs} and a value after the field")
        })?;
        let value = rest[sign.len()..].trim();
        let wanted = wanted(field, value).map_err(|expected| format!("{name}: {expected}, got {value:?}"))?;
        Ok(Self { field, operator: *operator, wanted, text: format!("{name} {sign} {value}") })
    }
}

fn wanted(field: Field, value: &str) -> Result<Wanted, String> {
    let word = |word: &'static str| Wanted::Word(word.to_owned());
    match field {
        Field::Stage => words::read_stage(value).map(|it| word(words::stage(it.into()))),
        Field::Band => words::read_band(value).map(|it| word(words::band(it.into()))),
        Field::Tier => words::read_tier(value).map(|it| word(words::tier(it.into()))),
        Field::Label => words::read_label(value).map(|it| word(words::label(it.into()))),
        Field::Class => words::read_class(value).map(|it| word(words::class(it.into()))),
        Field::P => scaled(value, P_DECIMALS, MAX_P)
            .ok_or_else(|| "expected a probability from 0 to 1 with at most 6 decimals".to_owned()),
        Field::Index => scaled(value, INDEX_DECIMALS, MAX_INDEX)
            .ok_or_else(|| "expected an index from 0 to 100 with at most 2 decimals".to_owned()),
        Field::Segment if value.is_empty() => Err("expected the name of a rule segment".to_owned()),
        Field::Segment => Ok(Wanted::Word(value.to_owned())),
    }
}

/// A decimal number as a whole one, so that it compares with published figures exactly.
fn scaled(text: &str, decimals: usize, most: u32) -> Option<Wanted> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && part.is_empty()) || part.len() > decimals || !digits(whole) || !digits(part) {
        return None;
    }
    let number: u32 = format!("0{whole}{part:0<decimals$}").parse().ok()?;
    (number <= most).then_some(Wanted::Number(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(condition: &str, facts: &Facts) -> bool {
        condition.parse::<Condition>().unwrap().holds(facts)
    }

    #[test]
    fn conditions_compare_published_figures() {
        let facts = Facts {
            band: Some("HIGH"),
            p_millionths: Some(574_443),
            index_hundredths: Some(5_999),
            segments: Some(vec!["first_home".to_owned()]),
            ..Facts::default()
        };
        for met in ["band = high", "Band!=LOW", "p >= .574443", "p<1", "index <= 59.99", "segment = first_home"] {
            assert!(holds(met, &facts), "{met}");
        }
        for unmet in ["band = LOW", "p > 0.574443", "index >= 60", "segment = x", "stage = LEAD", "stage != LEAD"] {
            assert!(!holds(unmet, &facts), "{unmet}");
        }
        assert!(holds("segment != x", &facts) && !holds("segment != x", &Facts::default()));
        let segment = |text: &str| text.parse::<Condition>().unwrap().segment().map(str::to_owned);
        assert_eq!((segment("segment != x"), segment("band = HIGH")), (Some("x".to_owned()), None));
    }

    #[test]
    fn what_is_wrong_is_named_with_what_is_expected() {
        let error = |text: &str| text.parse::<Condition>().unwrap_err();
        assert!(error("bond = HIGH").starts_with("field \"bond\": expected one of stage, band, p,"));
        assert_eq!(error("band >= HIGH"), "band: expected = or != and a value after the field");
        assert_eq!(error("band"), "band: expected = or != and a value after the field");
        assert_eq!(error("band = HUGE"), "band: expected one of LOW, MEDIUM, HIGH, CRITICAL, got \"HUGE\"");
        assert_eq!(
            error("p ~ 1"),
            "field \"p ~ 1\": expected one of stage, band, p, tier, label, class, index, segment, as in \"band = HIGH\""
        );
        for wrong in ["p >= 1.1", "p >= -1", "p >= 0.1234567", "p >= .", "p >= "] {
            assert!(error(wrong).starts_with("p: expected a probability from 0 to 1"), "{wrong}");
        }
        assert!(error("index < 100.01").starts_with("index: expected an index from 0 to 100"));
        assert_eq!(error("segment ="), "segment: expected the name of a rule segment, got \"\"");
    }
}
