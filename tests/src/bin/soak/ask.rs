//! The same question to any view.

use std::time::UNIX_EPOCH;

use api::v1;
use tests::{Clients, View};
use tonic::Status;
use touchpoint::{CustomerId, Timestamp};

/// An answer in words, without what it rests on; and what it rests on.
pub(crate) type Answered = Result<(String, v1::AnswerMeta), Status>;

/// The present.
pub(crate) fn now() -> Timestamp {
    let since = UNIX_EPOCH.elapsed().unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Takes what an answer rests on out of it, and gives both.
macro_rules! split {
    ($call:expr) => {{
        let mut answer = $call.await?.into_inner();
        let meta = answer.meta.take().ok_or_else(|| Status::data_loss("an answer without meta"))?;
        Ok((format!("{answer:?}"), meta))
    }};
}

/// About one customer.
pub(crate) async fn one(clients: &Clients, view: View, customer: CustomerId, query: v1::ViewQuery) -> Answered {
    let (customer_id, query) = (customer.to_string(), Some(query));
    match view {
        View::Segmentation => {
            let request = v1::GetCustomerSegmentsRequest { customer_id, query, explain: true };
            split!(clients.segmentation().get_customer_segments(request))
        }
        View::Satisfaction => {
            let request = v1::GetCustomerIndexRequest { customer_id, query };
            split!(clients.satisfaction().get_customer_index(request))
        }
        View::Churn => {
            let request = v1::GetRiskRequest { customer_id, query };
            split!(clients.churn().get_risk(request))
        }
    }
}

/// About everybody: totals.
pub(crate) async fn all(clients: &Clients, view: View, query: v1::ViewQuery) -> Answered {
    let query = Some(query);
    match view {
        View::Segmentation => {
            split!(clients.segmentation().count_members(v1::CountMembersRequest { query, scope: None }))
        }
        View::Satisfaction => {
            split!(clients.satisfaction().count_classes(v1::CountClassesRequest { query, scope: None }))
        }
        View::Churn => split!(clients.churn().count_bands(v1::CountBandsRequest { query, scope: None })),
    }
}
