//! The rules file: its mistakes, and the version that tells meanings apart.

use touchpoint::{ComplaintSeverity, ServicePort};
use views::rules::{DEFAULT_FILE, Earned, Rules};

/// A file is refused with exactly these mistakes; each expected one is its place and a part of its message.
fn check(text: &str, expected: &[(usize, usize, &str)]) {
    let mistakes = Rules::parse(text).expect_err(text).mistakes;
    let places: Vec<_> = mistakes.iter().map(|mistake| (mistake.line, mistake.column)).collect();
    let wanted: Vec<_> = expected.iter().map(|(line, column, _)| (*line, *column)).collect();
    assert_eq!(places, wanted, "{text}\n{mistakes:#?}");
    for (mistake, (.., part)) in mistakes.iter().zip(expected) {
        assert!(mistake.message.contains(part), "{text}\n{mistake}\nlacks {part:?}");
    }
}

/// A segment with this condition is refused with exactly this mistake, in the column of the condition given.
fn check_condition(condition: &str, column: usize, part: &str) {
    let before = "segments = [{ name = \"it\", when = ";
    check(&format!("{before}{condition} }}]"), &[(1, before.len() + column, part)]);
}

#[test]
fn unknown_keys_come_with_a_suggestion() {
    check("[lifecycle]\nlost_after_day = 9", &[(2, 1, "did you mean \"lost_after_days\"?")]);
    check("[lifecicle]\nlost_after_days = 9", &[(1, 2, "did you mean \"lifecycle\"?")]);
    check("[churn.reasons.SILENT]\npoints = 1", &[(1, 16, "did you mean \"SILENCE\"?")]);
    check("[churn.band_from]\nxyzzy = 1", &[(2, 1, "expected one of CRITICAL, HIGH, MEDIUM")]);
    check("lost_after_days = 9", &[(1, 1, "unknown key \"lost_after_days\"")]);
    check("lifecycle = 3", &[(1, 13, "lifecycle: expected a table, got 3")]);
}

#[test]
fn numbers_fit_their_unit() {
    check(
        "lifecycle.lost_after_days = \"9\"",
        &[(1, 29, "expected a whole number of days from 1 to 36500, got \"9\"")],
    );
    check("lifecycle.lost_after_days = 0", &[(1, 29, "got 0")]);
    check("lifecycle.lost_after_days = 36501", &[(1, 29, "got 36501")]);
    check("lifecycle.lost_after_days = 9.5", &[(1, 29, "got 9.5")]);
    check("lifecycle.lost_after_days = true", &[(1, 29, "got true")]);
    check("lifecycle.lost_after_days = [9]", &[(1, 29, "got a list")]);
    check("churn.reasons.SILENCE.points_per_gap = 0.1234567", &[(1, 40, "at most 6 decimals")]);
    check("churn.reasons.SILENCE.points_per_gap = nan", &[(1, 40, "got nan")]);
    check("churn.reasons.SILENCE.points_per_gap = inf", &[(1, 40, "got inf")]);
    check("churn.reasons.SILENCE.points_per_gap = -1000.1", &[(1, 40, "from -1000 to 1000")]);
    check("satisfaction.port_weights.OVERALL = -0.1", &[(1, 37, "a weight from 0 to 1000")]);
    check("satisfaction.satisfied_from = 80.001", &[(1, 31, "at most 2 decimals")]);
    check("churn.band_from.CRITICAL = 1.1", &[(1, 28, "a probability from 0 to 1")]);
    check("segmentation.tier.value_full_fen = 0", &[(1, 36, "fen from 1")]);
    check("segmentation.tier.contracts_full = 99999999999999999999", &[(1, 36, "things from 1 to 1000")]);
}

#[test]
fn cut_points_are_in_order() {
    check("segmentation.recency_days = [30, 90, 90, 365]", &[(1, 38, "expected more than 90")]);
    check("segmentation.frequency_from = [7, 8, 2, 1]", &[(1, 35, "expected less than 7")]);
    check("segmentation.monetary_from_fen = [3, 2]", &[(1, 34, "expected a list of 3 numbers")]);
    check("segmentation.monetary_from_fen = 3", &[(1, 34, "expected a list of 3 numbers")]);
    check("[churn.band_from]\nMEDIUM = 0.4", &[(2, 10, "HIGH: expected more than MEDIUM")]);
    check("[segmentation.tier.from]\nVIP = 45", &[(2, 7, "HIGH: expected less than VIP")]);
    check("[lifecycle]\nlong_term_after_months = 12", &[(2, 26, "more than stable_after_months")]);
    check("satisfaction.neutral_from = 80", &[(1, 29, "less than satisfied_from")]);
    check("churn.repurchase_until_months = 66", &[(1, 33, "more than repurchase_from_months")]);
}

#[test]
fn conditions_say_something_that_can_be_asked() {
    check_condition("3", 1, "a condition: expected a table, got 3");
    check_condition("{}", 1, "exactly one key, got 0");
    check_condition("{ rooms = { min = 1 }, tier = [\"VIP\"] }", 1, "exactly one key, got 2");
    check_condition("{ all = [] }", 9, "at least one condition");
    check_condition("{ any = { } }", 9, "at least one condition");
    check_condition("{ room = { min = 1 } }", 3, "did you mean \"rooms\"?");
    check_condition("{ tier = [] }", 10, "expected at least one");
    check_condition("{ tier = [\"VPI\"] }", 11, "unknown tier \"VPI\"");
    check_condition("{ stage = [\"RUNIN\"] }", 12, "did you mean \"RUN_IN\"?");
    check_condition("{ company = [\"C 1\"] }", 14, "a code of 1 to 40 characters");
    check_condition("{ motive = [1] }", 13, "motive: expected a name, got 1");
    check_condition("{ open_contract = 1 }", 19, "expected true or false, got 1");
    check_condition("{ rooms = {} }", 11, "min or max");
    check_condition("{ rooms = { min = 4, max = 3 } }", 28, "at least min (4), got 3");
    check_condition("{ rooms = { mi = 4, max = 3 } }", 13, "did you mean \"min\"?");
    check_condition("{ recency = { min = 6 } }", 21, "from 1 to 5, got 6");
    let deep = format!("{}{{ open_contract = true }}{}", "{ not = ".repeat(16), " }".repeat(16));
    check_condition(&deep, 1 + 16 * 8, "nested deeper than 16");
}

#[test]
fn counts_name_events_and_fields_that_exist() {
    let check = |count: &str, column: usize, part: &str| {
        let before = "{ count = ";
        check_condition(&format!("{before}{count} }}"), before.len() + column, part);
    };
    check("{ min = 1 }", 1, "count needs events");
    check("{ events = [\"VisitRecorded\"] }", 1, "min or max");
    check("{ events = [\"VisitRecorded\"], days = 3 }", 1, "min or max");
    check("{ events = [], min = 1 }", 12, "at least one");
    check("{ events = [\"VisitRecord\"], min = 1 }", 13, "did you mean \"VisitRecorded\"?");
    check("{ events = [\"EventVoided\"], min = 1 }", 13, "unknown event type");
    check("{ events = [1], min = 1 }", 13, "expected an event type, got 1");
    check("{ events = \"VisitRecorded\", min = 2, max = 1 }", 44, "at least min (2)");
    check("{ events = \"VisitRecorded\", min = -1 }", 35, "from 0");
    check("{ events = \"VisitRecorded\", days = 0, min = 1 }", 36, "days from 1");
    check("{ events = \"VisitRecorded\", day = 1, min = 1 }", 29, "did you mean \"days\"?");
    check("{ events = \"VisitRecorded\", min = 1, where = {} }", 46, "at least one field");
    check("{ events = \"VisitRecorded\", min = 1, where = { purpos = \"X\" } }", 48, "did you mean \"purpose\"?");
    check("{ events = \"VisitRecorded\", min = 1, where = { purpose = \"HOME\" } }", 58, "one of SALES_CENTRE");
    check("{ events = \"VisitRecorded\", min = 1, where = { purpose = [] } }", 58, "at least one");
    check("{ events = \"VisitRecorded\", min = 1, where = { rooms = \"3\" } }", 56, "a whole number from 0 to 10000");
    check("{ events = \"VisitRecorded\", min = 1, where = { visit_id = \"\" } }", 59, "a code");
    check("{ events = \"MovedIn\", min = 1, where = { on = \"2025-02-30\" } }", 47, "a date");
    let both = "{ events = [\"ComplaintLodged\", \"ComplaintClosed\"], min = 1, where = { port = \"OVERALL\" } }";
    check(both, 71, "unknown field of ComplaintClosed \"port\"");
}

#[test]
fn segments_have_a_name_of_their_own_and_a_condition() {
    let when = "when = { tier = [\"VIP\"] }";
    check(&format!("[[segments]]\nname = \"a\"\n{when}\n[[segments]]\nname = \"a\"\n{when}"), &[(5, 8, "given twice")]);
    check(&format!("[[segments]]\nname = \"A b\"\n{when}"), &[(2, 8, "characters of a-z 0-9 _")]);
    check(&format!("[[segments]]\n{when}"), &[(1, 1, "a segment needs name")]);
    check("[[segments]]\nname = \"a\"", &[(1, 1, "a segment needs when")]);
    check(&format!("[[segments]]\nname = \"a\"\nif = 1\n{when}"), &[(3, 1, "unknown key of segment \"if\"")]);
    check("segments = 3", &[(1, 12, "a list of at most 100 segments")]);
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_their_lines() {
    let text = "\
[lifecycle]
lost_after_days = \"ninety\"   # 九十
\"长\" = 1
stable_after_months = 40

[churn.reasons.SILENCE]
points_per_gap = 0.12345678

[[segments]]
name = \"a\"
when = { all = [{ tier = [\"VPI\"] }, { rooms = { min = 2, max = 1 } }] }
";
    let expected = [
        (2, 19, "days"),
        (3, 1, "unknown key"),
        (4, 23, "long_term_after_months: expected more than stable_after_months"),
        (7, 18, "decimals"),
        (11, 27, "unknown tier"),
        (11, 64, "at least min"),
    ];
    check(text, &expected);
    let error = Rules::parse(text).expect_err("it has mistakes").to_string();
    assert!(error.starts_with("the rules file has 6 mistakes\n  line 2, column 19: lifecycle."), "{error}");
}

#[test]
fn what_is_no_toml_is_told_with_its_line_and_so_is_the_rest() {
    check("[lifecycle]\nlost_after_days = = 3\n[churn]\nhorizon = 3", &[(2, 19, "not TOML"), (4, 1, "unknown key")]);
    check("[lifecycle]\nlost_after_days = 3\nlost_after_days = 4", &[(3, 1, "not TOML: duplicate key")]);
    check(&"#".repeat(262_145), &[(1, 1, "at most 262144 bytes")]);
}

#[test]
fn nothing_makes_reading_panic() {
    // Every prefix, and the file with each of its lines left out or doubled.
    for (end, _) in DEFAULT_FILE.char_indices().step_by(7) {
        _ = Rules::parse(&DEFAULT_FILE[..end]);
    }
    let lines: Vec<&str> = DEFAULT_FILE.lines().collect();
    for index in 0..lines.len() {
        let doubled = [&lines[..=index], &lines[index..]].concat().join("\n");
        let left_out = [&lines[..index], &lines[index + 1..]].concat().join("\n");
        _ = (Rules::parse(&doubled), Rules::parse(&left_out));
    }
    _ = Rules::parse(&"[".repeat(100_000));
    _ = Rules::parse(&format!("segments = {}", "{not = ".repeat(10_000)));
}

#[test]
fn what_a_file_leaves_out_keeps_its_default() {
    let default = Rules::default();
    assert_eq!(Rules::parse(""), Ok(default.clone()));
    assert_eq!(Rules::parse(DEFAULT_FILE), Ok(default.clone()));
    let mut expected = default.clone();
    expected.service_levels.resolve_hours[ComplaintSeverity::High as usize] = 48;
    assert_eq!(Rules::parse("service_levels.resolve_hours = { HIGH = 48 }"), Ok(expected));
    let none = Rules::parse("segments = []").expect("a right file");
    assert!(none.segmentation.segments.is_empty());
    assert_eq!(Rules::parse(&none.to_toml()), Ok(none));
}

#[test]
fn defaults_are_those_of_the_domain() {
    let rules = Rules::default();
    let weight = |port: ServicePort| rules.satisfaction.port_weights[port as usize];
    assert_eq!((weight(ServicePort::Overall), weight(ServicePort::ComplaintHandling)), (250_000, 100_000));
    assert_eq!(rules.satisfaction.port_weights.iter().sum::<i64>(), 1_000_000);
    assert_eq!((rules.satisfaction.flat_below_z, rules.satisfaction.marked_from_bp), (1_960_000, 500));
    assert_eq!((rules.satisfaction.satisfied_from, rules.satisfaction.neutral_from), (80_00, 60_00));
    assert_eq!(rules.service_levels.resolve_hours, [168, 120, 72, 24]);
    assert_eq!(rules.segmentation.tier_from, [70_00, 45_00, 20_00]);
    assert_eq!(rules.segmentation.tier_value, Earned { points: 40_000_000, full: 1_000_000_000 });
    assert_eq!(rules.churn.base, [-500_000, -1_500_000, -2_500_000, -2_000_000, -1_500_000, -1_000_000]);
    assert_eq!(rules.churn.gap_days, [14, 14, 45, 90, 180, 365]);
    assert_eq!(rules.churn.open_complaint, [500_000, 500_000, 900_000, 1_300_000]);
    assert_eq!(rules.churn.overall, [1_000_000, 1_000_000, 400_000, -400_000, -400_000]);
    let names: Vec<_> = rules.segmentation.segments.iter().map(|segment| &*segment.name).collect();
    assert_eq!(names, ["complaints_unheard", "first_home", "high_net_worth"]);
}

/// Two files mean the same, or not.
fn check_versions(one: &str, other: &str, same: bool) {
    let version = |text: &str| Rules::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).version();
    assert_eq!(version(one) == version(other), same, "{one}\n{other}");
}

#[test]
fn the_version_is_of_the_meaning() {
    let a = "[[segments]]\nname = \"a\"\nwhen = { tier = [\"VIP\", \"HIGH\"] }\n";
    let b = "[[segments]]\nname = \"b\"\nwhen = { count = { events = [\"MovedIn\", \"UnitResold\"], min = 1, days = 30 } }\n";
    check_versions("", DEFAULT_FILE, true);
    check_versions("", "# a comment\n\n[churn]\n", true);
    check_versions("", "lifecycle.lost_after_days = 90", true);
    check_versions("lifecycle.lost_after_days = 0x5B", "lifecycle.lost_after_days = 9_1", true);
    check_versions("churn.reasons.SILENCE.points_per_gap = 0.70", "churn.reasons.SILENCE.points_per_gap = 7e-1", true);
    check_versions(
        "[lifecycle]\nlost_after_days = 9\nstable_after_months = 3",
        "lifecycle = { stable_after_months = 3, lost_after_days = 9 }",
        true,
    );
    check_versions(&format!("{a}{b}"), &format!("{b}{a}"), true);
    check_versions(a, &a.replace("\"VIP\", \"HIGH\"", "'HIGH',   'VIP', 'VIP'"), true);
    check_versions(b, &b.replace("min = 1, days = 30", "days = 30, min = 1"), true);
    check_versions(b, &b.replace("\"MovedIn\", \"UnitResold\"", "\"UnitResold\", \"MovedIn\""), true);

    check_versions("", "lifecycle.lost_after_days = 91", false);
    check_versions("", "segments = []", false);
    check_versions("", "churn.reasons.SILENCE.points_per_gap = 0.600001", false);
    check_versions(a, b, false);
    check_versions(a, &a.replace("\"a\"", "\"c\""), false);
    check_versions(b, &b.replace("min", "max"), false);
    check_versions(b, &b.replace(", days = 30", ""), false);
}

/// The canonical form is what the version is of, and a change of it changes every version: it is frozen here.
#[test]
fn the_default_version_is_frozen() {
    assert_eq!(Rules::default().version().to_string(), "686a0adaf9b939b8");
}
