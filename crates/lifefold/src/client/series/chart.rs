//! A series in tables: the days beneath each other, then the course of every value as a small chart.

use comfy_table::Cell;

use super::{Point, Totals};
use crate::client::output::{self, Screen};
use crate::client::{format, query};

/// Marks of a chart, the lowest first.
const MARKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// Most marks of a chart; of a longer series each mark is the last of several days.
const MAX_MARKS: usize = 40;

/// The first axis by day, then every value of every axis with its course.
pub(super) fn render<M: Totals>(screen: Screen, points: &[Point<M>], known: &str) -> String {
    let Some(last) = points.last() else { return String::new() };
    let meta = query::basis(last.answer.meta());
    format!(
        "{}\n{}The last row rests on this; each row on {known}:{meta}",
        days(screen, points),
        courses(screen, points)
    )
}

fn days<M: Totals>(screen: Screen, points: &[Point<M>]) -> String {
    let rows: Vec<_> = points.iter().map(|point| point.answer.rows()).collect();
    let Some((axis, ..)) = rows.first().and_then(|rows| rows.first()) else { return String::new() };
    let first = |rows: &[(&str, String, u64)]| {
        rows.iter().filter(|row| row.0 == *axis).map(|row| (word(&row.1), row.2)).collect::<Vec<_>>()
    };
    let values = rows.first().map(|rows| first(rows)).unwrap_or_default();
    let values = values.into_iter().map(|(value, _)| format!(">{value}"));
    let headings: Vec<_> = std::iter::once("Date".to_owned()).chain(values).chain([">all".to_owned()]).collect();
    let mut table = screen.table(&headings.iter().map(String::as_str).collect::<Vec<_>>());
    for (point, rows) in points.iter().zip(&rows) {
        let counts = first(rows).into_iter().map(|(_, customers)| customers);
        let counts = counts.chain([point.answer.all()[0]]).map(format::count);
        table.add_row(std::iter::once(point.date.to_string()).chain(counts));
    }
    output::text(&table)
}

/// The code of a value, without its Chinese term: headings have little room.
fn word(value: &str) -> String {
    value.split(' ').next().unwrap_or(value).to_owned()
}

fn courses<M: Totals>(screen: Screen, points: &[Point<M>]) -> String {
    let mut table = screen.table(&["Axis", "Value", ">First", ">Last", ">Change", "Course"]);
    let mut names: Vec<(&str, String)> = Vec::new();
    let rows: Vec<_> = points.iter().map(|point| all_rows(&point.answer)).collect();
    for (axis, value, _) in rows.iter().flatten() {
        if !names.iter().any(|name| name.0 == *axis && name.1 == *value) {
            names.push((axis, value.clone()));
        }
    }
    let mut before = "";
    for (axis, value) in names {
        let of = |rows: &Vec<(&str, String, u64)>| {
            rows.iter().find(|row| row.0 == axis && row.1 == value).map_or(0, |row| row.2)
        };
        let course: Vec<u64> = rows.iter().map(of).collect();
        let (first, last) = (course.first().copied().unwrap_or(0), course.last().copied().unwrap_or(0));
        let shown = if axis == before { "" } else { axis };
        before = axis;
        let numbers = [format::count(first), format::count(last), change(first, last)].map(Cell::new);
        let cells = [Cell::new(shown), Cell::new(value)].into_iter().chain(numbers);
        table.add_row(cells.chain([Cell::new(spark(&course))]));
    }
    output::text(&table)
}

fn all_rows<M: Totals>(answer: &M) -> Vec<(&'static str, String, u64)> {
    let [customers, withheld] = answer.all();
    let all = [("all", "customers".to_owned(), customers), ("all", "withheld".to_owned(), withheld)];
    answer.rows().into_iter().chain(all).collect()
}

fn change(first: u64, last: u64) -> String {
    match last.cmp(&first) {
        std::cmp::Ordering::Greater => format!("+{}", format::count(last - first)),
        std::cmp::Ordering::Equal => "0".to_owned(),
        std::cmp::Ordering::Less => format!("−{}", format::count(first - last)),
    }
}

/// A mark for each number, from 0, which is a dot, to the greatest of them.
fn spark(numbers: &[u64]) -> String {
    let marks = numbers.len().min(MAX_MARKS);
    let chosen = (1..=marks).filter_map(|mark| numbers.get(mark * numbers.len() / marks - 1));
    let most = numbers.iter().copied().max().unwrap_or(0).max(1);
    let mark = |number: u64| match usize::try_from((number * 8).div_ceil(most)) {
        Ok(height @ 1..=8) => MARKS[height - 1],
        _ => '·',
    };
    chosen.map(|&number| mark(number)).collect()
}

#[cfg(test)]
mod tests {
    use api::v1;

    use super::*;

    #[test]
    fn a_chart_reaches_from_nothing_to_the_greatest() {
        assert_eq!(spark(&[0, 1, 4, 8]), "·▁▄█");
        assert_eq!(spark(&[0, 0]), "··");
        let long: Vec<u64> = (1..=400).collect();
        assert_eq!((spark(&long).chars().count(), spark(&long).chars().last()), (MAX_MARKS, Some('█')));
    }

    #[test]
    fn days_stand_above_the_course_of_each_value() {
        let point = |date: &str, low, critical| {
            let bands = vec![v1::BandCount { band: 1, customers: low }, v1::BandCount { band: 4, customers: critical }];
            let answer = v1::CountBandsResponse { customers: low + critical, withheld: 0, bands, meta: None };
            Point { date: date.parse().unwrap(), answer }
        };
        let points = [point("2025-01-31", 1_000, 4), point("2025-02-28", 750, 8)];
        let expect = "\
Date          LOW  CRITICAL    all
──────────────────────────────────
2025-01-31  1,000         4  1,004
2025-02-28    750         8    758

Axis  Value      First  Last  Change  Course
────────────────────────────────────────────
band  LOW        1,000   750    −250  █▆
      CRITICAL       4     8      +4  ▄█
all   customers  1,004   758    −246  █▇
      withheld       0     0       0  ··
The last row rests on this; each row on what is known now:";
        assert_eq!(render(Screen::plain(), &points, "what is known now"), expect);
    }
}
