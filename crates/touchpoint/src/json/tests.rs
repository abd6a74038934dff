//! What is read is what `serde_json` reads.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn read(text: &str) -> Result<Vec<(String, Scalar<'_>)>, Malformed> {
    const EXPECTED: [&str; 3] = ["id", "id2", "data"];
    let (mut json, mut fields) = (Json::new(text), Vec::new());
    json.space();
    json.object(&EXPECTED, |json, key| {
        let name = match key {
            Key::Expected(index) => EXPECTED[index].to_owned(),
            Key::Other(text) => text.into_owned(),
        };
        fields.push((name, json.scalar()?));
        Ok(())
    })?;
    json.end().map(|()| fields)
}

/// Both readers take the text for an object, with the same values, or neither does.
fn check(text: &str) {
    let (ours, theirs) = (read(text), serde_json::from_str::<serde_json::Map<String, Value>>(text));
    let fields = match (ours, theirs) {
        (Err(_), Err(_)) => return,
        // A number beyond all numbers is the field's trouble here, not the whole text's.
        (Ok(_), Err(error)) if error.to_string().contains("number out of range") => return,
        (Ok(ours), Ok(theirs)) => ours.into_iter().map(move |(key, value)| (theirs[&key].clone(), key, value)),
        (ours, theirs) => panic!("{text}\n{ours:?}\n{theirs:?}"),
    };
    let mut fields: Vec<_> = fields.collect();
    // Of a repeated key the last value is what serde_json keeps.
    fields.reverse();
    let mut known = std::collections::HashSet::new();
    for (theirs, key, ours) in fields.into_iter().filter(|(_, key, _)| known.insert(key.clone())) {
        let same = match &ours {
            Scalar::Null => theirs.is_null(),
            Scalar::Bool(value) => theirs == *value,
            Scalar::Int(value) => theirs.as_i64() == Some(*value),
            Scalar::Float(value) => !theirs.is_i64() && theirs.as_f64() == Some(*value),
            Scalar::Text(text) => theirs == text.as_ref(),
            Scalar::Composite => theirs.is_object() || theirs.is_array(),
        };
        assert!(same, "{text}\n{key}: {ours:?} {theirs:?}");
    }
}

#[test]
fn objects_and_what_only_looks_like_one() {
    for text in [
        "",
        "{",
        "}",
        "{}",
        " { } ",
        "{}x",
        "{},",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\" : 1 , \"b\":2}",
        "{\"id\":1,\"id2\":2,\"data\":{}}",
        "{\"data\":1,\"id2\":2,\"id\":3}",
        "{\"id\" :1,\"id\":2}",
        "{\"i\\u0064\":1}",
        "{\"id",
        "{\"id\"",
        "{\"id\":1",
        "{\"id\":1,",
        "{\"data2\":[]}",
        "{id:1}",
        "{'id':1}",
        "[]",
        "\u{feff}{}",
        "{\"a\":1.90109114438279e-309}",
        "{\"a\":[]}",
        "{\"a\":[,]}",
        "{\"a\":[1,]}",
        "{\"a\":[1 2]}",
        "{\"a\":[[],{}]}",
        "{\"a\":[}",
        "{\"a\":{]}",
        "{\"a\":{\"b\":[1,{\"c\":null}]},\"d\":0}",
        "{\"a\":{\"b\"}}",
        "{\"a\":{\"b\":1,}}",
        "{\"a\":{1:1}}",
        "{\"a\":tru}",
        "{\"a\":true}",
        "{\"a\":falsey}",
        "{\"a\":null}",
        "{\"a\":nul",
    ] {
        check(text);
    }
}

#[test]
fn numbers_and_texts() {
    for value in [
        "0",
        "-0",
        "-1",
        "01",
        "-",
        "+1",
        "1.",
        ".5",
        "1.5",
        "1e3",
        "1E+3",
        "1e-3",
        "1e",
        "1e+",
        "1e999",
        "-1e999",
        "0x1",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "-9223372036854775809",
        "1e-999",
        "NaN",
        "\"\"",
        "\"\\\"\"",
        "\"\\\\\"",
        "\"\\/\\b\\f\\n\\r\\t\"",
        "\"\\x\"",
        "\"\\u00e9\"",
        "\"\\u00E9\"",
        "\"\\u00g9\"",
        "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"",
        "\"\\ud83dx\"",
        "\"\\ud83d\\n\"",
        "\"\\ud83d\\ud83d\"",
        "\"\\ude00\"",
        "\"\\u+123\"",
        "\"\\u\"",
        "\"\u{1}\"",
        "\"\t\"",
        "\"1234567\\n\"",
        "\"12345678\n\"",
        "\"\u{7f}é张三😀\"",
        "\"abc",
    ] {
        check(&format!("{{\"a\":{value}}}"));
        check(&format!("{{\"a\":[{value}]}}"));
    }
}

#[test]
fn depth_is_no_matter() {
    let (open, close) = ("[".repeat(30_000), "]".repeat(30_000));
    assert_eq!(read(&format!("{{\"a\":{open}{close}}}")).unwrap(), [("a".to_owned(), Scalar::Composite)]);
    assert!(read(&format!("{{\"a\":{open}")).is_err());
    assert!(read(&"{\"a\":".repeat(10_000)).is_err());
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_object_is_read_alike(fields in proptest::collection::btree_map("id|id2|data|\\PC{0,12}", value(), 0..6)) {
        let object = Value::Object(fields.into_iter().collect());
        check(&object.to_string());
        check(&serde_json::to_string_pretty(&object).unwrap());
    }

    #[test]
    fn a_damaged_object_is_read_alike(
        fields in proptest::collection::btree_map("id|id2|data|\\PC{0,12}", value(), 1..4),
        place: proptest::sample::Index, byte: char, length: proptest::sample::Index
    ) {
        let text = Value::Object(fields.into_iter().collect()).to_string();
        let mut chars: Vec<_> = text.chars().collect();
        let place = place.index(chars.len());
        chars[place] = byte;
        check(&chars.iter().collect::<String>());
        chars.truncate(length.index(chars.len()));
        check(&chars.iter().collect::<String>());
    }

    #[test]
    fn any_scribble_is_read_alike(text in "[\\[\\]{},:\"\\\\0-9eE.+ a-ftrulns\\-\t\u{1}]{0,12}") {
        check(&format!("{{\"a\":{text}}}"));
        check(&format!("{{\"a\":\"{text}\"}}"));
        check(&format!("{{\"id\":1{text}}}"));
    }
}
