//! ChurnRiskService: who is about to be lost, and why.

use api::errors::Error;
use api::page::Seal;
use api::query::Scope;
use api::watch::RiskFilter;
use api::{churn as convert, v1};
use futures::stream::BoxStream;
use projector::Projector;
use tokio::time::Instant;
use tonic::{Request, Response, Status};
use touchpoint::CustomerId;
use views::Standing;
use views::churn::{Answer, AtRisk, Band, Churn, Narrow, Totals};
use views::rules::Rules;

use crate::listing::Listing;
use crate::population::Population;
use crate::view_reader::{Stands, ViewReader};
use crate::watch::{self, Watchers};
use crate::{call, export, rules_diff};

const SERVICE: &str = "ChurnRiskService";
/// The p, in millionths, of who is LOST or EXITED. Risks come near to it only, unless the rules have far greater points.
const CERTAIN: u32 = 1_000_000;

impl Stands for Churn {
    fn standing(answer: &Answer) -> &Standing {
        &answer.standing
    }

    fn unresolved(totals: &Totals) -> u64 {
        totals.unresolved
    }
}

/// The service.
pub(crate) struct ChurnRiskService {
    view: ViewReader<Churn>,
    watchers: Watchers<Churn>,
}

impl ChurnRiskService {
    pub(crate) fn new(projector: Projector<Churn>) -> Self {
        Self { watchers: Watchers::new(projector.clone()), view: ViewReader::new(projector) }
    }

    async fn list(&self, request: v1::ListAtRiskRequest, until: Instant) -> Result<v1::ListAtRiskResponse, Error> {
        let listing = Listing::of(&request)?;
        let wanted = Wanted {
            band: convert::band_wanted("band", request.band)?,
            scope: Scope::read(request.scope.as_ref())?,
            after: listing.after(after)?,
            size: listing.size(),
        };
        let mut asked = listing.ask(&self.view, request.query.as_ref(), until).await?;
        let without_lost = request.without_lost;
        let find = move |all: &Population<'_, Churn>| wanted.find(all, range(wanted.band, without_lost, all.rules));
        let (listed, more) = self.view.all(&mut asked, until, find).await?;
        let risk = |listed: &AtRisk| {
            let (answer, _) = asked.answer(listed.customer)?;
            answer.risk.is_some().then(|| convert::risk(listed.customer, &answer, asked.as_of))
        };
        let last = listed.last().filter(|_| more);
        Ok(v1::ListAtRiskResponse {
            risks: listed.iter().filter_map(risk).collect(),
            next_page_token: last.map(|last| listing.token(&asked, &cursor(*last))).unwrap_or_default(),
            meta: Some(asked.meta_of_all()),
        })
    }

    async fn count(&self, request: v1::CountBandsRequest, until: Instant) -> Result<v1::CountBandsResponse, Error> {
        let scope = Scope::read(request.scope.as_ref())?;
        // Of single units totals are kept; those of several together are scanned.
        let (narrow, scope) = match narrow(&scope) {
            (narrow, true) => (narrow, Scope::default()),
            (_, false) => (Narrow::All, scope),
        };
        let mut asked = self.view.ask(request.query.as_ref(), until).await?;
        let count = move |all: &Population<'_, Churn>| all.totals.bands(&narrow);
        let bands = self.view.within(&mut asked, scope, until, count).await?;
        let listed: u64 = Band::ALL.iter().map(|&band| bands.count(band)).sum();
        Ok(v1::CountBandsResponse {
            customers: listed + bands.withheld,
            withheld: bands.withheld,
            bands: convert::band_counts(&bands),
            meta: Some(asked.meta_of_all()),
        })
    }
}

/// A page of the at-risk list.
struct Wanted {
    band: Option<Band>,
    scope: Scope,
    after: Option<AtRisk>,
    size: usize,
}

impl Wanted {
    /// The places of the page, and whether others follow. A list is kept for
    /// everybody and for each single unit; of several named units the narrowest list is read, and the others are asked
    /// of each customer on it.
    fn find(&self, all: &Population<'_, Churn>, (start, least): Range) -> (Vec<AtRisk>, bool) {
        let (narrow, whole) = narrow(&self.scope);
        // The list is by p descending, so that the later of two starts is the greater one.
        let start = self.after.max(start);
        let within =
            |listed: &AtRisk| whole || all.answer(listed.customer).is_some_and(|answer| self.holds(&answer.standing));
        let candidates = all.totals.at_risk(&narrow, start).take_while(|listed| listed.p() >= least);
        let mut listed: Vec<AtRisk> = candidates.filter(within).take(self.size + 1).collect();
        let more = listed.len() > self.size;
        listed.truncate(self.size);
        (listed, more)
    }

    fn holds(&self, standing: &Standing) -> bool {
        self.scope.holds(standing.company.as_ref(), standing.project.as_ref(), standing.consultant.as_ref())
    }
}

/// The narrowest list that is kept, and whether it is all of the scope.
fn narrow(scope: &Scope) -> (Narrow, bool) {
    let Scope { company, project, consultant } = scope;
    let named = [company, project, consultant].into_iter().flatten().count();
    let narrow = match (consultant, project, company) {
        (Some(consultant), ..) => Narrow::Consultant(consultant.clone()),
        (_, Some(project), _) => Narrow::Project(project.clone()),
        (.., Some(company)) => Narrow::Company(company.clone()),
        (None, None, None) => Narrow::All,
    };
    (narrow, named <= 1)
}

/// After which place a part of the list begins, and the least p of it.
type Range = (Option<AtRisk>, u32);

/// Where a band is on the list, without its customers at 1 if so wanted.
fn range(band: Option<Band>, without_lost: bool, rules: &Rules) -> Range {
    let from = |band: usize| rules.churn.band_from.get(band).and_then(|least| u32::try_from(*least).ok());
    let index = band.map(|band| band as usize);
    let certain = without_lost.then_some(CERTAIN);
    // Nobody has the greatest id, and who had it would be of the band above.
    let below = |p| AtRisk::new(p, CustomerId::from_u128(u128::MAX));
    // By p descending, so that the greater place is the one of the lesser p.
    let start = index.and_then(from).map(below).max(certain.map(below));
    let least = index.and_then(|index| index.checked_sub(1)).and_then(from).unwrap_or(0);
    (start, least)
}

const P_BYTES: usize = 4;

/// The place of a customer on the list, for a page token.
fn cursor(listed: AtRisk) -> Vec<u8> {
    [&listed.p().to_be_bytes()[..], &listed.customer.as_u128().to_be_bytes()].concat()
}

fn after(cursor: &[u8]) -> Option<AtRisk> {
    let (p, customer) = cursor.split_at_checked(P_BYTES)?;
    let p = u32::from_be_bytes(p.try_into().ok()?);
    let customer = u128::from_be_bytes(customer.try_into().ok()?);
    Some(AtRisk::new(p, CustomerId::from_u128(customer)))
}

#[tonic::async_trait]
impl v1::churn_risk_service_server::ChurnRiskService for ChurnRiskService {
    async fn get_risk(&self, request: Request<v1::GetRiskRequest>) -> Result<Response<v1::GetRiskResponse>, Status> {
        let until = call::answer_by(request.metadata());
        let v1::GetRiskRequest { customer_id, query } = request.into_inner();
        let respond = |customer, answer: &_, as_of, meta| v1::GetRiskResponse {
            risk: Some(convert::risk(customer, answer, as_of)),
            meta: Some(meta),
        };
        call::answer(SERVICE, "GetRisk", self.view.one(&customer_id, query.as_ref(), until, respond)).await
    }

    async fn batch_get_risks(
        &self,
        request: Request<v1::BatchGetRisksRequest>,
    ) -> Result<Response<v1::BatchGetRisksResponse>, Status> {
        let until = call::answer_by(request.metadata());
        let v1::BatchGetRisksRequest { customer_ids, query } = request.into_inner();
        call::answer(SERVICE, "BatchGetRisks", async {
            let several = self.view.several(&customer_ids, query.as_ref(), until, convert::risk).await?;
            let (risks, not_found_customer_ids, meta) = several;
            Ok(v1::BatchGetRisksResponse { risks, not_found_customer_ids, meta: Some(meta) })
        })
        .await
    }

    async fn list_at_risk(
        &self,
        request: Request<v1::ListAtRiskRequest>,
    ) -> Result<Response<v1::ListAtRiskResponse>, Status> {
        let until = call::answer_by(request.metadata());
        call::answer(SERVICE, "ListAtRisk", self.list(request.into_inner(), until)).await
    }

    async fn count_bands(
        &self,
        request: Request<v1::CountBandsRequest>,
    ) -> Result<Response<v1::CountBandsResponse>, Status> {
        let until = call::answer_by(request.metadata());
        call::answer(SERVICE, "CountBands", self.count(request.into_inner(), until)).await
    }

    type ExportRisksStream = BoxStream<'static, Result<v1::ExportRisksResponse, Status>>;

    async fn export_risks(
        &self,
        request: Request<v1::ExportRisksRequest>,
    ) -> Result<Response<Self::ExportRisksStream>, Status> {
        let until = call::answer_by(request.metadata());
        call::answer(SERVICE, "ExportRisks", export::start(&self.view, request.into_inner(), until)).await
    }

    async fn diff_rules(
        &self,
        request: Request<v1::ChurnRiskServiceDiffRulesRequest>,
    ) -> Result<Response<v1::ChurnRiskServiceDiffRulesResponse>, Status> {
        let until = call::answer_by(request.metadata());
        call::answer(SERVICE, "DiffRules", rules_diff::diff(&self.view, request.into_inner(), until)).await
    }

    type WatchRiskStream = watch::Answers<v1::WatchRiskResponse>;

    async fn watch_risk(
        &self,
        request: Request<v1::WatchRiskRequest>,
    ) -> Result<Response<Self::WatchRiskStream>, Status> {
        let mut request = request.into_inner();
        call::answer(SERVICE, "WatchRisk", async {
            let (filter, cursor) = (RiskFilter::read(&request)?, std::mem::take(&mut request.cursor));
            self.watchers.start(filter, Seal::of("WatchRisk", &request), &cursor)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_on_the_list_comes_back() {
        let listed = AtRisk::new(574_443, CustomerId::from_u128(42));
        assert_eq!(after(&cursor(listed)).unwrap(), listed);
        assert!(after(b"short").is_none());
    }

    #[test]
    fn a_band_is_a_range_of_the_list() {
        let rules = Rules::default();
        let p = |band| {
            let (start, least) = range(band, false, &rules);
            (start.map(|start| start.p()), least)
        };
        assert_eq!(p(Some(Band::Critical)), (None, 700_000));
        assert_eq!(p(Some(Band::High)), (Some(700_000), 400_000));
        assert_eq!(p(Some(Band::Low)), (Some(200_000), 0));
        assert_eq!(p(None), (None, 0));
        let p = |band| range(band, true, &rules).0.map(|start| start.p());
        assert_eq!([p(None), p(Some(Band::Critical)), p(Some(Band::High))], [1_000_000, 1_000_000, 700_000].map(Some));
    }

    #[test]
    fn the_narrowest_list_is_read() {
        let code = |text: &'static str| touchpoint::Code::new(text);
        let scope = Scope { company: code("C01"), project: code("P1"), consultant: None };
        assert_eq!(narrow(&scope), (Narrow::Project(code("P1").unwrap()), false));
        let scope = Scope { company: code("C01"), ..Scope::default() };
        assert_eq!(narrow(&scope), (Narrow::Company(code("C01").unwrap()), true));
        assert_eq!(narrow(&Scope::default()), (Narrow::All, true));
    }
}
