//! SegmentationService: who a customer is for the company.

use std::convert::identity;

use api::errors::Error;
use api::export::Exported;
use api::page::Seal;
use api::query::{self, Scope};
use api::watch::SegmentFilter;
use api::{funnel, segmentation as convert, v1};
use futures::stream::BoxStream;
use projector::Projector;
use tokio::time::Instant;
use tonic::{Request, Response, Status};
use touchpoint::CustomerId;
use views::Standing;
use views::segmentation::{Answer, Funnel, Group, Segmentation, Totals, explain, table};

use crate::listing::Listing;
use crate::population::Population;
use crate::view_reader::{Stands, ViewReader};
use crate::watch::{self, Watchers};
use crate::{call, export, rules_diff};

const SERVICE: &str = "SegmentationService";

impl Stands for Segmentation {
    fn standing(answer: &Answer) -> &Standing {
        &answer.standing
    }

    fn unresolved(totals: &Totals) -> u64 {
        totals.unresolved
    }
}

/// The service.
pub(crate) struct SegmentationService {
    view: ViewReader<Segmentation>,
    watchers: Watchers<Segmentation>,
}

impl SegmentationService {
    pub(crate) fn new(projector: Projector<Segmentation>) -> Self {
        Self { watchers: Watchers::new(projector.clone()), view: ViewReader::new(projector) }
    }

    /// One customer, with the events and conditions behind the answer.
    async fn explain(
        &self,
        customer_id: &str,
        query: Option<&v1::ViewQuery>,
        until: Instant,
    ) -> Result<v1::GetCustomerSegmentsResponse, Error> {
        let customer = query::customer_id("customer_id", customer_id)?;
        let asked = self.view.ask(query, until).await?;
        let (explained, valid_until) = asked.read(customer, explain).ok_or(Error::CustomerNotFound(customer))?;
        asked.count(&self.view.projector);
        let meta = asked.meta_of(&explained.answer.standing, valid_until);
        let customer = Some(convert::explained(customer, &explained));
        Ok(v1::GetCustomerSegmentsResponse { customer, meta: Some(meta) })
    }

    async fn list(&self, request: v1::ListMembersRequest, until: Instant) -> Result<v1::ListMembersResponse, Error> {
        let listing = Listing::of(&request)?;
        let after = listing.after(after)?;
        let scope = Scope::read(request.scope.as_ref())?;
        let mut asked = listing.ask(&self.view, request.query.as_ref(), until).await?;
        let groups = convert::groups(request.selector.as_ref(), &scope, &asked.edition.rules)?;
        if groups.is_empty() {
            return Err(Error::field("selector", "is required where scope names nothing"));
        }
        let size = listing.size();
        let find = move |all: &Population<'_, Segmentation>| find(all.totals, &groups, after, size);
        let (listed, more) = self.view.all(&mut asked, until, find).await?;
        let member = |customer: &CustomerId| {
            let (answer, _) = asked.answer(*customer)?;
            Some(convert::member(*customer, answer.standing.stage, answer.profile.as_ref()?))
        };
        let last = listed.last().filter(|_| more);
        Ok(v1::ListMembersResponse {
            members: listed.iter().filter_map(member).collect(),
            next_page_token: last.map(|last| listing.token(&asked, &cursor(*last))).unwrap_or_default(),
            meta: Some(asked.meta_of_all()),
        })
    }

    async fn count(&self, request: v1::CountMembersRequest, until: Instant) -> Result<v1::CountMembersResponse, Error> {
        let scope = Scope::read(request.scope.as_ref())?;
        let mut asked = self.view.ask(request.query.as_ref(), until).await?;
        let count = |all: &Population<'_, Segmentation>| convert::totals(all.totals, all.rules);
        let totals = self.view.within(&mut asked, scope, until, count).await?;
        let meta = Some(asked.meta_of_all());
        Ok(v1::CountMembersResponse { erased: asked.erased(), meta, ..totals })
    }

    /// The funnel asks for medians, of which nothing is kept: it is a scan.
    async fn funnel(&self, request: v1::GetFunnelRequest, until: Instant) -> Result<v1::GetFunnelResponse, Error> {
        let scope = Scope::read(request.scope.as_ref())?;
        let mut asked = self.view.ask(request.query.as_ref(), until).await?;
        let add = |funnels: &mut Vec<Funnel>, _, answer: &Answer| funnels.push(answer.funnel.clone());
        let funnels = self.view.answers(&mut asked, scope, until, add, identity, |all, more| all.extend(more)).await?;
        Ok(v1::GetFunnelResponse { rows: funnel::rows(&table(&funnels)), meta: Some(asked.meta_of_all()) })
    }
}

/// The members of a page and whether others follow.
fn find(totals: &Totals, groups: &[Group], after: Option<CustomerId>, size: usize) -> (Vec<CustomerId>, bool) {
    let mut listed: Vec<CustomerId> = totals.members(groups, after).take(size + 1).collect();
    let more = listed.len() > size;
    listed.truncate(size);
    (listed, more)
}

fn cursor(customer: CustomerId) -> [u8; 16] {
    customer.as_u128().to_be_bytes()
}

fn after(cursor: &[u8]) -> Option<CustomerId> {
    Some(CustomerId::from_u128(u128::from_be_bytes(cursor.try_into().ok()?)))
}

#[tonic::async_trait]
impl v1::segmentation_service_server::SegmentationService for SegmentationService {
    async fn get_customer_segments(
        &self,
        request: Request<v1::GetCustomerSegmentsRequest>,
    ) -> Result<Response<v1::GetCustomerSegmentsResponse>, Status> {
        let until = call::answer_by(request.metadata());
        let v1::GetCustomerSegmentsRequest { customer_id, query, explain } = request.into_inner();
        if explain {
            // In a box: few ask for it, and every call would have room for it.
            let explained = Box::pin(self.explain(&customer_id, query.as_ref(), until));
            return call::answer(SERVICE, "GetCustomerSegments", explained).await;
        }
        let respond = |customer, answer: &_, _, meta| v1::GetCustomerSegmentsResponse {
            customer: Some(convert::customer_segments(customer, answer)),
            meta: Some(meta),
        };
        call::answer(SERVICE, "GetCustomerSegments", self.view.one(&customer_id, query.as_ref(), until, respond)).await
    }

    async fn batch_get_customer_segments(
        &self,
        request: Request<v1::BatchGetCustomerSegmentsRequest>,
    ) -> Result<Response<v1::BatchGetCustomerSegmentsResponse>, Status> {
        let until = call::answer_by(request.metadata());
        let v1::BatchGetCustomerSegmentsRequest { customer_ids, query } = request.into_inner();
        call::answer(SERVICE, "BatchGetCustomerSegments", async {
            let several = self.view.several(&customer_ids, query.as_ref(), until, Segmentation::item).await?;
            let (customers, not_found_customer_ids, meta) = several;
            Ok(v1::BatchGetCustomerSegmentsResponse { customers, not_found_customer_ids, meta: Some(meta) })
        })
        .await
    }

    async fn list_members(
        &self,
        request: Request<v1::ListMembersRequest>,
    ) -> Result<Response<v1::ListMembersResponse>, Status> {
        let until = call::answer_by(request.metadata());
        call::answer(SERVICE, "ListMembers", self.list(request.into_inner(), until)).await
    }

    async fn count_members(
        &self,
        request: Request<v1::CountMembersRequest>,
    ) -> Result<Response<v1::CountMembersResponse>, Status> {
        let until = call::answer_by(request.metadata());
        call::answer(SERVICE, "CountMembers", self.count(request.into_inner(), until)).await
    }

    async fn get_funnel(
        &self,
        request: Request<v1::GetFunnelRequest>,
    ) -> Result<Response<v1::GetFunnelResponse>, Status> {
        let until = call::answer_by(request.metadata());
        call::answer(SERVICE, "GetFunnel", self.funnel(request.into_inner(), until)).await
    }

    type ExportCustomerSegmentsStream = BoxStream<'static, Result<v1::ExportCustomerSegmentsResponse, Status>>;

    async fn export_customer_segments(
        &self,
        request: Request<v1::ExportCustomerSegmentsRequest>,
    ) -> Result<Response<Self::ExportCustomerSegmentsStream>, Status> {
        let until = call::answer_by(request.metadata());
        call::answer(SERVICE, "ExportCustomerSegments", export::start(&self.view, request.into_inner(), until)).await
    }

    async fn diff_rules(
        &self,
        request: Request<v1::SegmentationServiceDiffRulesRequest>,
    ) -> Result<Response<v1::SegmentationServiceDiffRulesResponse>, Status> {
        let until = call::answer_by(request.metadata());
        call::answer(SERVICE, "DiffRules", rules_diff::diff(&self.view, request.into_inner(), until)).await
    }

    type WatchTransitionsStream = watch::Answers<v1::WatchTransitionsResponse>;

    async fn watch_transitions(
        &self,
        request: Request<v1::WatchTransitionsRequest>,
    ) -> Result<Response<Self::WatchTransitionsStream>, Status> {
        let mut request = request.into_inner();
        call::answer(SERVICE, "WatchTransitions", async {
            let filter = SegmentFilter::read(&request, &self.watchers.rules()?.rules)?;
            let cursor = std::mem::take(&mut request.cursor);
            self.watchers.start(filter, Seal::of("WatchTransitions", &request), &cursor)
        })
        .await
    }
}
