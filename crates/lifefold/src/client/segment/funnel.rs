//! The funnel in tables: the whole step by step, then by lead source and by cohort.

use api::v1;
use api::v1::funnel_row::Source;
use comfy_table::Table;

use crate::client::output::{self, Screen};
use crate::client::{format, query, words};

/// Cohorts that are shown, the latest ones, if not all are asked for: a year.
const COHORTS: usize = 12;
/// Columns of a share: `100.00%`.
const SHARE_COLUMNS: usize = 7;
/// The step that the time is shown of where there is room for one.
const MAIN_STEP: v1::FunnelStep = v1::FunnelStep::Signed;

/// The funnel: the whole, every lead source, and the latest cohorts or all of them.
pub(super) fn render(screen: Screen, answer: &v1::GetFunnelResponse, all: bool) -> String {
    let meta = query::basis(answer.meta.as_ref());
    let Some(whole) = answer.rows.first() else { return format!("Nobody is known.\n{meta}") };
    let (margins, cohorts): (Vec<_>, Vec<_>) = answer.rows.iter().skip(1).partition(|row| row.cohort.is_empty());
    let months: Vec<_> = cohorts.iter().copied().filter(|row| of_every_source(row)).collect();
    let left_out = if all { 0 } else { months.len().saturating_sub(COHORTS) };
    let (headings, shown): (&[&str], _) =
        if all { (&["Cohort", "Lead source"], &cohorts[..]) } else { (&["Cohort"], &months[left_out..]) };
    let mut text = output::text(&steps(screen, whole));
    text = format!("{text}\n{}", output::text(&table(screen, &["Lead source"], &margins, |row| vec![source(row)])));
    let names = |row: &v1::FunnelRow| match all {
        true => vec![row.cohort.clone(), source(row)],
        false => vec![row.cohort.clone()],
    };
    text = format!("{text}\n{}", output::text(&table(screen, headings, shown, names)));
    if left_out > 0 {
        text += &format!("{left_out} earlier cohorts are left out: --all shows every cohort by lead source.\n");
    }
    format!(
        "{text}Shares are of KNOWN; a cohort is the month of the first event; to sign: median days from KNOWN.\n{meta}"
    )
}

fn of_every_source(row: &v1::FunnelRow) -> bool {
    matches!(row.source, Some(Source::AllLeadSources(_)) | None)
}

fn source(row: &v1::FunnelRow) -> String {
    let name = match row.source {
        Some(Source::LeadSource(0)) => "(unknown)",
        Some(Source::LeadSource(source)) => words::lead_source(source),
        Some(Source::AllLeadSources(_)) | None => "all",
    };
    name.to_owned()
}

/// The whole: a row for each step.
fn steps(screen: Screen, whole: &v1::FunnelRow) -> Table {
    let mut table = screen.table(&["Step", ">Customers", ">Of known", ">Of the step before", ">Days from known"]);
    for it in &whole.steps {
        table.add_row([
            words::funnel_step(it.step).to_owned(),
            format::count(it.customers),
            format::percent(it.of_known_bp),
            format::percent(it.of_previous_bp),
            days(it),
        ]);
    }
    table
}

/// A row for each part, its steps side by side, each with its share.
fn table(
    screen: Screen,
    names: &[&str],
    rows: &[&v1::FunnelRow],
    name: impl Fn(&v1::FunnelRow) -> Vec<String>,
) -> Table {
    let steps = [">Known", ">Visited", ">Subscribed", ">Signed", ">Delivered", ">To sign"];
    let mut table = screen.table(&[names, &steps].concat());
    for row in rows {
        let known = row.steps.iter().take(1).map(|it| format::count(it.customers));
        let later = row.steps.iter().skip(1).map(with_share);
        let main = row.steps.iter().find(|it| it.step() == MAIN_STEP).map_or_else(String::new, |it| match days(it) {
            days if it.median_half_days.is_some() => days + " d",
            nothing => nothing,
        });
        table.add_row(name(row).into_iter().chain(known).chain(later).chain([main]));
    }
    table
}

/// `70  17.50%`: the shares beneath each other.
fn with_share(step: &v1::FunnelStepCount) -> String {
    format!("{} {:>SHARE_COLUMNS$}", format::count(step.customers), format::percent(step.of_known_bp))
}

/// Half days as days: `28.5`; nothing for the first step, which everything is counted from.
fn days(step: &v1::FunnelStepCount) -> String {
    let half = |halves: i64| if halves % 2 == 0 { "" } else { ".5" };
    let days = step.median_half_days.filter(|_| step.step() != v1::FunnelStep::Known);
    days.map_or_else(|| format::NOTHING.to_owned(), |it| format!("{}{}", it / 2, half(it)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cohort: &str, source: Source, counts: [u64; 5]) -> v1::FunnelRow {
        let share = |part: u64, whole: u64| (whole > 0).then(|| u32::try_from(part * 10_000 / whole).unwrap());
        let step = |(index, &customers): (usize, &u64)| v1::FunnelStepCount {
            step: i32::try_from(index).unwrap() + 1,
            customers,
            of_known_bp: share(customers, counts[0]),
            of_previous_bp: index.checked_sub(1).and_then(|before| share(customers, counts[before])),
            median_half_days: (customers > 0).then_some(7 * i64::try_from(index).unwrap()),
        };
        let steps = counts.iter().enumerate().map(step).collect();
        v1::FunnelRow { cohort: cohort.to_owned(), source: Some(source), steps }
    }

    /// Two lead sources, 14 months.
    fn answer() -> v1::GetFunnelResponse {
        let (every, broker) = (Source::AllLeadSources(true), Source::LeadSource(v1::LeadSource::Broker.into()));
        let mut rows = vec![
            row("", every, [1_400, 700, 140, 70, 0]),
            row("", Source::LeadSource(0), [1_000, 300, 70, 70, 0]),
            row("", broker, [400, 400, 70, 0, 0]),
        ];
        let months = (1..=12).map(|month| format!("2024-{month:02}")).chain(["2025-01".into(), "2025-02".into()]);
        for month in months {
            rows.push(row(&month, every, [100, 50, 10, 5, 0]));
            rows.push(row(&month, broker, [100, 50, 10, 5, 0]));
        }
        v1::GetFunnelResponse { rows, meta: None }
    }

    #[test]
    fn a_funnel_is_the_whole_its_sources_and_a_year_of_cohorts() {
        let text = render(Screen::plain(), &answer(), false);
        let expect = "\
Step        Customers  Of known  Of the step before  Days from known
────────────────────────────────────────────────────────────────────
KNOWN           1,400   100.00%                   –                –
VISITED           700    50.00%              50.00%              3.5
SUBSCRIBED        140    10.00%              20.00%                7
SIGNED             70     5.00%              50.00%             10.5
DELIVERED           0     0.00%               0.00%                –

Lead source  Known      Visited  Subscribed      Signed  Delivered  To sign
───────────────────────────────────────────────────────────────────────────
(unknown)    1,000  300  30.00%  70   7.00%  70   7.00%  0   0.00%   10.5 d
BROKER         400  400 100.00%  70  17.50%   0   0.00%  0   0.00%        –

Cohort   Known     Visited  Subscribed     Signed  Delivered  To sign
─────────────────────────────────────────────────────────────────────
2024-03    100  50  50.00%  10  10.00%  5   5.00%  0   0.00%   10.5 d
";
        assert!(text.starts_with(expect), "{text}");
        assert!(!text.contains("2024-02") && text.contains("\n2024-03") && text.contains("\n2025-02"), "{text}");
        assert!(text.contains("2 earlier cohorts are left out: --all shows"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    }

    #[test]
    fn all_is_every_cohort_by_lead_source() {
        let text = render(Screen::plain(), &answer(), true);
        assert_eq!(text.matches("\n2024-01  ").count(), 2, "{text}");
        assert!(text.contains("2024-01  BROKER") && !text.contains("left out"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    }

    #[test]
    fn of_nobody_there_is_no_funnel() {
        let text = render(Screen::plain(), &v1::GetFunnelResponse::default(), false);
        assert_eq!(text, "Nobody is known.\n");
    }
}
