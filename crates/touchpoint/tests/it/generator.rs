//! Arbitrary valid events, made from the shapes of the catalogue, so that a new event is tested without new code.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use touchpoint::{Channel, FieldSpec, Kind, Shape};

/// A valid event as JSON.
pub(crate) fn valid_event() -> impl Strategy<Value = Value> {
    (proptest::sample::select(Kind::ALL), any::<bool>())
        .prop_flat_map(|(kind, oldest)| {
            (Just(kind), Just(if oldest { 1 } else { kind.version() }), envelope(), data(kind))
        })
        .prop_map(|(kind, version, mut event, mut data)| {
            follow_rules(kind, version, &event, &mut data);
            event.insert("type".to_owned(), json!(kind.name()));
            event.insert("dataschema".to_owned(), json!(format!("urn:lifefold:{kind}:{version}")));
            event.insert("data".to_owned(), Value::Object(data));
            Value::Object(event)
        })
}

fn envelope() -> impl Strategy<Value = Map<String, Value>> {
    let required = (uuid(), ".{1,200}", uuid(), time(), proptest::sample::select(Channel::NAMES));
    let optional = proptest::array::uniform5(proptest::option::of(code()));
    (required, optional, proptest::option::of(time())).prop_map(
        |((id, source, customer, time, channel), codes, first)| {
            let mut event = Map::new();
            let texts = [
                ("id", id),
                ("source", source),
                ("subject", customer),
                ("time", time),
                ("channel", channel.to_owned()),
            ];
            event.insert("specversion".to_owned(), json!("1.0"));
            event.extend(texts.into_iter().map(|(name, text)| (name.to_owned(), json!(text))));
            let names = ["companyid", "projectid", "actorid", "correlationid", "causationid"];
            event.extend(names.into_iter().zip(codes).map(|(name, code)| (name.to_owned(), json!(code))));
            event.insert("firstrecordedat".to_owned(), json!(first));
            event
        },
    )
}

fn data(kind: Kind) -> impl Strategy<Value = Map<String, Value>> {
    kind.fields().iter().map(field).collect::<Vec<_>>().prop_map(move |values| {
        let names = kind.fields().iter().map(|field| field.name.to_owned());
        names.zip(values).filter(|(_, value)| !value.is_null()).collect()
    })
}

fn field(field: &FieldSpec) -> BoxedStrategy<Value> {
    let value = shape(field.shape);
    if field.required { value } else { proptest::option::of(value).prop_map(|value| json!(value)).boxed() }
}

fn shape(shape: Shape) -> BoxedStrategy<Value> {
    match shape {
        Shape::Code => code().prop_map(Value::from).boxed(),
        Shape::Uuid => uuid().prop_map(Value::from).boxed(),
        Shape::Enum(_, names, _) => proptest::sample::select(names).prop_map(Value::from).boxed(),
        Shape::Int(low, high) => prop_oneof![Just(low), Just(high), low..=high].prop_map(Value::from).boxed(),
        Shape::Fen => prop_oneof![Just(0), Just(i64::MAX), 0..=i64::MAX].prop_map(Value::from).boxed(),
        Shape::Position => (1..=i64::MAX).prop_map(Value::from).boxed(),
        Shape::Date => date().prop_map(Value::from).boxed(),
        Shape::Flag => any::<bool>().prop_map(Value::from).boxed(),
        Shape::Time | Shape::Text(_) => unreachable!("in the envelope only"),
    }
}

fn code() -> impl Strategy<Value = String> {
    "[A-Za-z0-9._:-]{1,40}"
}

fn uuid() -> impl Strategy<Value = String> {
    prop_oneof!["[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}"]
}

fn time() -> impl Strategy<Value = String> {
    "[0-9]{3}[1-9]-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?Z"
}

fn date() -> impl Strategy<Value = String> {
    "[0-9]{3}[1-9]-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
}

/// Bends arbitrary fields to the rules that go beyond one field's shape.
fn follow_rules(kind: Kind, version: u32, event: &Map<String, Value>, data: &mut Map<String, Value>) {
    match kind {
        Kind::VisitRecorded => {
            let bound = |name: &str| data.get(name).and_then(Value::as_i64);
            if let (Some(low), Some(high)) = (bound("budget_min_fen"), bound("budget_max_fen")) {
                data["budget_min_fen"] = json!(low.min(high));
                data["budget_max_fen"] = json!(low.max(high));
            }
        }
        Kind::ConsultantReassigned if data["from"] == data["to"] => data["to"] = json!("K-other"),
        Kind::ContractSigned if data["price_fen"] == 0 => data["price_fen"] = json!(1),
        Kind::ContractAmended => {
            let (is_price, is_swap) = (data["kind"] == "PRICE", data["kind"] == "UNIT_SWAP");
            let price = data.get("price_fen").cloned().unwrap_or(json!(0));
            data.insert("price_fen".to_owned(), if is_price { price } else { Value::Null });
            data.insert("unit_id".to_owned(), if is_swap { json!("B7-1802") } else { Value::Null });
        }
        // The date of `time` in UTC is never after that in Shanghai.
        Kind::HandoverCompleted => data["handed_over_on"] = json!(event["time"].as_str().unwrap()[..10]),
        Kind::MovedIn | Kind::UnitResold => data["on"] = json!(event["time"].as_str().unwrap()[..10]),
        Kind::SurveyAnswered => answer(version, data),
        Kind::ReferralMade if data["referred_customer_id"] == event["subject"] => {
            data["referred_customer_id"] = json!("00000000-0000-4000-8000-000000000000");
        }
        Kind::EventVoided => match data.get("target_event_id") {
            Some(_) => drop(data.remove("target_position")),
            None => drop(data.insert("target_position".to_owned(), json!(1))),
        },
        _ => {}
    }
}

fn answer(version: u32, data: &mut Map<String, Value>) {
    if data.get("not_applicable") == Some(&json!(true)) {
        data.remove("score");
        return;
    }
    let (low, high) = match data["metric"].as_str() {
        _ if version == 1 => (1, 5),
        Some("NPS") => (0, 10),
        Some("CES") => (1, 7),
        _ => (1, 5),
    };
    let score = data.get("score").and_then(Value::as_i64).unwrap_or(low).clamp(low, high);
    data.insert("score".to_owned(), json!(score));
}
