//! Ranks, net promoter scores, and totals of classes.

use api::v1;
use comfy_table::Cell;

use super::report;
use crate::client::output::{self, Screen};
use crate::client::series::Totals;
use crate::client::{format, query, words};

/// What the numbers of a net promoter score are.
const SCORES: &str = "NPS: % of 9–10 less % of 0–6. CES easy: share of 5–7 of 7.\n";

/// Units by rank, the group last.
pub(super) fn ranking(screen: Screen, port: i32, answer: &v1::RankUnitsResponse) -> String {
    let mut table = screen.table(&[">Rank", "Unit", ">n", ">Rate", ">Top box", ">Index"]);
    for it in &answer.units {
        let cells = [Cell::new(report::rank(it.rank.as_ref())), Cell::new(&it.unit_id)];
        table.add_row(cells.into_iter().chain(report::score(it.score.as_ref())));
    }
    let group = [Cell::new(""), Cell::new("group 集团")];
    table.add_row(group.into_iter().chain(report::score(answer.group.as_ref())));
    let few = report::few(answer.units.iter().map(|it| it.rank.as_ref()));
    let heading = report::heading("Ranking 排名", words::port_title(port), &answer.wave_id);
    heading + &output::text(&table) + report::SCORES + few + &query::basis(answer.meta.as_ref())
}

/// Net promoter score and customer effort, beside the group's where the unit is not the group.
pub(super) fn nps(screen: Screen, unit: &v1::Unit, answer: &v1::GetNpsResponse) -> String {
    let mut table = screen.table(&["", ">n", ">Promoters", ">Passives", ">Detractors", ">NPS", ">CES n", ">CES easy"]);
    let group = v1::Unit::default();
    let rows = [(unit, &answer.nps, &answer.ces), (&group, &answer.group_nps, &answer.group_ces)];
    for (of, nps, ces) in rows.into_iter().take(if *unit == group { 1 } else { 2 }) {
        let (nps, ces) = (nps.unwrap_or_default(), ces.unwrap_or_default());
        let counts = [nps.n, nps.promoters, nps.passives, nps.detractors].map(format::count);
        let cells = std::iter::once(super::title(of)).chain(counts);
        let effort = [format::count(ces.n), format::percent(ces.ces_bp)];
        table.add_row(cells.chain([format::change(nps.nps_bp.map(i64::from))]).chain(effort));
    }
    let heading = report::heading("NPS 净推荐值", words::port_title(answer.port), &answer.wave_id);
    heading + &output::text(&table) + SCORES + &query::basis(answer.meta.as_ref())
}

/// Customers by satisfaction class and loyalty class.
pub(super) fn totals(screen: Screen, answer: &v1::CountClassesResponse) -> String {
    let judged = answer.customers - answer.withheld.min(answer.customers);
    let mut table = screen.table(&["Class of", "Class", ">Customers", ">Share"]);
    let mut last = "";
    for (of, class, customers) in answer.rows() {
        let shown = if of == last { "" } else { of };
        last = of;
        table.add_row([shown, &class, &format::count(customers), &output::share(customers, judged)]);
    }
    let all = [("customers", answer.customers), ("withheld", answer.withheld)];
    let all = screen.pairs(all.map(|(name, number)| (name, format::count(number))));
    format!("{}\n{all}{}", output::text(&table), query::basis(answer.meta.as_ref()))
}

impl Totals for v1::CountClassesResponse {
    fn all(&self) -> [u64; 2] {
        [self.customers, self.withheld]
    }

    fn rows(&self) -> Vec<(&'static str, String, u64)> {
        let classes = self.satisfaction_classes.iter();
        let classes = classes.map(|it| ("satisfaction", words::class(it.satisfaction_class).to_owned(), it.customers));
        let loyalty = self.loyalty_classes.iter();
        classes
            .chain(loyalty.map(|it| ("loyalty", words::loyalty(it.loyalty_class).to_owned(), it.customers)))
            .collect()
    }

    fn meta(&self) -> Option<&v1::AnswerMeta> {
        self.meta.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(n: u64, rate_bp: u32) -> Option<v1::Score> {
        Some(v1::Score {
            n,
            rate_bp: Some(rate_bp),
            top_box_bp: Some(0),
            mean_index_hundredths: Some(0),
            ..Default::default()
        })
    }

    #[test]
    fn ties_share_a_rank_and_small_samples_have_none() {
        let unit = |id: &str, rank, score| {
            let rank = Some(v1::Rank { rank, of: 2, insufficient_sample: rank.is_none() });
            v1::RankedUnit { unit_id: id.to_owned(), rank, score }
        };
        let units = vec![
            unit("A", Some(1), score(100, 9_400)),
            unit("B", Some(1), score(200, 9_400)),
            unit("D", None, score(20, 10_000)),
        ];
        let answer =
            v1::RankUnitsResponse { wave_id: "2025".to_owned(), units, group: score(320, 9_438), ..Default::default() };
        let expect = "\
Ranking 排名 · Repair 维修服务 · wave 调查期次 2025

Rank  Unit          n     Rate  Top box  Index
──────────────────────────────────────────────
 1/2  A           100   94.00%    0.00%   0.00
 1/2  B           200   94.00%    0.00%   0.00
 few  D            20  100.00%    0.00%   0.00
      group 集团  320   94.38%    0.00%   0.00
Rate: 4 or 5 of 5; top box: 5 of 5; index: the mean, 0 to 100.
few: too few answers for a rank; they count in the group.
";
        assert_eq!(ranking(Screen::plain(), v1::ServicePort::RepairService.into(), &answer), expect);
    }

    #[test]
    fn a_net_promoter_score_has_its_sign() {
        let nps = |nps_bp| Some(v1::Nps { n: 10, promoters: 2, passives: 3, detractors: 5, nps_bp });
        let answer = v1::GetNpsResponse {
            wave_id: "2025".to_owned(),
            port: v1::ServicePort::Overall.into(),
            nps: nps(Some(-3_000)),
            group_nps: nps(Some(4_210)),
            ..Default::default()
        };
        let expect = "\
NPS 净推荐值 · Overall 总体 · wave 调查期次 2025

                    n  Promoters  Passives  Detractors     NPS  CES n  CES easy
───────────────────────────────────────────────────────────────────────────────
Project 项目 P003  10          2         3           5  −30.00      0         –
The group 集团     10          2         3           5  +42.10      0         –
NPS: % of 9–10 less % of 0–6. CES easy: share of 5–7 of 7.
";
        let project = v1::Unit { unit: Some(v1::unit::Unit::ProjectId("P003".to_owned())) };
        assert_eq!(super::nps(Screen::plain(), &project, &answer), expect);
        let group = super::nps(Screen::plain(), &v1::Unit::default(), &answer);
        assert_eq!(group.matches("集团").count(), 1, "{group}");
    }
}
