//! Who would move, in tables.

use api::v1;
use comfy_table::{Cell, Color};

use super::diff::Said;
use crate::cli::View;
use crate::client::output::{self, Screen};
use crate::client::{decision, format, query};

/// Most values of an axis that are set side by side; more are listed.
const MAX_COLUMNS: usize = 5;
/// Most reasons that are named of a customer.
const MAX_REASONS: usize = 3;
/// Most conditions that are named of a rule segment under either rules.
const MAX_CONDITIONS: usize = 3;

/// What a view says.
pub(super) fn view(screen: Screen, view: View, said: &Said) -> String {
    let diff = &said.diff;
    let count = format::count;
    let mut text = format!(
        "{}: {} of {} customers move; {} stay where they are with other figures, {} as they are; {} withheld",
        view.name(),
        count(diff.moved),
        count(diff.customers),
        count(diff.shifted),
        count(diff.same),
        count(diff.withheld),
    );
    if diff.withheld_changed > 0 {
        text += &format!(", {} of them with a change", count(diff.withheld_changed));
    }
    text += "\n";
    for matrix in diff.matrices.iter().filter(|matrix| matrix.cells.iter().any(|cell| cell.from != cell.to)) {
        text += &format!("\n{}", self::matrix(screen, matrix));
    }
    if diff.segments.iter().any(|it| it.gained + it.lost > 0) {
        text += &format!("\n{}", segments(screen, &diff.segments));
    }
    if !said.moved.is_empty() {
        text += &format!("\n{}", moved(screen, &said.moved));
        let more = diff.moved.saturating_sub(said.moved.len() as u64);
        if more > 0 {
            text += &format!("and {} more: --limit shows more, --out writes all\n", count(more));
        }
    }
    text += &query::basis(said.meta.as_ref());
    text + &format!("candidate rules {}\n", diff.candidate_version)
}

/// How many would move in each view, and which rules take the place of which.
pub(super) fn brief(screen: Screen, active: Option<&v1::RulesActivation>, diffs: &[(View, v1::RulesDiff)]) -> String {
    let mut table = screen.table(&["View", ">Customers", ">Move", ">Other figures", ">As they are", ">Withheld"]);
    for (view, it) in diffs {
        let counts = [it.customers, it.moved, it.shifted, it.same, it.withheld].map(format::count);
        table.add_row(std::iter::once(view.name().to_owned()).chain(counts));
    }
    let candidate = diffs.first().map(|(_, it)| it.candidate_version.as_str()).unwrap_or_default();
    let active = active.map_or_else(
        || "the log has none yet".to_owned(),
        |it| format!("in force are {}, since {}", it.version, format::local(it.recorded_at.as_ref())),
    );
    format!("these rules are {candidate}; {active}\n\n{}", output::text(&table))
}

/// Which rules were in force when.
pub(super) fn history(screen: Screen, activations: &[v1::RulesActivation]) -> String {
    if activations.is_empty() {
        return "the log has no rules: each projector answers by its own\n".to_owned();
    }
    let mut table = screen.table(&["In force from (Shanghai)", ">Position", "Version", "", "Note"]);
    for it in activations {
        let version = if it.version.is_empty() { format::NOTHING } else { &it.version };
        let active = if it.active { screen.paint("active", Some(Color::Green)) } else { Cell::new("") };
        let [from, position] = [format::clock(it.recorded_at.as_ref()), format::count(it.position)].map(Cell::new);
        table.add_row([from, position, Cell::new(version), active, Cell::new(&it.note)]);
    }
    output::text(&table)
}

/// An axis: from above to beside, or a line for each move where there are many values.
fn matrix(screen: Screen, matrix: &v1::MoveMatrix) -> String {
    let values = values(matrix);
    if values.len() > MAX_COLUMNS {
        let mut table = screen.table(&[&matrix.axis, "would be", ">Customers"]);
        for cell in matrix.cells.iter().filter(|cell| cell.from != cell.to) {
            table.add_row([&cell.from, &cell.to, &format::count(cell.customers)]);
        }
        return output::text(&table);
    }
    let heading = format!("{} → would be", matrix.axis);
    let mut headings = vec![heading.clone()];
    headings.extend(values.iter().map(|value| format!(">{value}")));
    headings.push(">now".to_owned());
    let mut table = screen.table(&headings.iter().map(String::as_str).collect::<Vec<_>>());
    let sum = |within: &dyn Fn(&v1::MoveCell) -> bool| {
        format::count(matrix.cells.iter().filter(|cell| within(cell)).map(|cell| cell.customers).sum())
    };
    for from in &values {
        let cells = values.iter().map(|to| match matrix.cells.iter().find(|it| it.from == *from && it.to == *to) {
            Some(cell) if from == to => screen.dim(format::count(cell.customers)),
            Some(cell) => Cell::new(format::count(cell.customers)),
            None => screen.dim("·"),
        });
        let row: Vec<_> = std::iter::once(Cell::new(from)).chain(cells).collect();
        table.add_row(row.into_iter().chain([Cell::new(sum(&|cell| cell.from == *from))]));
    }
    let then = values.iter().map(|to| Cell::new(sum(&|cell| cell.to == *to)));
    table.add_row(std::iter::once(Cell::new("then")).chain(then).chain([Cell::new(sum(&|_| true))]));
    output::text(&table)
}

/// The values that anybody has or would have, in the order of the axis.
fn values(matrix: &v1::MoveMatrix) -> Vec<&str> {
    let held = |value: &str| matrix.cells.iter().any(|cell| cell.from == value || cell.to == value);
    matrix.values.iter().map(String::as_str).filter(|value| held(value)).collect()
}

fn segments(screen: Screen, segments: &[v1::SegmentMoves]) -> String {
    let mut table = screen.table(&["Segment", ">Now", ">Gained", ">Lost", ">Then"]);
    for it in segments {
        let counts = [it.before, it.gained, it.lost, it.after].map(format::count);
        table.add_row(std::iter::once(it.name.clone()).chain(counts));
    }
    output::text(&table)
}

fn moved(screen: Screen, moved: &[v1::MovedCustomer]) -> String {
    let mut table = screen.table(&["Customer", "Moves", "Because of"]);
    for customer in moved {
        let moves = customer.moves.iter().map(|it| format!("{} → {}", it.from, it.to));
        let gained = customer.segments_gained.iter().map(|name| format!("+{name}"));
        let lost = customer.segments_lost.iter().map(|name| format!("−{name}"));
        let moves: Vec<_> = moves.chain(gained).chain(lost).collect();
        table.add_row([customer.customer_id.clone(), moves.join("\n"), causes(customer).join("\n")]);
    }
    output::text(&table)
}

/// The figures that change, and the reasons whose points change the most.
fn causes(customer: &v1::MovedCustomer) -> Vec<String> {
    let figure = customer.figures.iter().map(|it| {
        let (name, digits) = match it.name.rsplit_once('_') {
            Some((name, "millionths")) => (name, 6),
            Some((name, "hundredths")) => (name, 2),
            _ => (it.name.as_str(), 0),
        };
        let name = name.replace('_', " ");
        let shown = |value: Option<i64>| value.map_or_else(|| format::NOTHING.to_owned(), |it| decimal(it, digits));
        match it.before == it.after {
            true => format!("{name} {}", shown(it.after)),
            false => format!("{name} {} → {}", shown(it.before), shown(it.after)),
        }
    });
    let change = |it: &v1::ReasonChange| {
        (it.after_millionths.unwrap_or_default() - it.before_millionths.unwrap_or_default()).unsigned_abs()
    };
    let mut reasons: Vec<_> = customer.reasons.iter().collect();
    reasons.sort_by_key(|it| std::cmp::Reverse(change(it)));
    let shown = |points: Option<i64>| points.map_or_else(|| format::NOTHING.to_owned(), format::points);
    let reason =
        |it: &v1::ReasonChange| format!("{} {} → {}", it.code, shown(it.before_millionths), shown(it.after_millionths));
    figure
        .chain(reasons.into_iter().take(MAX_REASONS).map(reason))
        .chain(customer.segment_changes.iter().flat_map(segment))
        .collect()
}

/// Why a rule segment is gained or lost: what decides under the rules in force, and under the candidate ones.
fn segment(change: &v1::SegmentChange) -> [String; 2] {
    [("now", &change.before), ("then", &change.after)].map(|(when, decision)| {
        let said = decision.as_ref().map_or_else(|| "no such segment".to_owned(), conditions);
        format!("{} {when}: {said}", change.name)
    })
}

fn conditions(decision: &v1::Decision) -> String {
    let mut lines = decision::lines(decision);
    let more = lines.len().saturating_sub(MAX_CONDITIONS);
    if more > 0 {
        lines.truncate(MAX_CONDITIONS);
        lines.push(format!("and {more} more"));
    }
    lines.join("; ")
}

/// A whole number of parts as a decimal, `0.574443`; without digits the number itself.
fn decimal(parts: i64, digits: u32) -> String {
    if digits == 0 {
        return parts.to_string();
    }
    let unit = 10_i64.pow(digits);
    let width = digits as usize;
    format!("{}.{:0width$}", parts / unit, parts.rem_euclid(unit))
}

#[cfg(test)]
mod tests {
    use api::v1::deciding_condition::Found;

    use super::*;
    use crate::client::decision::tests::condition;

    fn cell(from: &str, to: &str, customers: u64) -> v1::MoveCell {
        v1::MoveCell { from: from.to_owned(), to: to.to_owned(), customers }
    }

    #[test]
    fn a_history_fits_on_a_screen() {
        let activation = |position, version: &str, note: &str, active| v1::RulesActivation {
            position,
            recorded_at: Some(prost_types::Timestamp { seconds: 1_743_442_200, nanos: 0 }),
            version: version.to_owned(),
            note: note.to_owned(),
            active,
        };
        let long = "silence counts less, and who has moved in is asked for longer: the board of 3 March";
        let all = [
            activation(1_077_232, "", "this version cannot read it: dataschema: expected x", false),
            activation(77_231, "f3f281f62e9b0e59", long, true),
            activation(2, "686a0adaf9b939b8", "", false),
        ];
        let text = history(Screen::plain(), &all);
        assert!(text.contains("2025-04-01 01:30:00          77,231  f3f281f62e9b0e59  active  silence"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        assert!(history(Screen::plain(), &[]).starts_with("the log has no rules"));
    }

    #[test]
    fn a_view_is_a_matrix_and_its_first_customers() {
        let cells = vec![cell("LOW", "LOW", 1_000), cell("HIGH", "MEDIUM", 1), cell("HIGH", "HIGH", 2)];
        let moved = v1::MovedCustomer {
            customer_id: "0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11".to_owned(),
            moves: vec![v1::AxisMove { axis: "band".to_owned(), from: "HIGH".to_owned(), to: "MEDIUM".to_owned() }],
            figures: vec![v1::FigureChange {
                name: "p_millionths".to_owned(),
                before: Some(410_000),
                after: Some(390_000),
            }],
            reasons: vec![v1::ReasonChange {
                code: "SILENCE".to_owned(),
                before_millionths: Some(600_000),
                after_millionths: None,
            }],
            ..Default::default()
        };
        let diff = v1::RulesDiff {
            candidate_version: "00ff".to_owned(),
            customers: 1_004,
            moved: 1,
            same: 1_002,
            withheld: 1,
            matrices: vec![v1::MoveMatrix {
                axis: "band".to_owned(),
                cells,
                values: ["LOW", "MEDIUM", "HIGH", "CRITICAL"].map(str::to_owned).to_vec(),
            }],
            ..Default::default()
        };
        let said = Said::of(diff, vec![moved]);
        let expect = "\
churn: 1 of 1,004 customers move; 0 stay where they are with other figures, 1,002 as they are; 1 withheld

band → would be    LOW  MEDIUM  HIGH    now
───────────────────────────────────────────
LOW              1,000       ·     ·  1,000
MEDIUM               ·       ·     ·      0
HIGH                 ·       1     2      3
then             1,000       1     2  1,003

Customer                              Moves          Because of
──────────────────────────────────────────────────────────────────────────
0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11  HIGH → MEDIUM  p 0.410000 → 0.390000
                                                     SILENCE +0.6 → –
candidate rules 00ff
";
        assert_eq!(view(Screen::plain(), View::Churn, &said), expect);
    }

    #[test]
    fn a_segment_says_what_decides_now_and_then() {
        let contracts = |least: i64, holds| v1::Decision {
            holds,
            conditions: vec![condition(
                &format!("live_contracts = {{ min = {least} }}"),
                holds,
                Some(Found::Number(1)),
            )],
        };
        let change = |before, after| v1::SegmentChange { name: "owners".to_owned(), before, after };
        let [now, then] = segment(&change(Some(contracts(2, false)), Some(contracts(1, true))));
        assert_eq!(now, "owners now: live_contracts = { min = 2 } does not hold, 1 found");
        assert_eq!(then, "owners then: live_contracts = { min = 1 } holds, 1 found");
        let [now, then] = segment(&change(Some(contracts(1, true)), None));
        assert!(now.starts_with("owners now: live") && then == "owners then: no such segment", "{now} {then}");
        let many = (1..=5).flat_map(|least| contracts(least, true).conditions).collect();
        let [_, then] = segment(&change(None, Some(v1::Decision { holds: true, conditions: many })));
        assert!(then.ends_with("{ min = 3 } holds, 1 found; and 2 more"), "{then}");
    }
}
