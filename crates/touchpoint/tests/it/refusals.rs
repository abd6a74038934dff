//! Every rule, broken: which field is named, and what the message says.

use touchpoint::{Event, Kind, MAX_EVENT_BYTES, Unreadable};

/// The event is refused with exactly these fields, in this order, each message containing the text beside it.
fn check(body: &str, expected: &[(&str, &str)]) {
    let Err(broken) = Event::decode(body.as_bytes()) else { panic!("accepted: {body}") };
    let fields: Vec<_> = broken.list.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(fields, expected.iter().map(|(field, _)| *field).collect::<Vec<_>>(), "{body}\n{broken}");
    for (violation, (_, part)) in broken.list.iter().zip(expected) {
        assert!(violation.message.contains(part), "{violation} should say: {part}");
        assert!(violation.message.len() < 400, "{violation}");
    }
}

const EXPECTED: &str = "no JSON object: expected an object at byte 0";

fn accept(body: &str) {
    Event::decode(body.as_bytes()).unwrap_or_else(|broken| panic!("{body}\n{broken}"));
}

const ATTRIBUTES: [&str; 8] = [
    r#""specversion":"1.0""#,
    r#""id":"0195ed3c-4f00-7a10-8000-000000000001""#,
    r#""source":"crm/sales""#,
    r#""type":"CustomerErased""#,
    r#""dataschema":"urn:lifefold:CustomerErased:1""#,
    r#""subject":"7d3f0a52-6b1e-4c8a-9f27-51c0e8a4b6d3""#,
    r#""time":"2025-03-31T17:30:00Z""#,
    r#""channel":"APP""#,
];

/// A good event with one attribute written like this instead: `"name":value`; an empty value leaves it out.
fn envelope(attribute: &str) -> String {
    let (name, value) = attribute.split_once(':').unwrap();
    let mut parts: Vec<_> = ATTRIBUTES.into_iter().chain([r#""data":{}"#]).collect();
    parts.retain(|part| !part.starts_with(&format!("{name}:")));
    if !value.is_empty() {
        parts.push(attribute);
    }
    format!("{{{}}}", parts.join(","))
}

/// A good envelope of this type around these fields.
fn event(kind: Kind, version: u32, data: &str) -> String {
    let schema = format!(r#""type":"{kind}","dataschema":"urn:lifefold:{kind}:{version}""#);
    format!(
        "{{{},{},{schema},{},\"data\":{{{data}}}}}",
        ATTRIBUTES[..3].join(","),
        ATTRIBUTES[5],
        ATTRIBUTES[6..].join(",")
    )
}

#[test]
fn the_templates_are_good_without_a_mistake() {
    accept(&envelope(r#""pii":"#));
    accept(&event(Kind::ConsentGranted, 1, r#""purpose":"SURVEY""#));
}

#[test]
fn bodies_that_are_no_json_object() {
    for (body, part) in [
        ("", EXPECTED),
        ("null", EXPECTED),
        ("[1]", EXPECTED),
        ("{", "expected a text in quotes at byte 1"),
        (r#"{"id":}"#, "expected a value at byte 6"),
        (r#"{"a":1} {"#, "expected nothing more at byte 8"),
        (r#"{"id":"\ud800"}"#, "surrogate pair"),
    ] {
        check(body, &[("", part)]);
    }
    // What was there instead is not quoted: it might be somebody's name.
    let broken = Event::decode("\"张三 13800138000\"".as_bytes()).unwrap_err();
    assert_eq!((broken.reason, broken.to_string().as_str()), (Unreadable::Malformed, EXPECTED));
    check(&format!("{{\"id\":{}", "[".repeat(60_000)), &[("", "expected a value at byte 60006")]);
    check(&format!("{{\"id\":\"{}\"}}", "x".repeat(MAX_EVENT_BYTES)), &[("", "at most 64512 bytes")]);
    assert!(Event::decode(b"{\"id\":\"\xff\"}").unwrap_err().to_string().contains("UTF-8, which ends at byte 7"));
}

#[test]
fn attributes_of_the_envelope() {
    for (attribute, field, part) in [
        (r#""specversion":"0.3""#, "specversion", "expected \"1.0\""),
        (r#""specversion":"#, "specversion", "is required"),
        (r#""id":"#, "id", "is required: expected a UUID"),
        (r#""id":null"#, "id", "is required"),
        (r#""id":"0195ed3c4f007a108000000000000001""#, "id", "expected a UUID"),
        (r#""id":"0195ed3c-4f00-7a10-8000-00000000000g""#, "id", "expected a UUID"),
        (r#""subject":"13800138000""#, "subject", "expected a UUID"),
        (r#""subject":7"#, "subject", "got 7"),
        (r#""source":"""#, "source", "1 to 200 characters"),
        (r#""type":"VisitHappened""#, "type", "got \"VisitHappened\""),
        (r#""type":"customererased""#, "type", "expected an event type"),
        (r#""dataschema":"urn:lifefold:CustomerErased:2""#, "dataschema", "from 1 to 1, got \"2\""),
        (r#""dataschema":"urn:lifefold:CustomerErased:99999999999""#, "dataschema", "from 1 to 1"),
        (r#""dataschema":"urn:lifefold:CustomerErased:01""#, "dataschema", "urn:lifefold:CustomerErased:<version>"),
        (r#""dataschema":"urn:lifefold:CustomerErased:""#, "dataschema", "urn:lifefold:CustomerErased:<version>"),
        (r#""dataschema":"urn:lifefold:VisitRecorded:1""#, "dataschema", "urn:lifefold:CustomerErased:<version>"),
        (r#""time":"2025-03-31 17:30""#, "time", "expected an RFC 3339 time"),
        (r#""time":"2025-03-31T17:30:00""#, "time", "expected an RFC 3339 time"),
        (r#""time":"2025-03-31T17:30:00.1234567Z""#, "time", "at most 6 decimals"),
        (r#""time":"2025-02-29T17:30:00Z""#, "time", "expected an RFC 3339 time"),
        (r#""time":"0000-01-01T00:00:00Z""#, "time", "expected an RFC 3339 time"),
        (r#""time":1743442200"#, "time", "got 1743442200"),
        (
            r#""channel":"FAX""#,
            "channel",
            "one of IN_PERSON, PHONE, EMAIL, WECHAT, APP, WEB, SMS, AGENT, SYSTEM, got \"FAX\"",
        ),
        (r#""companyid":"C 01""#, "companyid", "a code of 1 to 40 characters"),
        (r#""projectid":"""#, "projectid", "a code of 1 to 40 characters"),
        (r#""actorid":"张三""#, "actorid", "got a text of 2 characters"),
        (r#""correlationid":["a"]"#, "correlationid", "got an object or array"),
        (r#""causationid":{"a":{}}"#, "causationid", "got an object or array"),
        (r#""firstrecordedat":"yesterday""#, "firstrecordedat", "expected an RFC 3339 time"),
        (r#""data":"#, "data", "is required: expected an object"),
        (r#""data":null"#, "data", "is required: expected an object"),
        (r#""data":[]"#, "data", "expected an object"),
        (r#""data":"{}""#, "data", "expected an object"),
    ] {
        check(&envelope(attribute), &[(field, part)]);
    }
}

#[test]
fn what_is_lenient_or_has_several_spellings() {
    accept(&envelope(r#""id":"0195ED3C-4F00-7A10-8000-0000000000AB""#));
    accept(&envelope(r#""time":"0001-01-01T00:00:00Z""#));
    accept(&envelope(r#""time":"2025-04-01T01:30:00+08:00""#));
    accept(&envelope(r#""companyid":null"#));
    accept(&envelope(r#""companyid":"\u0043\u00301""#));
    accept(&envelope(r#""traceparent":{"deep":[[[]]]}"#));
    accept(&envelope(&format!(r#""data":{{"unknown":{}1{}}}"#, "[".repeat(20_000), "]".repeat(20_000))));
    accept(&event(Kind::LeadLost, 1, r#""reason":"PRICE","note":{"a":1}"#));
    accept(&event(
        Kind::RevisitCompleted,
        1,
        r#""revisit_id":"R","mode":"PHONE","trigger":"PERIODIC","satisfaction":null"#,
    ));
}

#[test]
fn fields_of_wrong_type_or_out_of_range() {
    const VISIT: &str =
        r#""visit_id":"V1","kind":"FIRST","purpose":"SHOW_FLAT","lead_source":"OTHER","consultant_id":"K1""#;
    for (field, value, part) in [
        ("rooms", "5.0", "from 0 to 10000, got 5.0"),
        ("rooms", "1e3", "got 1000.0"),
        ("rooms", "1e300", "got 1e300"),
        ("rooms", "1e999", "got inf"),
        ("rooms", "-1", "got -1"),
        ("rooms", "\"3\"", "got \"3\""),
        ("rooms", "true", "got true"),
        ("rooms", "10001", "got 10001"),
        ("minutes", "1441", "from 0 to 1440"),
        ("area", "4294967296", "from 0 to 4294967295"),
        ("budget_max_fen", "9223372036854775808", "a whole number of fen, 0 or more, got 9.2"),
        ("budget_max_fen", "-0.5", "a whole number of fen"),
        ("intent", "\"E\"", "one of A, B, C, D, got \"E\""),
        ("intent", "\"a\"", "one of A, B, C, D"),
        ("motive", "\"想换大房子 13800138000\"", "got a text of 17 characters"),
        ("household", "{}", "got an object or array"),
    ] {
        check(
            &event(Kind::VisitRecorded, 1, &format!("{VISIT},\"{field}\":{value}")),
            &[(&format!("data.{field}"), part)],
        );
    }

    let long = format!(r#""defect_id":"{}""#, "x".repeat(41));
    check(&event(Kind::DefectRectified, 1, &long), &[("data.defect_id", "got \"xxx")]);
    let prose = format!(r#""defect_id":"{}""#, "x".repeat(5_000));
    check(&event(Kind::DefectRectified, 1, &prose), &[("data.defect_id", "got a text of 5000 characters")]);
    check(
        &event(Kind::HandoverNotified, 1, r#""contract_id":"C","due_on":"2025-2-1""#),
        &[("data.due_on", "a date such as")],
    );
    check(&event(Kind::ComplaintEscalated, 1, r#""complaint_id":"T","level":0"#), &[("data.level", "from 1 to 9")]);
}

#[test]
fn fields_that_come_more_than_once() {
    let body = envelope(r#""companyid":"C01","subject":null,"companyid":"C02""#);
    check(&body, &[("subject", "more than once"), ("companyid", "more than once")]);
    check(&envelope(r#""data":{},"data":{}"#), &[("data", "more than once")]);
    check(&event(Kind::LeadLost, 1, r#""reason":"PRICE","r\u0065ason":"LOAN""#), &[("data.reason", "more than once")]);
    accept(&event(Kind::LeadLost, 1, r#""reason":"PRICE","note":1,"note":2"#));
}

#[test]
fn scores_within_their_metric() {
    let answer = |rest: &str| {
        let named = r#""survey_id":"D","wave_id":"2025","port":"OVERALL","item_code":"I""#;
        event(Kind::SurveyAnswered, 2, &format!("{named},{rest}"))
    };
    for (metric, score, allowed) in [
        ("CSAT", 0, "1 to 5"),
        ("CSAT", 6, "1 to 5"),
        ("CES", 8, "1 to 7"),
        ("REPURCHASE", 7, "1 to 5"),
        ("RECOMMEND", 0, "1 to 5"),
    ] {
        check(
            &answer(&format!(r#""metric":"{metric}","score":{score}"#)),
            &[("data.score", &format!("{allowed} for {metric}"))],
        );
    }
    check(&answer(r#""metric":"NPS","score":11"#), &[("data.score", "from 0 to 10, got 11")]);
    check(&answer(r#""metric":"NPS""#), &[("data.score", "is required: expected 0 to 10, or not_applicable true")]);
    check(&answer(r#""metric":"NPS","score":0,"not_applicable":true"#), &[("data.score", "expected nothing")]);
    check(&answer(r#""score":5"#), &[("data.metric", "is required")]);
}

#[test]
fn rules_beyond_one_field() {
    for (kind, data, field, part) in [
        (Kind::ConsultantReassigned, r#""from":"K1","to":"K1""#, "to", "another consultant"),
        (
            Kind::HandoverCompleted,
            r#""contract_id":"C","handed_over_on":"2025-04-02","defects_open":0"#,
            "handed_over_on",
            "at most 2025-04-01",
        ),
        (Kind::MovedIn, r#""contract_id":"C","on":"2025-04-02""#, "on", "at most 2025-04-01, the Shanghai date"),
        (Kind::UnitResold, r#""contract_id":"C","on":"2025-04-02""#, "on", "at most 2025-04-01"),
        (
            Kind::ReferralMade,
            r#""referral_id":"R","referred_customer_id":"7D3F0A52-6B1E-4C8A-9F27-51C0E8A4B6D3""#,
            "referred_customer_id",
            "another customer",
        ),
        (Kind::ContractAmended, r#""contract_id":"C","kind":"PRICE""#, "price_fen", "expected a price"),
        (Kind::ContractAmended, r#""contract_id":"C","kind":"UNIT_SWAP""#, "unit_id", "expected a code"),
        (
            Kind::ContractAmended,
            r#""contract_id":"C","kind":"NAME_CHANGE","unit_id":"U""#,
            "unit_id",
            "nothing, since kind is NAME_CHANGE",
        ),
        (
            Kind::ContractAmended,
            r#""contract_id":"C","kind":"NAME_CHANGE","price_fen":1"#,
            "price_fen",
            "nothing, since kind is NAME_CHANGE",
        ),
        (Kind::EventVoided, r#""reason":"R""#, "target_event_id", "exactly one"),
        (
            Kind::EventVoided,
            r#""reason":"R","target_position":0"#,
            "target_position",
            "a position of the log, 1 or more",
        ),
        (
            Kind::EventVoided,
            r#""reason":"R","target_position":1,"target_event_id":"0195ed3c-4f00-7a10-8000-000000000001""#,
            "target_event_id",
            "exactly one",
        ),
    ] {
        check(&event(kind, 1, data), &[(&format!("data.{field}"), part)]);
    }
    // Shanghai is a day ahead at 17:30 UTC.
    accept(&event(Kind::MovedIn, 1, r#""contract_id":"C","on":"2025-04-01""#));
}

#[test]
fn everything_at_once_with_the_id_for_a_later_void() {
    let data = r#""kind":"SECOND","purpose":"SHOW_FLAT","lead_source":"X","consultant_id":"K1","rooms":1.5,"budget_min_fen":2,"budget_max_fen":1"#;
    let body = event(Kind::VisitRecorded, 1, data).replace("\"APP\"", "\"FAX\"").replace("2025-03-31T", "noon ");
    let fields =
        ["time", "channel", "data.visit_id", "data.kind", "data.lead_source", "data.rooms", "data.budget_min_fen"];
    check(&body, &fields.map(|field| (field, "expected")));
    let broken = Event::decode(body.as_bytes()).unwrap_err();
    assert_eq!(broken.reason, Unreadable::Invalid);
    assert_eq!(broken.id.unwrap().to_string(), "0195ed3c-4f00-7a10-8000-000000000001");
    // Without a readable version the fields are judged all the same; of an unknown one they are not.
    let no_version = event(Kind::LeadLost, 1, "").replace("urn:lifefold:LeadLost:1", "v1");
    check(&no_version, &[("dataschema", "urn:lifefold:LeadLost:<version>"), ("data.reason", "is required")]);
    let newer = event(Kind::LeadLost, 7, "").replace("\"APP\"", "\"FAX\"");
    check(&newer, &[("dataschema", "from 1 to 1"), ("channel", "one of")]);
    assert_eq!(Event::decode(newer.as_bytes()).unwrap_err().reason, Unreadable::UnknownVersion);
    let unknown = envelope(r#""type":"Visited""#);
    assert_eq!(Event::decode(unknown.as_bytes()).unwrap_err().reason, Unreadable::UnknownType);
}

#[test]
fn personal_data_is_never_quoted() {
    for pii in ["13800138000", r#"["13800138000"]"#, r#"{"phone":"13800138000"}"#, "true"] {
        let body = envelope(&format!(r#""pii":{pii}"#));
        check(&body, &[("pii", "expected a text")]);
        assert!(!Event::decode(body.as_bytes()).unwrap_err().to_string().contains("138"), "{pii}");
    }
    let body = envelope(r#""pii":"13800138000""#);
    assert!(Event::decode(body.as_bytes()).unwrap().has_pii);
}
