//! `rebuild <view> --customer`: one customer folded again from the log, and what that changed.

use std::fmt::Write as _;

use api::v1;

use super::super::asking::Call;
use super::super::failure::{Failure, Outcome};
use super::super::format;
use super::super::output::{self, Screen};
use super::render;
use crate::cli::View;
use crate::settings::Settings;

/// Runs it.
pub(super) async fn run(call: &Call, settings: &Settings, view: View, customer: String) -> Result<Outcome, Failure> {
    let link = call.link(settings);
    let request = link.request(v1::RebuildCustomerRequest { customer_id: customer.clone() });
    let answer = link.rebuilds(view).await?.rebuild_customer(request).await?.into_inner();
    call.output.show(&answer, |screen| table(screen, view, &customer, &answer))?;
    Ok(if answer.difference.is_some() { Outcome::Differs } else { Outcome::Done })
}

fn table(screen: Screen, view: View, customer: &str, answer: &v1::RebuildCustomerResponse) -> String {
    let (view, position) = (view.name(), format::count(answer.position));
    let Some(difference) = &answer.difference else {
        return format!("{customer} says in {view} what the log says, up to position {position}: nothing changed\n");
    };
    let mut table = screen.table(&["Difference", "What", "Served", "The log says"]);
    for it in &difference.differences {
        for [what, served, log] in render::rows(it) {
            table.add_row([render::name(it.kind()), what, served, log]);
        }
    }
    let mut text = output::text(&table);
    let shown = difference.differences.len() as u64;
    if shown < answer.differences {
        let _ = writeln!(text, "the first {shown} of {}", format::count(answer.differences));
    }
    let _ = writeln!(
        text,
        "\n{customer} differed in {view}, and is put right: it says what the log says, up to position {position}"
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(difference: Option<v1::CustomerDifference>, differences: u64) -> v1::RebuildCustomerResponse {
        v1::RebuildCustomerResponse { position: 83_214, difference, differences }
    }

    #[test]
    fn who_is_right_takes_one_line() {
        let text = table(Screen::plain(), View::Churn, "c1", &answer(None, 0));
        assert_eq!(text, "c1 says in churn what the log says, up to position 83,214: nothing changed\n");
    }

    #[test]
    fn what_differed_is_shown_with_both_values() {
        let field = v1::FieldDifference {
            field: "data.minutes".to_owned(),
            serving_value: "30".to_owned(),
            new_value: "45".to_owned(),
        };
        let changed = v1::Difference {
            kind: v1::DifferenceKind::Changed.into(),
            event_id: "e1".to_owned(),
            event_type: "VisitRecorded".to_owned(),
            fields: vec![field],
            ..Default::default()
        };
        let kind = v1::DifferenceKind::Extra.into();
        let extra = v1::Difference { kind, fields: Vec::new(), event_id: "e2".to_owned(), ..changed.clone() };
        let difference = v1::CustomerDifference { customer_id: "c1".to_owned(), differences: vec![changed, extra] };
        let text = table(Screen::plain(), View::Churn, "c1", &answer(Some(difference), 30));
        let expect = "\
Difference  What              Served  The log says
──────────────────────────────────────────────────
CHANGED     VisitRecorded e1
CHANGED     data.minutes      30      45
EXTRA       VisitRecorded e2  –       there
the first 2 of 30

c1 differed in churn, and is put right: it says what the log says, up to position 83,214
";
        assert_eq!(text, expect);
    }
}
