//! Files as they are written, read back.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::fs;
use std::path::Path;

use api::v1;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use export::{Basis, Error, Events, Export, Format, Moved, Moves, Rows, Writer, risks};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};
use tempfile::TempDir;

/// What these items are in a file of this form.
fn written<R: Rows>(rows: &R, items: &[R::Item], format: Format) -> Vec<u8> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file");
    let mut writer = Writer::create(&path, format, rows.columns()).unwrap();
    items.iter().for_each(|item| rows.write(item, &mut writer).unwrap());
    writer.finish().unwrap();
    fs::read(path).unwrap()
}

fn lines(bytes: Vec<u8>) -> Vec<String> {
    String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()
}

/// Every stored form of an event that there ever was, as the log has it.
fn fixtures() -> Vec<v1::RecordedTouchpoint> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../touchpoint/fixtures");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    let event = |(index, file): (usize, &std::path::PathBuf)| v1::RecordedTouchpoint {
        position: index as u64 + 2,
        recorded_at: Some(prost_types::Timestamp { seconds: 1_767_225_600, nanos: 0 }),
        cloud_event_json: fs::read(file).unwrap(),
        ..Default::default()
    };
    files.iter().enumerate().map(event).collect()
}

#[test]
fn every_event_of_the_catalogue_keeps_every_field() {
    let events = fixtures();
    assert!(events.len() > 37);
    let lines = lines(written(&Events::default(), &events, Format::Ndjson));
    assert_eq!(lines.len(), events.len());
    for (event, line) in events.iter().zip(lines) {
        let (sent, row): (Value, Value) =
            (serde_json::from_slice(&event.cloud_event_json).unwrap(), serde_json::from_str(&line).unwrap());
        let pairs = [("id", "event_id"), ("type", "type"), ("subject", "customer_id"), ("channel", "channel")];
        for (attribute, column) in pairs {
            assert_eq!(sent[attribute], row[column], "{line}");
        }
        assert_eq!((row["position"].as_u64(), row.get("unreadable")), (Some(event.position), None), "{line}");
        for (field, value) in sent["data"].as_object().unwrap() {
            assert_eq!(&row[field], value, "{field} of {line}");
        }
    }
}

#[test]
fn what_cannot_be_read_is_a_row_with_its_reason() {
    let unreadable =
        |body: &[u8]| v1::RecordedTouchpoint { position: 7, cloud_event_json: body.to_vec(), ..Default::default() };
    let misplaced = v1::recorded_touchpoint::Content::Unreadable(v1::UnreadableEvent {
        reason: v1::UnreadableReason::Invalid.into(),
        ..Default::default()
    });
    let sent = &fixtures()[0];
    let items = [unreadable(b"{"), v1::RecordedTouchpoint { content: Some(misplaced), ..sent.clone() }];
    let lines = lines(written(&Events::default(), &items, Format::Ndjson));
    assert_eq!(lines[0], r#"{"position":7,"unreadable":"MALFORMED"}"#);
    let misplaced: Value = serde_json::from_str(&lines[1]).unwrap();
    assert_eq!((&misplaced["unreadable"], misplaced.get("type")), (&"INVALID".into(), None));
}

fn risk(reasons: usize) -> v1::Risk {
    let evidence = v1::Evidence {
        event_id: "e".to_owned(),
        occurred_at: Some(prost_types::Timestamp { seconds: 1, nanos: 5_000 }),
    };
    let reason = v1::Reason { code: "A,\"B\"".to_owned(), points_millionths: Some(-5), evidence: vec![evidence] };
    let window = v1::RepurchaseWindow { from_date: "2030-10-01".to_owned(), ..Default::default() };
    v1::Risk {
        customer_id: "c".to_owned(),
        p_millionths: Some(574_443),
        band: v1::RiskBand::High.into(),
        reasons: vec![reason; reasons],
        repurchase_window: Some(window),
        ..Default::default()
    }
}

#[test]
fn a_list_is_json_in_one_field_of_csv() {
    let lines = lines(written(&risks(), &[risk(1)], Format::Csv));
    assert!(lines[0].starts_with("customer_id,withheld,stage,") && lines[0].ends_with(",consultant_id,reasons"));
    let expect = "c,false,,,,,HIGH,574443,,,false,,,2030-10-01,,false,,,,\
                  \"[{\"\"code\"\":\"\"A,\\\"\"B\\\"\"\"\",\"\"points_millionths\"\":-5,\"\"evidence\"\":\
                  [{\"\"event_id\"\":\"\"e\"\",\"\"occurred_at\"\":\"\"1970-01-01T00:00:01.000005Z\"\"}]}]\"";
    assert_eq!(lines[1], expect);
    assert_eq!(lines.len(), 2);
}

#[test]
fn lists_and_nothing_come_back_from_parquet() {
    let items: Vec<_> = [0, 2, 1].map(risk).to_vec();
    let file = bytes::Bytes::from(written(&risks(), &items, Format::Parquet));
    let mut reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let batch = reader.next().unwrap().unwrap();
    assert!(reader.next().is_none() && batch.num_rows() == 3);
    let reasons = batch.column_by_name("reasons").unwrap().as_list::<i32>().clone();
    let lengths: Vec<_> = (0..3).map(|row| reasons.value(row).len()).collect();
    assert_eq!(lengths, [0, 2, 1]);
    let points = reasons.values().as_struct().column_by_name("points_millionths").unwrap().clone();
    assert_eq!(points.as_primitive::<Int64Type>().values(), &[-5, -5, -5]);
    assert_eq!(batch.column_by_name("silent_since").unwrap().null_count(), 3);
    let described = batch.schema();
    let described = described.field_with_name("p_millionths").unwrap().metadata();
    assert_eq!(described["description"], "The probability, 0 to 1000000 millionths.");
}

#[test]
fn every_change_of_who_moves_is_a_row() {
    let customer = v1::MovedCustomer {
        customer_id: "c".to_owned(),
        moves: vec![v1::AxisMove { axis: "band".to_owned(), from: "HIGH".to_owned(), to: "LOW".to_owned() }],
        segments_gained: vec!["a, b".to_owned()],
        figures: vec![v1::FigureChange { name: "p_millionths".to_owned(), before: Some(5), after: None }],
        reasons: vec![v1::ReasonChange {
            code: "SILENCE".to_owned(),
            before_millionths: None,
            after_millionths: Some(-7),
        }],
        ..Default::default()
    };
    let lines = lines(written(&Moves::default(), &[Moved { view: "churn", customer }], Format::Csv));
    let expect = [
        "view,customer_id,kind,name,from,to,before,after,condition,negated,holds_before,holds_after",
        "churn,c,axis,band,HIGH,LOW,,,,,,",
        "churn,c,segment,\"a, b\",,member,,,,,,",
        "churn,c,figure,p_millionths,,,5,,,,,",
        "churn,c,reason,SILENCE,,,,-7,,,,",
    ];
    assert_eq!(lines, expect);
}

#[test]
fn what_decides_on_a_segment_is_a_row_for_both_rules() {
    use v1::deciding_condition::Found;
    let condition = |condition: &str, negated, holds, found| v1::DecidingCondition {
        condition: condition.to_owned(),
        negated,
        holds,
        found,
    };
    let tier = |holds, value: &str| condition("tier = [\"VIP\"]", false, holds, Some(Found::Value(value.to_owned())));
    let open = |negated, holds| condition("open_contract = true", negated, holds, Some(Found::Flag(holds)));
    let changes = vec![
        v1::SegmentChange {
            name: "both".to_owned(),
            before: Some(v1::Decision { holds: false, conditions: vec![tier(false, "HIGH"), open(true, true)] }),
            after: Some(v1::Decision {
                holds: true,
                conditions: vec![
                    condition("conversions = { min = 1 }", false, true, Some(Found::Number(2))),
                    tier(true, "VIP"),
                ],
            }),
        },
        v1::SegmentChange {
            name: "old".to_owned(),
            before: Some(v1::Decision { holds: true, conditions: vec![open(false, true), open(true, false)] }),
            after: None,
        },
        v1::SegmentChange {
            name: "new".to_owned(),
            before: None,
            after: Some(v1::Decision {
                holds: true,
                conditions: vec![condition("rooms = { min = 3 }", true, false, None)],
            }),
        },
    ];
    let customer = v1::MovedCustomer { customer_id: "c".to_owned(), segment_changes: changes, ..Default::default() };
    let lines = lines(written(&Moves::default(), &[Moved { view: "segmentation", customer }], Format::Csv));
    let expect = [
        "condition,both,HIGH,VIP,,,\"tier = [\"\"VIP\"\"]\",false,false,true",
        "condition,both,true,,,,open_contract = true,true,true,",
        "condition,both,,,,2,conversions = { min = 1 },false,,true",
        "rules,old,defined,,,,,,,",
        "condition,old,true,,,,open_contract = true,false,true,",
        "condition,old,false,,,,open_contract = true,true,false,",
        "rules,new,,defined,,,,,,",
        "condition,new,,,,,rooms = { min = 3 },true,,false",
    ];
    assert_eq!(lines[1..], expect.map(|row| format!("segmentation,c,{row}")));
}

fn begin(folder: &Path, format: Format, force: bool) -> Result<Export, Error> {
    Export::begin(folder, "churn", format, risks().columns(), force)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

#[test]
fn an_export_takes_its_place_when_it_is_complete_and_never_by_itself_that_of_another() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path().join("a/b");
    let mut export = begin(&folder, Format::Csv, false).unwrap();
    risks().write(&risk(0), export.writer()).unwrap();
    assert_eq!(names(&folder), ["churn.csv.part"]);
    let manifest = export.finish("1.2.3", Basis { position: 9, parked: Some(0), ..Basis::default() }).unwrap();
    assert_eq!(names(&folder), ["churn.csv", "manifest.json"]);
    let text: Value = serde_json::from_slice(&fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    let file = &manifest.files[0];
    let files = json!([{"name": "churn.csv", "rows": 1, "bytes": file.bytes, "sha256": file.sha256}]);
    assert_eq!(
        text,
        json!({"what": "churn", "format": "csv", "lifefold": "1.2.3", "position": 9, "parked": 0, "rows": 1,
            "files": files})
    );

    assert!(matches!(begin(&folder, Format::Csv, false), Err(Error::Exists(_))));
    let given_up = begin(&folder, Format::Parquet, true).unwrap();
    drop(given_up);
    assert_eq!(names(&folder), ["churn.csv", "manifest.json"], "what is given up leaves all as it was");
    begin(&folder, Format::Parquet, true).unwrap().finish("1.2.3", Basis::default()).unwrap();
    assert_eq!(names(&folder), ["churn.parquet", "manifest.json"]);
}

/// Groups of rows end by number, and by bytes where rows are large: what is held at once is bounded.
#[test]
fn a_group_of_rows_is_bounded_however_many_there_are() {
    let groups = |items: Vec<Moved>| {
        let file = bytes::Bytes::from(written(&Moves::default(), &items, Format::Parquet));
        let read = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        let groups = read.metadata().row_groups().iter();
        groups.map(|it| (it.num_rows(), it.total_byte_size())).collect::<Vec<_>>()
    };
    let moved = |index: u64, length: usize| {
        // Text that does not get smaller: a group is bounded as it is in the file.
        let mut state = index;
        let letters = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b' ' + (state >> 58) as u8)
        });
        let customer_id = letters.take(length).collect();
        let customer = v1::MovedCustomer { customer_id, segments_gained: vec!["s".to_owned()], ..Default::default() };
        Moved { view: "churn", customer }
    };
    let small = groups((0..130_000).map(|index| moved(index, 6)).collect());
    assert_eq!(small.iter().map(|(rows, _)| *rows).collect::<Vec<_>>(), [122_880, 7_120]);
    let large = groups((0..18_000).map(|index| moved(index, 4_000)).collect());
    assert!(large.len() >= 2 && large.iter().all(|(_, bytes)| *bytes < 50_000_000), "{large:?}");
}
