//! Complaints with their clocks, and how many kept their limits.

use api::v1;
use comfy_table::{Cell, Color, ColumnConstraint};

use crate::client::output::{self, Screen};
use crate::client::{format, query, words};

/// Open complaints.
pub(super) fn open(screen: Screen, answer: &v1::ListOpenComplaintsResponse) -> String {
    let as_of = answer.meta.as_ref().and_then(|meta| meta.as_of);
    let table = table(screen, &answer.complaints, as_of.as_ref(), true);
    table + &query::basis(answer.meta.as_ref())
}

/// Complaints in a table, with the customer where they are of several.
pub(super) fn table(
    screen: Screen,
    complaints: &[v1::Complaint],
    as_of: Option<&prost_types::Timestamp>,
    with_customer: bool,
) -> String {
    let first = if with_customer { "Complaint, customer" } else { "Complaint" };
    let mut table = screen.table(&[first, "About", "State, lodged", "Acknowledged", "Resolved in all"]);
    for it in complaints {
        let id = if with_customer { whose(it) } else { it.complaint_id.clone() };
        let about = format!("{}\n{}", words::port_short(it.port), words::severity(it.severity));
        table.add_row([
            Cell::new(id),
            screen.paint(about, severity_colour(it.severity())),
            Cell::new(state(it)),
            clock(screen, it.acknowledgement.as_ref(), as_of),
            clock(screen, it.total.as_ref(), as_of),
        ]);
    }
    if let Some(column) = table.column_mut(0) {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    output::text(&table)
}

/// `TS-17 · C01 / P003`, and below it the customer.
fn whose(it: &v1::Complaint) -> String {
    let place = [&it.company_id, &it.project_id].map(|part| if part.is_empty() { format::NOTHING } else { part });
    format!("{} · {}\n{}", it.complaint_id, place.join(" / "), it.customer_id)
}

fn state(it: &v1::Complaint) -> String {
    let mut lines = vec![words::complaint_state(it.state).to_owned(), format::date(it.lodged_at.as_ref())];
    if it.escalated {
        lines.push("escalated".to_owned());
    }
    if it.reopenings > 0 {
        lines.push(format!("reopened {}×", it.reopenings));
    }
    if !it.group_id.is_empty() {
        lines.push(format!("群诉 {}", it.group_id));
    }
    lines.join("\n")
}

/// `MET in 50 min`, `PENDING 2 h left`, `BREACHED 3 d over`.
fn clock(screen: Screen, clock: Option<&v1::ServiceClock>, as_of: Option<&prost_types::Timestamp>) -> Cell {
    let Some(clock) = clock else { return Cell::new(format::NOTHING) };
    let text = match (&clock.taken, &clock.due_at) {
        (Some(taken), _) => format!("{}\nin {}", words::level(clock.level), format::span(taken)),
        (None, Some(due)) => format!("{}\n{}", words::level(clock.level), left(due, as_of)),
        (None, None) => words::level(clock.level).to_owned(),
    };
    let colour = match clock.level() {
        v1::ServiceLevel::Breached => Some(Color::Red),
        v1::ServiceLevel::Met => Some(Color::Green),
        v1::ServiceLevel::Pending | v1::ServiceLevel::Withdrawn | v1::ServiceLevel::Unspecified => None,
    };
    screen.paint(text, colour)
}

fn left(due: &prost_types::Timestamp, as_of: Option<&prost_types::Timestamp>) -> String {
    let Some(as_of) = as_of else { return format!("by {}", format::local(Some(due))) };
    let seconds = due.seconds - as_of.seconds;
    let span = format::span(&prost_types::Duration { seconds: seconds.abs(), nanos: 0 });
    if seconds >= 0 { format!("{span} left") } else { format!("{span} over") }
}

const fn severity_colour(severity: v1::ComplaintSeverity) -> Option<Color> {
    match severity {
        v1::ComplaintSeverity::Critical => Some(Color::Red),
        v1::ComplaintSeverity::High => Some(Color::DarkYellow),
        v1::ComplaintSeverity::Medium | v1::ComplaintSeverity::Low | v1::ComplaintSeverity::Unspecified => None,
    }
}

/// How many complaints kept their limits.
pub(super) fn levels(screen: Screen, unit: &v1::Unit, answer: &v1::GetComplaintServiceLevelResponse) -> String {
    let mut table = screen.table(&["Limit", ">Met", ">Breached", ">Pending", ">Withdrawn", ">Rate"]);
    let rows = [
        ("acknowledged", &answer.acknowledgement),
        ("first resolution", &answer.first_resolution),
        ("resolved in all", &answer.total),
    ];
    for (name, tally) in rows {
        let tally = tally.unwrap_or_default();
        let counts = [tally.met, tally.breached, tally.pending, tally.withdrawn].map(format::count);
        let cells = std::iter::once(name.to_owned()).chain(counts);
        table.add_row(cells.chain([format::percent(tally.rate_bp)]));
    }
    let (all, open) = (format::count(answer.complaints), format::count(answer.open));
    let title = super::title(unit);
    let heading = format!("Complaint handling 投诉处理 · {title} · {all} complaints, {open} open\n\n");
    heading
        + &output::text(&table)
        + "Rate: met of those that are met or breached.\n"
        + &query::basis(answer.meta.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> prost_types::Timestamp {
        prost_types::Timestamp { seconds: 1_743_442_200 + seconds, nanos: 0 }
    }

    #[test]
    fn open_complaints_show_their_clocks() {
        let limit = |seconds| Some(prost_types::Duration { seconds, nanos: 0 });
        let met = v1::ServiceClock {
            level: v1::ServiceLevel::Met.into(),
            taken: limit(3_000),
            limit: limit(3_600),
            due_at: None,
        };
        let over = v1::ServiceClock {
            level: v1::ServiceLevel::Breached.into(),
            taken: None,
            limit: limit(86_400),
            due_at: Some(at(0)),
        };
        let complaint = v1::Complaint {
            complaint_id: "Q-17".to_owned(),
            customer_id: "0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11".to_owned(),
            project_id: "P003".to_owned(),
            port: v1::ServicePort::PropertyManagement.into(),
            severity: v1::ComplaintSeverity::Critical.into(),
            state: v1::ComplaintState::InProgress.into(),
            escalated: true,
            lodged_at: Some(at(-86_400)),
            acknowledgement: Some(met),
            total: Some(over),
            reopenings: 1,
            ..Default::default()
        };
        let meta = v1::AnswerMeta { as_of: Some(at(10_800)), ..Default::default() };
        let answer =
            v1::ListOpenComplaintsResponse { complaints: vec![complaint], meta: Some(meta), ..Default::default() };
        let text = open(Screen::plain(), &answer);
        let expect = "\
Complaint, customer                   About     State, lodged  Acknowledged  Resolved in all
────────────────────────────────────────────────────────────────────────────────────────────
Q-17 · – / P003                       PROPERTY  IN_PROGRESS    MET           BREACHED
0190a5c8-7e4b-7cc3-8a5e-2f1f8a5f0c11  CRITICAL  2025-03-31     in 50 min     3 h over
                                                escalated
                                                reopened 1×

as of 2025-04-01 04:30:00+08:00
position 0 · rules
";
        assert_eq!(text.replace("rules \n", "rules\n"), expect);
    }

    fn project(code: &str) -> v1::Unit {
        v1::Unit { unit: Some(v1::unit::Unit::ProjectId(code.to_owned())) }
    }

    #[test]
    fn service_levels_are_side_by_side() {
        let tally = Some(v1::ServiceLevelTally { met: 9, breached: 1, pending: 2, withdrawn: 0, rate_bp: Some(9_000) });
        let answer = v1::GetComplaintServiceLevelResponse {
            complaints: 12,
            open: 2,
            acknowledgement: tally,
            first_resolution: tally,
            total: None,
            meta: None,
        };
        let expect = "\
Complaint handling 投诉处理 · Project 项目 P003 · 12 complaints, 2 open

Limit             Met  Breached  Pending  Withdrawn    Rate
───────────────────────────────────────────────────────────
acknowledged        9         1        2          0  90.00%
first resolution    9         1        2          0  90.00%
resolved in all     0         0        0          0       –
Rate: met of those that are met or breached.
";
        assert_eq!(levels(Screen::plain(), &project("P003"), &answer), expect);
    }
}
