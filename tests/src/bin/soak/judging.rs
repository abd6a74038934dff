//! The answers of the views against the oracle, which folds the same log plainly and slowly.

use std::collections::BTreeMap;

use api::v1;
use event_log::{Entry as LogEntry, Subject};
use oracle::{DEFAULT_SEGMENTS, Entry, History, Population, WITHHELD, parse_segments};
use tests::{Clients, View};
use touchpoint::{CustomerId, EventId, Timestamp};

use crate::dice::Dice;
use crate::pinned::Basis;

/// Customers of whom every figure is compared.
const COMPARED: usize = 25;
/// Days back at most.
const BACK_DAYS: u64 = 900;

/// Knows the whole log.
pub(crate) struct Judge {
    customers: BTreeMap<CustomerId, History>,
}

impl Judge {
    /// Reads the log.
    pub(crate) fn new(log: &[LogEntry]) -> Self {
        let mut entries: BTreeMap<CustomerId, Vec<Entry>> = BTreeMap::new();
        for LogEntry { position, recorded_at, subject, body } in log {
            let Subject::Customer(customer) = subject else { continue };
            let entry = Entry { position: position.0, recorded_at: *recorded_at, body: body.to_vec() };
            entries.entry(*customer).or_default().push(entry);
        }
        Self { customers: entries.into_iter().map(|(customer, it)| (customer, History::read(&it))).collect() }
    }

    /// Lists and totals as of some day, and every figure of some customers, by the rules that everything began with.
    ///
    /// # Panics
    /// If an answer is not the oracle's.
    pub(crate) async fn check(&self, readers: [Clients; 3], basis: &Basis, dice: &mut Dice) {
        let back = dice.between(0, BACK_DAYS).cast_signed();
        let as_of = basis.now.plus_days(-back);
        let segments = parse_segments(DEFAULT_SEGMENTS).unwrap_or_else(|error| panic!("{error:?}"));
        let wanted = oracle::population(&self.customers, as_of, None, &segments);
        let query = v1::ViewQuery {
            as_of: Some(api::names::timestamp(as_of)),
            max_position: basis.position,
            rules_version: basis.rules_version.clone(),
            ..Default::default()
        };
        totals(&readers, &query, &wanted).await;
        let all: Vec<_> = self.customers.keys().copied().collect();
        for _ in 0..COMPARED {
            self.customer(&readers[View::Churn as usize], *dice.pick(&all), as_of, &query).await;
        }
    }

    /// Every figure of the risk of a customer.
    async fn customer(&self, churn: &Clients, customer: CustomerId, as_of: Timestamp, query: &v1::ViewQuery) {
        let wanted = oracle::churn(&self.customers[&customer], as_of, None);
        let request = v1::GetRiskRequest { customer_id: customer.to_string(), query: Some(query.clone()) };
        let found = match churn.churn().get_risk(request).await {
            Ok(answer) => answer.into_inner().risk,
            Err(status) if status.code() == tonic::Code::NotFound => None,
            Err(status) => panic!("{customer}: {status:?}"),
        };
        assert_eq!(found.is_some(), wanted.is_some(), "{customer} as of {as_of}");
        let wanted = wanted.and_then(|it| it.risk).map(|it| {
            let reasons = it.reasons.iter().map(|it| (it.code.to_owned(), it.points, ids(&it.evidence)));
            (it.p, reasons.collect::<Vec<_>>())
        });
        let found = found.filter(|it| !it.withheld).map(|it| {
            let evidence = |it: &v1::Reason| it.evidence.iter().map(|it| it.event_id.clone()).collect();
            let reasons =
                it.reasons.iter().map(|it| (it.code.clone(), it.points_millionths.unwrap_or_default(), evidence(it)));
            (i64::from(it.p_millionths.unwrap_or_default()), reasons.collect::<Vec<_>>())
        });
        assert_eq!(found, wanted, "{customer} as of {as_of}");
    }
}

fn ids(evidence: &[oracle::Evidence]) -> Vec<String> {
    evidence.iter().map(|(_, id)| EventId::from_u128(*id).to_string()).collect()
}

/// The totals of all views.
async fn totals([segmentation, satisfaction, churn]: &[Clients; 3], query: &v1::ViewQuery, wanted: &Population) {
    let query = Some(query.clone());
    let request = v1::CountMembersRequest { query: query.clone(), scope: None };
    let found = answer(segmentation.segmentation().count_members(request).await);
    let stages = found.stages.iter().map(|it| (name(it.stage().as_str_name(), "LIFECYCLE_STAGE_"), it.customers));
    assert_eq!(counts(stages), wanted.stages, "as of {:?}", query);
    let given = [found.customers, found.withheld, found.erased].map(u64::cast_signed);
    assert_eq!(given, [wanted.customers, wanted.withheld, wanted.erased], "as of {:?}", query);
    let labels = found.rfm_labels.iter().map(|it| (name(it.label().as_str_name(), "RFM_LABEL_"), it.customers));
    same(labels, found.withheld, wanted, "label");
    let tiers = found.value_tiers.iter().map(|it| (name(it.tier().as_str_name(), "VALUE_TIER_"), it.customers));
    same(tiers, found.withheld, wanted, "tier");

    let found = answer(
        satisfaction.satisfaction().count_classes(v1::CountClassesRequest { query: query.clone(), scope: None }).await,
    );
    let classes = found.satisfaction_classes.iter();
    let classes = classes.map(|it| (name(it.satisfaction_class().as_str_name(), "SATISFACTION_CLASS_"), it.customers));
    same(classes, found.withheld, wanted, "class");

    let found = answer(churn.churn().count_bands(v1::CountBandsRequest { query, scope: None }).await);
    let bands = found.bands.iter().map(|it| (name(it.band().as_str_name(), "RISK_BAND_"), it.customers));
    same(bands, found.withheld, wanted, "band");
}

fn same(found: impl Iterator<Item = (String, u64)>, withheld: u64, wanted: &Population, axis: &'static str) {
    let found = counts(found.chain([(WITHHELD.to_owned(), withheld)]));
    assert_eq!(Some(&found), wanted.totals.get(axis), "{axis}");
}

fn answer<T>(answer: Result<tonic::Response<T>, tonic::Status>) -> T {
    answer.unwrap_or_else(|status| panic!("at rest: {status:?}")).into_inner()
}

fn name(name: &str, prefix: &str) -> String {
    name.trim_start_matches(prefix).to_owned()
}

/// Counts by name, without the zeros.
fn counts(counted: impl Iterator<Item = (String, u64)>) -> BTreeMap<String, i64> {
    counted.filter(|(_, count)| *count > 0).map(|(name, count)| (name, count.cast_signed())).collect()
}
