//! A rebuild as a person reads it, and as a program does.

use std::fmt::Write as _;

use api::v1;
use serde_json::{Value, json};

use super::super::failure::Failure;
use super::super::output::{self, Screen};
use super::super::{format, json, status};
use super::progress;
use crate::cli::View;

/// Customers that a table shows; JSON has all that the projector keeps.
const SHOWN_CUSTOMERS: usize = 10;

/// What is shown of a rebuild.
pub(super) struct Shown<'a> {
    pub(super) view: View,
    /// What served when it began.
    pub(super) before: Option<&'a v1::GetStatusResponse>,
    /// What serves now.
    pub(super) after: Option<&'a v1::GetStatusResponse>,
    pub(super) rebuild: &'a v1::GetRebuildResponse,
}

/// The comparison in one word.
fn verdict(rebuild: &v1::GetRebuildResponse) -> &'static str {
    match &rebuild.findings {
        Some(findings) if findings.customers_different > 0 => "DIFFERS",
        Some(_) => "SAME",
        None => "NOT_COMPARED",
    }
}

/// As JSON.
pub(super) fn value(shown: &Shown<'_>) -> Result<Value, Failure> {
    let one = |it: &v1::GetStatusResponse| {
        let it = status::serving(it);
        let (position, digest, content) = (it.digest_position, &it.digest, &it.content_digest);
        json!({"generation": it.generation, "position": position, "digest": digest, "content_digest": content})
    };
    let verdict = verdict(shown.rebuild);
    let mut value = json!({"view": shown.view.name(), "verdict": verdict, "rebuild": json::value(shown.rebuild)?});
    for (name, status) in [("before", shown.before), ("after", shown.after)] {
        if let Some(status) = status {
            value[name] = one(status);
        }
    }
    progress::add_seconds_left(&mut value, shown.rebuild);
    Ok(value)
}

/// As a table, and in words.
pub(super) fn table(screen: Screen, shown: &Shown<'_>) -> String {
    let mut text = String::new();
    let generations: Vec<_> = [("before", shown.before), ("after", shown.after)].into_iter().collect();
    if generations.iter().any(|(_, status)| status.is_some()) {
        let mut table = screen.table(&[shown.view.name(), ">Generation", ">Position", "Digest"]);
        for (name, status) in generations {
            let Some(it) = status.map(status::serving) else { continue };
            let (generation, position) = (it.generation.to_string(), format::count(it.digest_position));
            table.add_row([name, &generation, &position, &it.digest]);
        }
        text = format!("{}\n", output::text(&table));
    }
    text += &words(shown);
    if matches!(shown.rebuild.phase(), v1::RebuildPhase::Folding | v1::RebuildPhase::Verifying) {
        let _ = writeln!(text, "  {}", progress::words(shown.rebuild));
    }
    if let Some(findings) = shown.rebuild.findings.as_ref().filter(|it| it.customers_different > 0) {
        text += &differences(screen, findings);
    }
    text
}

fn words(shown: &Shown<'_>) -> String {
    use v1::RebuildPhase as Phase;
    let v1::GetRebuildResponse { generation, message, findings, .. } = shown.rebuild;
    let view = shown.view.name();
    let compared = findings.as_ref().map_or_else(
        || "not compared with what served before".to_owned(),
        |it| {
            let differ = if it.customers_different == 1 { "differs" } else { "differ" };
            let (compared, different) = (it.customers_compared, it.customers_different);
            format!("{} customers compared, {} {differ}", format::count(compared), format::count(different))
        },
    );
    match shown.rebuild.phase() {
        Phase::Folding => format!("generation {generation} is being folded\n"),
        Phase::Verifying => format!("generation {generation} is folded and is being compared\n"),
        Phase::Differs => format!(
            "{compared}: generation {generation} waits\n  switch to it    lifefold rebuild accept {view}\n  give it up      \
             lifefold rebuild cancel {view}\n"
        ),
        Phase::Saving => format!("{compared}; generation {generation} serves and is made durable\n"),
        Phase::Switched => format!("{compared}; generation {generation} serves\n"),
        Phase::GivenUp => format!("generation {generation} was given up: {message}\n"),
        Phase::Interrupted => format!("generation {generation} waits: {message}\n"),
        Phase::Unspecified => format!("{view} was not rebuilt yet\n"),
    }
}

fn differences(screen: Screen, findings: &v1::RebuildFindings) -> String {
    let mut counts = screen.table(&["Difference", ">Count"]);
    for it in &findings.counts {
        counts.add_row([name(it.kind()), format::count(it.count)]);
    }
    let mut text = format!("\n{}", output::text(&counts));
    for customer in findings.customers.iter().take(SHOWN_CUSTOMERS) {
        let mut table = screen.table(&["Difference", "What", "Served", "New"]);
        for it in &customer.differences {
            for [what, serving, new] in rows(it) {
                table.add_row([name(it.kind()), what, serving, new]);
            }
        }
        // On a line of its own: beside an event's id it would be cut in two.
        let _ = write!(text, "\n{}\n{}", customer.customer_id, output::text(&table));
    }
    if findings.customers_different > SHOWN_CUSTOMERS as u64 {
        let _ = writeln!(text, "the first {SHOWN_CUSTOMERS} of them; `-o json` has up to 100");
    }
    text
}

/// What differs, the serving value, the new one.
pub(super) fn rows(it: &v1::Difference) -> Vec<[String; 3]> {
    let what = match it.position {
        0 => format!("{} {}", it.event_type, it.event_id).trim().to_owned(),
        position => format!("position {}", format::count(position)),
    };
    if it.fields.is_empty() {
        let [serving, new] = presence(it.kind()).map(str::to_owned);
        return vec![[what, serving, new]];
    }
    let field = |it: &v1::FieldDifference| [it.field.clone(), it.serving_value.clone(), it.new_value.clone()];
    std::iter::once([what, String::new(), String::new()]).chain(it.fields.iter().map(field)).collect()
}

/// Where it is, of what is on one side only.
const fn presence(kind: v1::DifferenceKind) -> [&'static str; 2] {
    use v1::DifferenceKind as Kind;
    match kind {
        Kind::Extra | Kind::Erased | Kind::Parked => [format::NOTHING, "there"],
        Kind::Missing | Kind::NotErased | Kind::NotParked => ["there", format::NOTHING],
        Kind::Changed | Kind::Unspecified => ["", ""],
    }
}

/// A kind in a table.
pub(super) fn name(kind: v1::DifferenceKind) -> String {
    kind.as_str_name().trim_start_matches("DIFFERENCE_KIND_").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rebuild(phase: v1::RebuildPhase, different: u64) -> v1::GetRebuildResponse {
        let event = v1::Difference {
            kind: v1::DifferenceKind::Missing.into(),
            event_id: "e1".to_owned(),
            event_type: "VisitRecorded".to_owned(),
            ..Default::default()
        };
        let findings = v1::RebuildFindings {
            position: 83_214,
            customers_compared: 10_000,
            customers_different: different,
            counts: vec![v1::DifferenceCount { kind: v1::DifferenceKind::Missing.into(), count: different }],
            customers: vec![v1::CustomerDifference { customer_id: "c1".to_owned(), differences: vec![event] }],
        };
        v1::GetRebuildResponse { generation: 2, phase: phase.into(), findings: Some(findings), ..Default::default() }
    }

    fn shown(rebuild: &v1::GetRebuildResponse) -> Shown<'_> {
        Shown { view: View::Churn, before: None, after: None, rebuild }
    }

    #[test]
    fn the_same_is_said_in_one_line() {
        let rebuild = rebuild(v1::RebuildPhase::Switched, 0);
        let text = table(Screen::plain(), &shown(&rebuild));
        assert_eq!(text, "10,000 customers compared, 0 differ; generation 2 serves\n");
        assert_eq!(value(&shown(&rebuild)).unwrap()["verdict"], "SAME");
    }

    #[test]
    fn who_differs_is_shown_with_what_to_do() {
        let rebuild = rebuild(v1::RebuildPhase::Differs, 1);
        let text = table(Screen::plain(), &shown(&rebuild));
        for part in [
            "lifefold rebuild accept churn\n",
            "lifefold rebuild cancel churn\n",
            "10,000 customers compared, 1 differs: generation 2 waits\n",
            "\nc1\nDifference  What              Served  New\n",
            "\nMISSING     VisitRecorded e1  there   –\n",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let value = value(&shown(&rebuild)).unwrap();
        assert_eq!(value["verdict"], "DIFFERS");
        assert_eq!(value["rebuild"]["findings"]["customers"][0]["customer_id"], "c1");
    }
}
