//! The satisfaction report: ports or items of a unit, with the wave before, the group, and the rank.

use api::v1;
use comfy_table::{Cell, Color};

use super::title;
use crate::client::output::{self, Screen};
use crate::client::{format, query, words};

/// What a score is, in headings; see [`score`].
const SCORE: [&str; 4] = [">n", ">Rate", ">Top box", ">Index"];
/// What the numbers of a score are.
pub(super) const SCORES: &str = "Rate: 4 or 5 of 5; top box: 5 of 5; index: the mean, 0 to 100.\n";
/// What a change is, and why a great one of few answers is flat.
const CHANGES: &str = "Change: percentage points; flat where chance alone may explain it (|z| < 1.96).\n";
/// Of a unit without any answer in the wave.
const NOBODY: &str = "No answer counts here: is there such a unit, and such a wave?\n";
/// Why a unit has no rank.
const FEW: &str = "few: too few answers for a rank; they count in the group.\n";

/// Port by port.
pub(super) fn ports(screen: Screen, unit: &v1::Unit, answer: &v1::GetPortScoresResponse) -> String {
    let before = waves(answer.scores.iter().map(|it| it.change.as_ref()));
    let beside = beside(unit, &[">Group", ">Rank"]);
    let mut table = screen.table(&headings(&["Port 端口"], &before, beside));
    for it in &answer.scores {
        let mut cells = vec![Cell::new(words::port_title(it.port))];
        cells.extend(score(it.score.as_ref()));
        cells.extend(change(screen, it.change.as_ref()));
        let others = [rate(it.group.as_ref()), rank(it.rank.as_ref())];
        cells.extend(others.into_iter().take(beside.len()).map(Cell::new));
        table.add_row(cells);
    }
    let few = few(answer.scores.iter().map(|it| it.rank.as_ref()));
    let heading = heading("Satisfaction 满意度", &title(unit), &answer.wave_id);
    let nobody = unanswered(answer.scores.iter().map(|it| it.score.as_ref()));
    heading + &output::text(&table) + nobody + SCORES + CHANGES + few + &query::basis(answer.meta.as_ref())
}

/// Item by item.
pub(super) fn indicators(screen: Screen, unit: &v1::Unit, answer: &v1::GetIndicatorsResponse) -> String {
    let before = waves(answer.indicators.iter().map(|it| it.change.as_ref()));
    let beside = beside(unit, &[">Group"]);
    let mut table = screen.table(&headings(&["Port 端口", "Item"], &before, beside));
    let mut last = 0;
    for it in &answer.indicators {
        let port = if it.port == last { "" } else { words::port_title(it.port) };
        last = it.port;
        let mut cells = vec![Cell::new(port), Cell::new(words::item(words::port(it.port), &it.item_code))];
        cells.extend(score(it.score.as_ref()));
        cells.extend(change(screen, it.change.as_ref()));
        cells.extend([rate(it.group.as_ref())].into_iter().take(beside.len()).map(Cell::new));
        table.add_row(cells);
    }
    let heading = heading("Indicators 指标", &title(unit), &answer.wave_id);
    let nobody = unanswered(answer.indicators.iter().map(|it| it.score.as_ref()));
    heading + &output::text(&table) + nobody + SCORES + CHANGES + &query::basis(answer.meta.as_ref())
}

fn headings<'a>(names: &[&'a str], before: &'a str, beside: &[&'a str]) -> Vec<&'a str> {
    [names, &SCORE, &[before, ">Change", "Verdict"], beside].concat()
}

/// The columns of a unit that has others beside it: the group has none.
const fn beside<'a>(unit: &v1::Unit, columns: &'a [&'a str]) -> &'a [&'a str] {
    if unit.unit.is_none() { &[] } else { columns }
}

/// Why some have no rank, if so.
pub(super) fn few<'a>(mut ranks: impl Iterator<Item = Option<&'a v1::Rank>>) -> &'static str {
    if ranks.any(|rank| rank.is_some_and(|rank| rank.insufficient_sample)) { FEW } else { "" }
}

/// What is said where nobody answered: nothing else shows that a unit or a wave is misspelt.
fn unanswered<'a>(mut scores: impl Iterator<Item = Option<&'a v1::Score>>) -> &'static str {
    if scores.all(|score| score.is_none_or(|score| score.n == 0)) { NOBODY } else { "" }
}

/// Two waves, port by port.
pub(super) fn comparison(screen: Screen, unit: &v1::Unit, answer: &v1::CompareWavesResponse) -> String {
    let before = waves(answer.comparisons.iter().map(|it| it.change.as_ref()));
    let rate_now = format!(">{}", answer.wave_id);
    let mut table = screen.table(&["Port 端口", ">n", &rate_now, ">n before", &before, ">Change", ">z", "Verdict"]);
    for it in &answer.comparisons {
        let [before, difference, verdict] = change(screen, it.change.as_ref());
        let n_before = it.change.as_ref().and_then(|change| change.previous.as_ref()).map_or(0, |score| score.n);
        let z = it.change.as_ref().and_then(|change| change.z_hundredths);
        table.add_row([
            Cell::new(words::port_title(it.port)),
            Cell::new(format::count(it.score.as_ref().map_or(0, |score| score.n))),
            Cell::new(rate(it.score.as_ref())),
            Cell::new(format::count(n_before)),
            before,
            difference,
            Cell::new(format::change(z)),
            verdict,
        ]);
    }
    let heading = heading("Comparison 同比", &title(unit), &answer.wave_id);
    let nobody = unanswered(answer.comparisons.iter().map(|it| it.score.as_ref()));
    heading + &output::text(&table) + nobody + CHANGES + &query::basis(answer.meta.as_ref())
}

pub(super) fn heading(what: &str, title: &str, wave: &str) -> String {
    let wave = if wave.is_empty() { "no wave has answers" } else { wave };
    format!("{what} · {title} · wave 调查期次 {wave}\n\n")
}

/// The heading of the column of the wave before, to the right: its id, if it is one.
fn waves<'a>(changes: impl Iterator<Item = Option<&'a v1::Change>>) -> String {
    let mut ids: Vec<_> = changes.flatten().map(|change| change.previous_wave_id.as_str()).collect();
    ids.dedup();
    match ids.as_slice() {
        [one] if !one.is_empty() => format!(">{one}"),
        _ => ">Before".to_owned(),
    }
}

fn rate(score: Option<&v1::Score>) -> String {
    format::percent(score.and_then(|score| score.rate_bp))
}

/// n, rate, top box, mean index.
pub(super) fn score(score: Option<&v1::Score>) -> [Cell; 4] {
    let score = score.copied().unwrap_or_default();
    [
        format::count(score.n),
        format::percent(score.rate_bp),
        format::percent(score.top_box_bp),
        format::hundredths(score.mean_index_hundredths),
    ]
    .map(Cell::new)
}

/// The rate before, the difference in percentage points, and what it means.
fn change(screen: Screen, change: Option<&v1::Change>) -> [Cell; 3] {
    let before = change.and_then(|change| change.previous.as_ref());
    let difference = change.and_then(|change| change.difference_pp_hundredths).map(i64::from);
    let trend = change.map_or(v1::Trend::Unspecified, v1::Change::trend);
    let (words, colour) = verdict(trend);
    [Cell::new(rate(before)), screen.paint(format::change(difference), colour), screen.paint(words, colour)]
}

const fn verdict(trend: v1::Trend) -> (&'static str, Option<Color>) {
    match trend {
        v1::Trend::Unspecified => (format::NOTHING, None),
        v1::Trend::Flat => ("flat", None),
        v1::Trend::SlightUp => ("slight up", Some(Color::Green)),
        v1::Trend::MarkedUp => ("marked up", Some(Color::Green)),
        v1::Trend::SlightDown => ("slight down", Some(Color::Red)),
        v1::Trend::MarkedDown => ("marked down", Some(Color::Red)),
    }
}

/// `2/8`; `few` where there are too few values for a rank.
pub(super) fn rank(rank: Option<&v1::Rank>) -> String {
    match rank {
        Some(v1::Rank { rank: Some(rank), of, .. }) => format!("{rank}/{of}"),
        Some(v1::Rank { insufficient_sample: true, .. }) => "few".to_owned(),
        _ => format::NOTHING.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score_of(n: u64, rate_bp: u32) -> Option<v1::Score> {
        let (rate_bp, top_box_bp, mean_index_hundredths) = (Some(rate_bp), Some(3_333), Some(7_222));
        Some(v1::Score { n, satisfied: 0, top: 0, rate_bp, top_box_bp, mean_index_hundredths })
    }

    fn change_of(trend: v1::Trend, difference: i32) -> Option<v1::Change> {
        Some(v1::Change {
            previous_wave_id: "2024".to_owned(),
            previous: score_of(200, 6_500),
            difference_pp_hundredths: Some(difference),
            z_hundredths: Some(718),
            trend: trend.into(),
        })
    }

    fn project() -> v1::Unit {
        v1::Unit { unit: Some(v1::unit::Unit::ProjectId("P003".to_owned())) }
    }

    fn report() -> v1::GetPortScoresResponse {
        let score = |port: v1::ServicePort, change, rank| v1::PortScore {
            port: port.into(),
            score: score_of(12_345, 9_400),
            group: score_of(470, 9_085),
            change,
            rank,
        };
        let first = Some(v1::Rank { rank: Some(1), of: 4, insufficient_sample: false });
        let few = Some(v1::Rank { rank: None, of: 4, insufficient_sample: true });
        v1::GetPortScoresResponse {
            wave_id: "2025".to_owned(),
            scores: vec![
                score(v1::ServicePort::Overall, change_of(v1::Trend::MarkedUp, 2_900), first),
                score(v1::ServicePort::ComplaintHandling, change_of(v1::Trend::MarkedDown, -1_200), few),
                v1::PortScore { port: v1::ServicePort::CallCentre.into(), ..Default::default() },
            ],
            meta: None,
        }
    }

    #[test]
    fn the_report_has_last_year_and_rank_and_fits_100_columns() {
        let text = ports(Screen::plain(), &project(), &report());
        let expect = "\
Satisfaction 满意度 · Project 项目 P003 · wave 调查期次 2025

Port 端口                  n    Rate  Top box  Index    2024  Change  Verdict       Group  Rank
───────────────────────────────────────────────────────────────────────────────────────────────
Overall 总体          12,345  94.00%   33.33%  72.22  65.00%  +29.00  marked up    90.85%   1/4
Complaints 投诉处理   12,345  94.00%   33.33%  72.22  65.00%  −12.00  marked down  90.85%   few
Call centre 呼叫中心       0       –        –      –       –       –  –                 –     –
Rate: 4 or 5 of 5; top box: 5 of 5; index: the mean, 0 to 100.
Change: percentage points; flat where chance alone may explain it (|z| < 1.96).
few: too few answers for a rank; they count in the group.
";
        assert_eq!(text, expect);
    }

    #[test]
    fn the_group_has_nothing_beside_it() {
        let text = ports(Screen::plain(), &v1::Unit::default(), &report());
        assert!(text.contains("The group 集团") && text.contains("Verdict\n"), "{text}");
        assert!(!text.contains("90.85%"), "{text}");
    }

    #[test]
    fn a_unit_without_any_answer_is_not_passed_over_in_silence() {
        let nobody = v1::PortScore { port: v1::ServicePort::Overall.into(), ..Default::default() };
        let empty = v1::GetPortScoresResponse { scores: vec![nobody], ..report() };
        assert!(ports(Screen::plain(), &project(), &empty).contains(NOBODY));
        assert!(!ports(Screen::plain(), &project(), &report()).contains(NOBODY));
    }

    #[test]
    fn a_comparison_has_both_samples_and_z() {
        let comparison = v1::WaveComparison {
            port: v1::ServicePort::Overall.into(),
            score: score_of(200, 9_400),
            change: change_of(v1::Trend::MarkedUp, 2_900),
        };
        let answer = v1::CompareWavesResponse { wave_id: "2025".to_owned(), comparisons: vec![comparison], meta: None };
        let expect = "\
Comparison 同比 · The group 集团 · wave 调查期次 2025

Port 端口       n    2025  n before    2024  Change      z  Verdict
─────────────────────────────────────────────────────────────────────
Overall 总体  200  94.00%       200  65.00%  +29.00  +7.18  marked up
Change: percentage points; flat where chance alone may explain it (|z| < 1.96).
";
        assert_eq!(super::comparison(Screen::plain(), &v1::Unit::default(), &answer), expect);
    }

    #[test]
    fn several_waves_before_have_no_one_heading() {
        let other = v1::Change { previous_wave_id: "2023".to_owned(), ..Default::default() };
        let one = change_of(v1::Trend::Flat, 0).unwrap();
        assert_eq!(waves([Some(&one), None, Some(&one)].into_iter()), ">2024");
        assert_eq!(waves([Some(&one), Some(&other)].into_iter()), ">Before");
        assert_eq!(waves([None].into_iter()), ">Before");
    }
}
