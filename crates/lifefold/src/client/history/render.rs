//! A customer's history as a table.

use api::v1;
use comfy_table::{Cell, Color, ColumnConstraint, Width};

use super::{Facts, Step, stamp};
use crate::client::output::{self, Screen};
use crate::client::{decision, format, query};

/// Columns of the answers before an event, which take what lines they need.
const BEFORE_COLUMNS: u16 = 32;

/// A row for each step.
pub(super) fn steps(screen: Screen, steps: &[Step]) -> String {
    let mut table = screen.table(&["Time (Shanghai)", "Event", "Right before", "Changes to"]);
    for step in steps {
        let name = |event: &super::Happened| {
            if event.voided { format!("{} (voided)", event.kind) } else { event.kind.to_owned() }
        };
        let events = step.events.iter().map(name).collect::<Vec<_>>().join("\n");
        let voided = step.events.iter().all(|event| event.voided).then_some(Color::DarkGrey);
        let (before, after) = (step.before.as_ref(), step.after.as_ref());
        let mut changed = changes(&Facts::changed(before, after));
        Facts::segments_changed(before, after).iter().for_each(|it| changed += &because(it));
        table.add_row([
            Cell::new(format::clock(Some(&stamp(step.at)))),
            screen.paint(events, voided),
            screen.dim(self::before(before)),
            Cell::new(changed),
        ]);
    }
    for (index, constraint) in [
        (0, ColumnConstraint::ContentWidth),
        (1, ColumnConstraint::ContentWidth),
        (2, ColumnConstraint::UpperBoundary(Width::Fixed(BEFORE_COLUMNS))),
    ] {
        if let Some(column) = table.column_mut(index) {
            column.set_constraint(constraint);
        }
    }
    output::text(&table) + &basis(steps)
}

/// The end of the log that counts, and the rules; all of them, in their order, where those of then are asked for.
fn basis(steps: &[Step]) -> String {
    let mut all = steps.iter().filter_map(|step| step.basis.as_ref()).collect::<Vec<_>>();
    all.dedup_by(|one, before| one.rules == before.rules);
    let rules = all.iter().map(|basis| basis.rules.as_str()).collect::<Vec<_>>().join(", then ");
    all.last().map(|it| format!("\n{}\n", query::position_and_rules(it.position, &rules))).unwrap_or_default()
}

/// The answers in short: their values alone, since they say what they are.
fn before(facts: Option<&Facts>) -> String {
    let Some(facts) = facts else { return "not known".to_owned() };
    let values = facts.words().into_iter().filter(|(_, value)| !value.is_empty());
    values.map(|(_, value)| value).collect::<Vec<_>>().join(" · ")
}

fn changes(changed: &[(&'static str, String)]) -> String {
    if changed.is_empty() {
        return "nothing".to_owned();
    }
    let value = |value: &str| if value.is_empty() { "none".to_owned() } else { value.to_owned() };
    changed.iter().map(|(name, new)| format!("{name} {}", value(new))).collect::<Vec<_>>().join("\n")
}

/// What decides on a rule segment that came (+) or went (−), on lines of their own.
fn because(it: &v1::SegmentDecision) -> String {
    let Some(decision) = &it.decision else { return String::new() };
    let sign = if decision.holds { '+' } else { '−' };
    format!("\n{sign}{}: {}", it.name, decision::lines(decision).join("; "))
}

#[cfg(test)]
mod tests {
    use api::v1::deciding_condition::Found;

    use super::super::{Basis, Happened};
    use super::*;
    use crate::client::decision::tests::condition;

    #[test]
    fn an_event_shows_only_what_it_changes() {
        let event = |kind, voided| Happened {
            effect: 0,
            known: 0,
            occurred: 0,
            id: "e".to_owned(),
            kind,
            position: 7,
            voided,
            fields: String::new(),
        };
        let before =
            Facts { stage: Some("RUN_IN"), band: Some("LOW"), p_millionths: Some(119_203), ..Facts::default() };
        let calls = condition("stage = [\"RUN_IN\"]", true, Some(Found::Value("RUN_IN".to_owned())));
        let decision = Some(v1::Decision { holds: true, conditions: vec![calls] });
        let after = Facts {
            band: Some("MEDIUM"),
            p_millionths: Some(249_740),
            segments: Some(vec!["new".to_owned()]),
            decisions: vec![v1::SegmentDecision { name: "new".to_owned(), decision }],
            ..before.clone()
        };
        let at = 1_743_442_200_000_000;
        let step = |event, rules: &str, before, after| Step {
            at,
            events: vec![event],
            before,
            after,
            basis: Some(Basis { position: 1_010, rules: rules.to_owned() }),
        };
        let all = [
            step(event("ComplaintLodged", false), "abc", Some(before), Some(after.clone())),
            step(event("VisitRecorded", true), "abc", Some(after.clone()), Some(after)),
        ];
        let expect = "\
Time (Shanghai)      Event                   Right before                Changes to
──────────────────────────────────────────────────────────────────────────────────────────────────
2025-04-01 01:30:00  ComplaintLodged         RUN_IN · LOW · 0.119203     band MEDIUM
                                                                         p 0.249740
                                                                         segments new
                                                                         +new: stage = [\"RUN_IN\"]
                                                                         holds, RUN_IN found
2025-04-01 01:30:00  VisitRecorded (voided)  RUN_IN · MEDIUM · 0.249740  nothing
                                             · new

position 1,010 · rules abc
";
        assert_eq!(steps(Screen::plain(), &all), expect);
        let [one, mut other] = all;
        other.basis = Some(Basis { position: 1_010, rules: "def".to_owned() });
        assert!(steps(Screen::plain(), &[one, other]).ends_with("position 1,010 · rules abc, then def\n"));
    }
}
