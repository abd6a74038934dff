//! SatisfactionService: how content customers are, one by one.
//!
//! What is asked by unit, wave and port is in [`crate::report`].

use api::errors::Error;
use api::export::Exported;
use api::{query, satisfaction as convert, v1};
use projector::Projector;
use tokio::time::Instant;
use touchpoint::{Code, ComplaintSeverity, CustomerId, ServicePort, Timestamp};
use views::Standing;
use views::satisfaction::{Answer, Narrow, OpenPlace, Satisfaction, Totals};

use crate::listing::Listing;
use crate::population::Population;
use crate::view_reader::{Stands, ViewReader};

impl Stands for Satisfaction {
    fn standing(answer: &Answer) -> &Standing {
        &answer.standing
    }

    fn unresolved(totals: &Totals) -> u64 {
        totals.unresolved
    }
}

/// The service.
pub(crate) struct SatisfactionService {
    pub(crate) view: ViewReader<Satisfaction>,
}

impl SatisfactionService {
    pub(crate) fn new(projector: Projector<Satisfaction>) -> Self {
        Self { view: ViewReader::new(projector) }
    }

    pub(crate) async fn get(
        &self,
        request: v1::GetCustomerIndexRequest,
        until: Instant,
    ) -> Result<v1::GetCustomerIndexResponse, Error> {
        let v1::GetCustomerIndexRequest { customer_id, query } = request;
        let respond = |customer, answer: &_, as_of, meta| v1::GetCustomerIndexResponse {
            customer: Some(Satisfaction::item(customer, answer, as_of)),
            meta: Some(meta),
        };
        self.view.one(&customer_id, query.as_ref(), until, respond).await
    }

    pub(crate) async fn batch(
        &self,
        request: v1::BatchGetCustomerIndexesRequest,
        until: Instant,
    ) -> Result<v1::BatchGetCustomerIndexesResponse, Error> {
        let v1::BatchGetCustomerIndexesRequest { customer_ids, query } = request;
        let several = self.view.several(&customer_ids, query.as_ref(), until, Satisfaction::item).await?;
        let (customers, not_found_customer_ids, meta) = several;
        Ok(v1::BatchGetCustomerIndexesResponse { customers, not_found_customer_ids, meta: Some(meta) })
    }

    pub(crate) async fn count_classes(
        &self,
        request: v1::CountClassesRequest,
        until: Instant,
    ) -> Result<v1::CountClassesResponse, Error> {
        let scope = convert::scope(&query::Scope::read(request.scope.as_ref())?);
        let mut asked = self.view.ask(request.query.as_ref(), until).await?;
        let count = move |all: &Population<'_, Satisfaction>| all.totals.classes(&scope);
        let classes = self.view.all(&mut asked, until, count).await?;
        let (satisfaction_classes, loyalty_classes) = convert::class_counts(&classes);
        Ok(v1::CountClassesResponse {
            customers: classes.customers,
            withheld: classes.withheld,
            satisfaction_classes,
            loyalty_classes,
            meta: Some(asked.meta_of_all()),
        })
    }

    pub(crate) async fn list_open(
        &self,
        request: v1::ListOpenComplaintsRequest,
        until: Instant,
    ) -> Result<v1::ListOpenComplaintsResponse, Error> {
        let listing = Listing::of(&request)?;
        let after = listing.after(after)?;
        let narrow = Narrow {
            scope: convert::scope(&query::Scope::read(request.scope.as_ref())?),
            port: port(request.port)?,
            severity: severity(request.severity)?,
            overdue_only: request.overdue_only,
        };
        let mut asked = listing.ask(&self.view, request.query.as_ref(), until).await?;
        let size = listing.size();
        let find = move |all: &Population<'_, Satisfaction>| {
            let open = all.totals.open_complaints(&narrow, after.as_ref()).take(size + 1);
            open.map(|(place, open)| (place.clone(), open.clone())).collect::<Vec<_>>()
        };
        let mut listed = self.view.all(&mut asked, until, find).await?;
        let more = listed.len() > size;
        listed.truncate(size);
        let last = listed.last().filter(|_| more);
        Ok(v1::ListOpenComplaintsResponse {
            complaints: listed.iter().map(|(place, open)| convert::case_of(place.customer, &open.case)).collect(),
            next_page_token: last.map(|(place, _)| listing.token(&asked, &cursor(place))).unwrap_or_default(),
            meta: Some(asked.meta_of_all()),
        })
    }
}

/// A port; UNSPECIFIED is any.
pub(crate) fn port(number: i32) -> Result<Option<ServicePort>, Error> {
    known("port", "expected a service port, or nothing for all", number, api::names::port_from(number))
}

/// A severity; UNSPECIFIED is any.
pub(crate) fn severity(number: i32) -> Result<Option<ComplaintSeverity>, Error> {
    known(
        "severity",
        "expected LOW, MEDIUM, HIGH, CRITICAL, or nothing for all",
        number,
        api::names::severity_from(number),
    )
}

fn known<T>(field: &str, expected: &str, number: i32, value: Option<T>) -> Result<Option<T>, Error> {
    if number != 0 && value.is_none() {
        return Err(Error::field(field, expected));
    }
    Ok(value)
}

const DUE_BYTES: usize = 8;
const ID_BYTES: usize = 16;

/// The place of a complaint on the list, for a page token.
fn cursor(place: &OpenPlace) -> Vec<u8> {
    let (due, customer) = (place.due.micros().to_be_bytes(), place.customer.as_u128().to_be_bytes());
    [&due[..], &customer, place.complaint.as_str().as_bytes()].concat()
}

fn after(cursor: &[u8]) -> Option<OpenPlace> {
    let (due, rest) = cursor.split_at_checked(DUE_BYTES)?;
    let (customer, complaint) = rest.split_at_checked(ID_BYTES)?;
    let due = Timestamp::from_micros(i64::from_be_bytes(due.try_into().ok()?));
    let customer = CustomerId::from_u128(u128::from_be_bytes(customer.try_into().ok()?));
    let complaint = Code::new(std::str::from_utf8(complaint).ok()?.to_owned())?;
    Some(OpenPlace { due, customer, complaint })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_on_the_list_comes_back() {
        let place = OpenPlace {
            due: Timestamp::from_micros(-1),
            customer: CustomerId::from_u128(u128::MAX - 1),
            complaint: Code::new("K-1").unwrap(),
        };
        assert_eq!(after(&cursor(&place)).unwrap(), place);
        assert!(after(&cursor(&place)[..24]).is_none());
    }

    #[test]
    fn unknown_values_are_refused_and_unspecified_is_any() {
        assert_eq!(port(0), Ok(None));
        assert_eq!(port(v1::ServicePort::Handover.into()), Ok(Some(ServicePort::Handover)));
        assert!(port(99).is_err());
        assert!(severity(-1).is_err());
    }
}
