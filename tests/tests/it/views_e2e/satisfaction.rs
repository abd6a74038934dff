//! Satisfaction against the oracle.

use std::collections::BTreeSet;

use api::v1;
use oracle::{Complaint, Outcomes, Ranked, Score, Unit, WITHHELD};
use tests::Clients;
use touchpoint::EventId;

use crate::views_e2e::question::{Question, class, counts, loyalty, outcome, pages, port, severity, state, trend};
use crate::views_e2e::waves;
use crate::views_e2e::world::World;

/// Every customer by id: index, classes, observations, complaints.
pub(crate) async fn customers(reader: &Clients, world: &World, question: &Question) {
    let (as_of, known_at) = question.at.unwrap();
    let customer_ids = world.customers.keys().map(ToString::to_string).collect();
    let request = v1::BatchGetCustomerIndexesRequest { customer_ids, query: question.query() };
    let answer = reader.satisfaction().batch_get_customer_indexes(request).await.unwrap().into_inner();
    let mut found = answer.customers.into_iter();
    for (id, history) in &world.customers {
        let Some(wanted) = oracle::satisfaction(history, as_of, known_at) else { continue };
        let (found, name) = (found.next().unwrap(), format!("{id} {}", question.name));
        assert_eq!((&found.customer_id, found.withheld), (&id.to_string(), wanted.opinion.is_none()), "{name}");
        let complaints: Vec<_> = found.complaints.iter().map(complaint).collect();
        assert_eq!(complaints, wanted.complaints.iter().map(wanted_complaint).collect::<Vec<_>>(), "{name}");
        let Some(opinion) = wanted.opinion else {
            assert_eq!((found.index_hundredths, found.observations.len()), (None, 0), "{name}");
            continue;
        };
        assert_eq!(found.index_hundredths.map(i64::from), opinion.index, "{name}");
        let classes = (class(found.satisfaction_class), loyalty(found.loyalty_class));
        assert_eq!(classes, (opinion.class.to_owned(), opinion.loyalty.to_owned()), "{name}");
        let observations: BTreeSet<_> = found.observations.iter().map(observation).collect();
        assert_eq!(observations, opinion.observations.iter().map(wanted_observation).collect(), "{name}");
    }
    assert_eq!(found.next(), None, "{}", question.name);
}

type PlainComplaint = (String, String, String, String, bool, [String; 3], usize, i64);

fn complaint(it: &v1::Complaint) -> PlainComplaint {
    let clocks = [&it.acknowledgement, &it.first_resolution, &it.total];
    let levels = clocks.map(|clock| outcome(clock.as_ref().unwrap().level));
    let (port, severity, state) = (port(it.port), severity(it.severity), state(it.state));
    let ignored = i64::from(it.ignored_steps);
    (it.complaint_id.clone(), port, severity, state, it.escalated, levels, it.reopenings as usize, ignored)
}

fn wanted_complaint(it: &Complaint) -> PlainComplaint {
    let levels = [it.acknowledge_outcome, it.first_outcome, it.total_outcome].map(str::to_owned);
    let (port, severity, state) = (it.port.clone(), it.severity.clone(), it.state.to_owned());
    (it.complaint_id.clone(), port, severity, state, it.escalated, levels, it.reopenings.len(), it.ignored_steps)
}

fn observation(it: &v1::Observation) -> (String, i64, bool) {
    (port(it.port), i64::from(it.value), it.inferred)
}

fn wanted_observation(it: &oracle::Observation) -> (String, i64, bool) {
    (it.port.clone(), it.quality, it.inferred_from.is_some())
}

/// Scores, changes, ranks, NPS and CES of every unit, wave and port; service levels, open complaints, classes.
pub(crate) async fn report(reader: &Clients, question: &Question) {
    let surveys = &question.wanted.surveys;
    let waves: BTreeSet<_> = surveys.scores.keys().map(|place| place.wave.clone()).collect();
    let units: BTreeSet<_> = surveys.scores.keys().map(|place| place.unit.clone()).collect();
    assert!(!waves.is_empty() && units.len() > 3);
    for wave in &waves {
        for unit in &units {
            scores(reader, question, unit, wave).await;
            waves::indicators(reader, question, unit, wave).await;
            promoters(reader, question, unit, wave).await;
        }
        for number in 1..=3 {
            let (of, port) = (|kind| ranking(reader, question, kind, wave, number), port(number));
            assert_eq!(of(v1::UnitKind::Project).await, plain(surveys.rank_projects(wave, &port)), "{wave} {port}");
            assert_eq!(of(v1::UnitKind::Company).await, plain(surveys.rank_companies(wave, &port)), "{wave} {port}");
        }
    }
    waves::comparisons(reader, question, &waves, &units).await;
    service_levels(reader, question).await;
    open_complaints(reader, question).await;
    classes(reader, question).await;
}

pub(crate) fn sent(unit: &Unit) -> Option<v1::Unit> {
    let unit = match unit {
        Unit::Group => return None,
        Unit::Company(id) => v1::unit::Unit::CompanyId(id.clone()),
        Unit::Project(id) => v1::unit::Unit::ProjectId(id.clone()),
    };
    Some(v1::Unit { unit: Some(unit) })
}

pub(crate) fn same_score(found: Option<v1::Score>, wanted: Option<&Score>, name: &str) {
    let (found, wanted) = (found.unwrap(), wanted.copied().unwrap_or_default());
    let given = [found.n, found.satisfied, found.top].map(|count| count as i64);
    assert_eq!(given, [wanted.n, wanted.yes, wanted.top], "{name}");
    let rates = [found.rate_bp, found.top_box_bp, found.mean_index_hundredths].map(|rate| rate.map(i64::from));
    assert_eq!(rates, [wanted.rate_bp(), wanted.top_bp(), wanted.mean_index()], "{name}");
}

pub(crate) fn place(unit: &Unit, wave: &str, port: &str) -> oracle::Place {
    oracle::Place { unit: unit.clone(), wave: wave.to_owned(), port: port.to_owned() }
}

async fn scores(reader: &Clients, question: &Question, unit: &Unit, wave: &str) {
    let surveys = &question.wanted.surveys;
    let (wave_id, query) = (wave.to_owned(), question.query());
    let request = v1::GetPortScoresRequest { unit: sent(unit), wave_id, query, ..Default::default() };
    let found = reader.satisfaction().get_port_scores(request).await.unwrap().into_inner().scores;
    assert_eq!(found.len(), 9);
    for it in found {
        let port = port(it.port);
        let name = format!("{unit:?} {wave} {port} {}", question.name);
        same_score(it.score, surveys.scores.get(&place(unit, wave, &port)), &name);
        same_score(it.group, surveys.scores.get(&place(&Unit::Group, wave, &port)), &name);
        let earlier = it.change.as_ref().map(|change| change.previous_wave_id.clone());
        assert_eq!(earlier, surveys.earlier_wave(wave, &port), "{name}");
        let change = it.change.filter(|change| change.z_hundredths.is_some());
        let change = change.map(|it| (it.difference_pp_hundredths.map(i64::from), it.z_hundredths, trend(it.trend)));
        let wanted = surveys.year_on_year(unit, wave, None, &port);
        assert_eq!(change, wanted.map(|it| (Some(it.delta), Some(it.z), it.verdict.to_owned())), "{name}");
    }
}

async fn promoters(reader: &Clients, question: &Question, unit: &Unit, wave: &str) {
    let (wave_id, query) = (wave.to_owned(), question.query());
    let request = v1::GetNpsRequest { unit: sent(unit), wave_id, port: 0, query };
    let found = reader.satisfaction().get_nps(request).await.unwrap().into_inner();
    let (nps, ces, at) = (found.nps.unwrap(), found.ces.unwrap(), place(unit, wave, "OVERALL"));
    let wanted = question.wanted.surveys.nps.get(&at).copied().unwrap_or_default();
    let given = (nps.n as i64, nps.promoters as i64, nps.detractors as i64, nps.nps_bp.map(i64::from));
    assert_eq!(given, (wanted.n, wanted.promoters, wanted.detractors, wanted.points()), "{at:?} {}", question.name);
    let wanted = question.wanted.surveys.ces.get(&at).copied().unwrap_or_default();
    let given = (ces.n as i64, ces.easy as i64, ces.ces_bp.map(i64::from));
    assert_eq!(given, (wanted.n, wanted.easy, wanted.rate_bp()), "{at:?} {}", question.name);
}

type Line = (String, Option<usize>, u64);

async fn ranking(reader: &Clients, question: &Question, kind: v1::UnitKind, wave: &str, port: i32) -> Vec<Line> {
    let units = pages(async |page_token| {
        let (wave_id, query) = (wave.to_owned(), question.query());
        let request = v1::RankUnitsRequest { kind: kind.into(), wave_id, port, query, page_size: 3, page_token };
        let page = reader.satisfaction().rank_units(request).await.unwrap().into_inner();
        (page.units, page.next_page_token)
    });
    let line = |it: v1::RankedUnit| {
        let rank = it.rank.unwrap();
        assert_eq!(rank.insufficient_sample, rank.rank.is_none());
        (it.unit_id, rank.rank.map(|rank| rank as usize), it.score.unwrap().n)
    };
    units.await.into_iter().map(line).collect()
}

fn plain(ranked: Vec<Ranked>) -> Vec<Line> {
    ranked.into_iter().map(|it| (it.id, it.rank, it.score.n as u64)).collect()
}

async fn service_levels(reader: &Clients, question: &Question) {
    for ((unit, of_port), wanted) in &question.wanted.surveys.service_levels {
        let number = of_port.as_ref().map(|name| format!("SERVICE_PORT_{name}"));
        let number = number.map_or(0, |name| v1::ServicePort::from_str_name(&name).unwrap().into());
        let (unit, query) = (sent(unit), question.query());
        let request = v1::GetComplaintServiceLevelRequest { unit: unit.clone(), port: number, severity: 0, query };
        let found = reader.satisfaction().get_complaint_service_level(request).await.unwrap().into_inner();
        let found = [found.acknowledgement, found.first_resolution, found.total].map(Option::unwrap);
        for (found, wanted) in found.into_iter().zip([wanted.acknowledge, wanted.first, wanted.total]) {
            let given = [found.met, found.breached, found.pending, found.withdrawn].map(|count| count as i64);
            let Outcomes { met, breached, pending, withdrawn } = wanted;
            assert_eq!(given, [met, breached, pending, withdrawn], "{unit:?} {of_port:?} {}", question.name);
            assert_eq!(found.rate_bp.map(i64::from), wanted.rate_bp(), "{unit:?} {of_port:?} {}", question.name);
        }
    }
}

async fn open_complaints(reader: &Clients, question: &Question) {
    for overdue_only in [false, true] {
        let open = pages(async |page_token| {
            let query = question.query();
            let request =
                v1::ListOpenComplaintsRequest { overdue_only, query, page_size: 5, page_token, ..Default::default() };
            let page = reader.satisfaction().list_open_complaints(request).await.unwrap().into_inner();
            (page.complaints, page.next_page_token)
        })
        .await;
        let due = |it: &v1::Complaint| {
            let due = it.total.as_ref().unwrap().due_at.as_ref().map(|at| (at.seconds, at.nanos));
            (due, it.customer_id.clone(), it.complaint_id.clone())
        };
        assert!(open.is_sorted_by_key(due), "the one whose limit ends first is first: {}", question.name);
        let lodged = |it: &v1::Complaint| (it.customer_id.clone(), it.evidence[0].event_id.clone(), complaint(it));
        let found: BTreeSet<_> = open.iter().map(lodged).collect();
        let wanted = question.wanted.open_complaints();
        let wanted: BTreeSet<_> = wanted
            .iter()
            .filter(|(_, it)| !overdue_only || it.overdue())
            .map(|(customer, it)| {
                (customer.to_string(), EventId::from_u128(it.lodged_event).to_string(), wanted_complaint(it))
            })
            .collect();
        assert_eq!((found.len(), &found), (open.len(), &wanted), "overdue {overdue_only} {}", question.name);
    }
}

async fn classes(reader: &Clients, question: &Question) {
    let request = v1::CountClassesRequest { scope: None, query: question.query() };
    let found = reader.satisfaction().count_classes(request).await.unwrap().into_inner();
    let withheld = || [(WITHHELD.to_owned(), found.withheld)];
    let classes = found.satisfaction_classes.iter().map(|it| (class(it.satisfaction_class), it.customers));
    assert_eq!(counts(classes.chain(withheld())), question.wanted.totals["class"], "{}", question.name);
    let loyal = found.loyalty_classes.iter().map(|it| (loyalty(it.loyalty_class), it.customers));
    assert_eq!(counts(loyal.chain(withheld())), question.wanted.totals["loyalty"], "{}", question.name);
    assert_eq!(found.customers as i64, question.wanted.customers, "{}", question.name);
    assert_eq!(found.meta.unwrap().unresolved_references as i64, question.wanted.unresolved, "{}", question.name);
}
