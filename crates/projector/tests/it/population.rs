//! Lists, totals, scores, ranks and the funnel of a whole population equal the oracle's, at many instants.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::support::{batch_of, genesis, origin, population};
use history::believable::{Config, Population};
use history::{Arrival, Order, arrange};
use projector::{Entry, Generation};
use touchpoint::{CustomerId, ServicePort, Timestamp};
use views::churn::{self, Band, Churn, Narrow};
use views::lifecycle::Stage;
use views::rules::Rules;
use views::satisfaction::{self, LevelTally, Satisfaction, Trend, Unit, UnitKind};
use views::segmentation::{self, Group, Segmentation};
use views::{Moment, View};

struct Case {
    entries: Vec<Entry>,
    instants: Vec<Timestamp>,
    wanted: BTreeMap<CustomerId, oracle::History>,
    rules: Arc<Rules>,
}

impl Case {
    fn new(entries: Vec<Entry>, instants: Vec<Timestamp>) -> Self {
        let mut by_customer: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for entry in &entries {
            let given =
                oracle::Entry { position: entry.position.0, recorded_at: entry.recorded_at, body: entry.body.to_vec() };
            by_customer.entry(entry.customer).or_default().push(given);
        }
        let read = |(customer, entries): (Option<CustomerId>, Vec<_>)| {
            customer.map(|customer| (customer, oracle::History::read(&entries)))
        };
        let wanted = by_customer.into_iter().filter_map(read).collect();
        Self { entries, instants, wanted, rules: Arc::new(Rules::default()) }
    }

    fn nasty(seed: u64) -> Self {
        let (entries, instants) = population(seed, 50, Order::Recorded);
        let step = (instants.len() / 10).max(1);
        Self::new(entries, instants.into_iter().skip(step / 2).step_by(step).collect())
    }

    /// Enough customers for ranks.
    fn believable() -> Self {
        let until: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let (sent, _) = Population::new(Config::new(400, 3, until)).sent();
        let arrived = arrange(&sent, Arrival { order: Order::Given, start: Timestamp::MIN, import: true });
        let entries = arrived.into_iter().map(|it| Entry {
            position: it.position,
            recorded_at: it.recorded_at,
            customer: Some(sent[it.index].event.customer),
            body: it.body.into(),
        });
        let instants = [until, until.plus_days(-200), until.plus_days(-700)];
        Self::new(std::iter::once(genesis()).chain(entries).collect(), instants.to_vec())
    }

    fn fold<V: View>(&self) -> Generation<V> {
        let generation = Generation::on_threads(3, origin(), self.rules.clone());
        let end = self.entries.last().unwrap().position;
        generation.fold(&batch_of(self.entries.clone(), end).unwrap(), Timestamp::MIN);
        generation.settle(Timestamp::MIN);
        generation
    }

    /// Compares at every instant, by everything known and by what was known then.
    fn compare<V: View>(&self, compare: impl Fn(&V::Totals, &oracle::Population, &str)) {
        let generation = self.fold::<V>();
        let segments = oracle::parse_segments(oracle::DEFAULT_SEGMENTS).unwrap();
        for as_of in &self.instants {
            for known_at in [None, Some(*as_of)] {
                let context = format!("{} at {as_of} known at {known_at:?}", V::NAME);
                let wanted = oracle::population(&self.wanted, *as_of, known_at, &segments);
                compare(&generation.totals_at(&self.rules, Moment::new(*as_of, known_at)), &wanted, &context);
            }
        }
    }
}

fn cases() -> impl Iterator<Item = Case> {
    (0..6).map(Case::nasty).chain([Case::believable()])
}

fn counts(counts: impl IntoIterator<Item = (String, u64)>) -> BTreeMap<String, i64> {
    counts.into_iter().filter(|(_, count)| *count > 0).map(|(name, count)| (name, count as i64)).collect()
}

#[test]
fn at_risk_lists_and_bands() {
    cases().for_each(|case| case.compare::<Churn>(same_risks));
}

fn same_risks(totals: &churn::Totals, wanted: &oracle::Population, context: &str) {
    let list: Vec<_> = totals.at_risk(&Narrow::All, None).map(|it| (i64::from(it.p()), it.customer)).collect();
    let wanted_list: Vec<_> = wanted.at_risk.iter().map(|it| (it.p, it.customer)).collect();
    assert_eq!(list, wanted_list, "{context}");
    let bands = totals.bands(&Narrow::All);
    let named = Band::ALL.map(|band| (band.name().to_owned(), bands.count(band)));
    let given = counts(named.into_iter().chain([(oracle::WITHHELD.to_owned(), bands.withheld)]));
    assert_eq!(given, wanted.totals.get("band").cloned().unwrap_or_default(), "{context}");
    assert_eq!(totals.unresolved as i64, wanted.unresolved, "{context}");
    for project in wanted.at_risk.iter().filter_map(|it| it.project.clone()) {
        let code = touchpoint::Code::new(project.clone()).unwrap();
        let narrowed: Vec<_> = totals.at_risk(&Narrow::Project(code), None).map(|it| it.customer).collect();
        let inside = wanted.at_risk.iter().filter(|it| it.project.as_ref() == Some(&project));
        assert_eq!(narrowed, inside.map(|it| it.customer).collect::<Vec<_>>(), "{project} {context}");
    }
}

#[test]
fn members_stages_and_the_funnel() {
    cases().for_each(|case| case.compare::<Segmentation>(same_members));
}

fn same_members(totals: &segmentation::Totals, wanted: &oracle::Population, context: &str) {
    assert_eq!(totals.customers as i64, wanted.customers, "{context}");
    assert_eq!(totals.withheld as i64, wanted.withheld, "{context}");
    assert_eq!(totals.unresolved as i64, wanted.unresolved, "{context}");
    let stages = counts(Stage::ALL.map(|stage| (stage.name().to_owned(), totals.stage(stage))));
    assert_eq!(stages, wanted.stages, "{context}");
    let mut members = BTreeMap::new();
    for (group, count) in totals.groups() {
        let listed: Vec<_> = totals.members(std::slice::from_ref(group), None).collect();
        assert_eq!(listed.len() as u64, count, "{context}");
        members.insert(axis_and_value(group), listed);
    }
    let of_segmentation = |(axis, value): &(&'static str, String)| {
        !["band", "class", "loyalty"].contains(axis) && value.as_str() != oracle::UNKNOWN
    };
    let mut wanted_members = wanted.members.clone();
    wanted_members.retain(|key, _| of_segmentation(key));
    assert_eq!(members, wanted_members, "{context}");
    for ((cohort, source), cells) in &wanted.funnel {
        let cell = segmentation::Cell {
            cohort: cohort.as_deref().map(month),
            source: source.as_ref().map(|name| segmentation::Source(touchpoint::LeadSource::from_name(name))),
        };
        let given = totals.funnel(cell).map(|count| count as i64);
        assert_eq!(given.to_vec(), cells.iter().map(|cell| cell.count).collect::<Vec<_>>(), "{cohort:?} {context}");
    }
}

fn axis_and_value(group: &Group) -> (&'static str, String) {
    match group {
        Group::Stage(stage) => ("stage", stage.name().to_owned()),
        Group::Label(label) => ("label", label.name().to_owned()),
        Group::Tier(tier) => ("tier", tier.name().to_owned()),
        Group::Motive(motive) => ("motive", motive.to_string()),
        Group::Household(household) => ("household", household.to_string()),
        Group::Company(code) => ("company", code.to_string()),
        Group::Project(code) => ("project", code.to_string()),
        Group::Consultant(code) => ("consultant", code.to_string()),
        Group::Segment(name) => ("segment", name.to_string()),
    }
}

#[test]
fn scores_ranks_changes_and_service_levels() {
    for case in cases() {
        let rules = case.rules.clone();
        case.compare::<Satisfaction>(|totals, wanted, context| {
            same_scores(totals, wanted, &rules.satisfaction, context)
        });
    }
}

fn unit_of(unit: &oracle::Unit) -> Unit {
    match unit {
        oracle::Unit::Group => Unit::Group,
        oracle::Unit::Company(code) => Unit::Company(code.as_str().into()),
        oracle::Unit::Project(code) => Unit::Project(code.as_str().into()),
    }
}

fn same_scores(
    totals: &satisfaction::Totals,
    wanted: &oracle::Population,
    rules: &views::rules::Satisfaction,
    context: &str,
) {
    let surveys = &wanted.surveys;
    for (place, score) in &surveys.scores {
        let (unit, wave) = (unit_of(&place.unit), place.wave.as_str().into());
        let port = ServicePort::from_name(&place.port).unwrap();
        let given = totals.score(&unit, port, &wave);
        same_score(&given, score, context);
        let earlier = totals.earlier_wave(port, &wave).map(ToString::to_string);
        assert_eq!(earlier, surveys.earlier_wave(&place.wave, &place.port), "{place:?} {context}");
        let change = totals.change(&unit, &wave, None, port, rules).and_then(|change| change.difference);
        let change = change.map(|it| (i64::from(it.bp), it.z_hundredths, trend(it.trend)));
        let wanted_change = surveys.year_on_year(&place.unit, &place.wave, None, &place.port);
        assert_eq!(change, wanted_change.map(|it| (it.delta, it.z, it.verdict)), "{place:?} {context}");
        let ranked = |kind| -> Vec<_> {
            let ranked = totals.rank(kind, port, &wave, rules);
            ranked.into_iter().map(|it| (it.unit.to_string(), it.rank.map(|rank| rank as usize))).collect()
        };
        let plain = |ranked: Vec<oracle::Ranked>| ranked.into_iter().map(|it| (it.id, it.rank)).collect::<Vec<_>>();
        let (projects, companies) =
            (surveys.rank_projects(&place.wave, &place.port), surveys.rank_companies(&place.wave, &place.port));
        assert_eq!(ranked(UnitKind::Project), plain(projects), "{context}");
        assert_eq!(ranked(UnitKind::Company), plain(companies), "{context}");
    }
    for ((place, item), score) in &surveys.indicators {
        let port = ServicePort::from_name(&place.port).unwrap();
        let wave = place.wave.as_str().into();
        same_score(&totals.item_score(&unit_of(&place.unit), port, &item.as_str().into(), &wave), score, context);
    }
    same_loyalty_figures(totals, surveys, context);
    same_service_levels(totals, wanted, context);
}

fn same_score(given: &satisfaction::Score, wanted: &oracle::Score, context: &str) {
    let counts = [given.n, given.satisfied, given.top, given.sum].map(|count| count as i64);
    assert_eq!(counts, [wanted.n, wanted.yes, wanted.top, wanted.sum], "{context}");
    assert_eq!(given.rate_bp().map(i64::from), wanted.rate_bp(), "{context}");
    assert_eq!(given.top_box_bp().map(i64::from), wanted.top_bp(), "{context}");
    assert_eq!(given.mean_index_hundredths().map(i64::from), wanted.mean_index(), "{context}");
}

fn trend(trend: Trend) -> &'static str {
    trend.name()
}

fn same_loyalty_figures(totals: &satisfaction::Totals, surveys: &oracle::Surveys, context: &str) {
    for (place, wanted) in &surveys.nps {
        let port = ServicePort::from_name(&place.port).unwrap();
        let nps = totals.nps(&unit_of(&place.unit), port, &place.wave.as_str().into());
        let n = nps.promoters + nps.passives + nps.detractors;
        let given = (n as i64, nps.promoters as i64, nps.detractors as i64, nps.bp().map(i64::from));
        assert_eq!(given, (wanted.n, wanted.promoters, wanted.detractors, wanted.points()), "{context}");
    }
    for (place, wanted) in &surveys.ces {
        let port = ServicePort::from_name(&place.port).unwrap();
        let ces = totals.ces(&unit_of(&place.unit), port, &place.wave.as_str().into());
        let given = (ces.n as i64, ces.easy as i64, ces.bp().map(i64::from));
        assert_eq!(given, (wanted.n, wanted.easy, wanted.rate_bp()), "{context}");
    }
}

fn same_service_levels(totals: &satisfaction::Totals, wanted: &oracle::Population, context: &str) {
    for ((unit, port), level) in &wanted.surveys.service_levels {
        let port = port.as_ref().map(|port| ServicePort::from_name(port).unwrap());
        let given = totals.service_levels(&unit_of(unit), port, None);
        same_tally(&given.acknowledgement, &level.acknowledge, context);
        same_tally(&given.first_resolution, &level.first, context);
        same_tally(&given.total, &level.total, context);
    }
    let narrow = satisfaction::Narrow::default();
    let mut open: Vec<_> =
        totals.open_complaints(&narrow, None).map(|(place, _)| (place.customer, place.complaint.to_string())).collect();
    let mut wanted_open: Vec<_> =
        wanted.open_complaints().into_iter().map(|(customer, it)| (customer, it.complaint_id)).collect();
    open.sort_unstable();
    wanted_open.sort_unstable();
    assert_eq!(open, wanted_open, "{context}");
}

fn same_tally(given: &LevelTally, wanted: &oracle::Outcomes, context: &str) {
    let counts = [given.met, given.breached, given.pending, given.withdrawn].map(|count| count as i64);
    assert_eq!(counts, [wanted.met, wanted.breached, wanted.pending, wanted.withdrawn], "{context}");
    assert_eq!(given.rate_bp().map(i64::from), wanted.rate_bp(), "{context}");
}

/// A month as the oracle writes it, `2025-03`.
fn month(text: &str) -> segmentation::Month {
    let (year, month) = text.split_once('-').unwrap();
    segmentation::Month { year: year.parse().unwrap(), month: month.parse().unwrap() }
}
