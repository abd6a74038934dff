//! Every customer's answer in a stream: the messages of the export methods of the three views.

use prost::Message;
use touchpoint::{CustomerId, Timestamp};
use views::View;
use views::churn::Churn;
use views::satisfaction::Satisfaction;
use views::segmentation::Segmentation;

use crate::page::Paged;
use crate::{churn, satisfaction, segmentation, v1};

/// A view that can be taken away as a whole.
pub trait Exported: View {
    /// The request.
    type Request: Paged;
    /// A part of the answer.
    type Response: Send + 'static;
    /// What is said of a customer.
    type Item: Message + 'static;

    /// The instant that is asked for.
    fn query(request: &Self::Request) -> Option<&v1::ViewQuery>;

    /// What is said of a customer at `as_of`.
    fn item(customer: CustomerId, answer: &Self::Answer, as_of: Timestamp) -> Self::Item;

    /// A part of the answer.
    fn response(items: Vec<Self::Item>, progress: Progress) -> Self::Response;
}

/// How far an export came.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// To go on after this part; empty after the last one.
    pub next_page_token: String,
    /// How much of the view is gone through, in basis points.
    pub done_bp: u32,
    /// What the whole rests on; of the last part only.
    pub summary: Option<v1::ExportSummary>,
}

macro_rules! exported {
    ($($view:ident $request:ident $response:ident $item:ident $field:ident $convert:expr;)+) => {$(
        impl Exported for $view {
            type Request = v1::$request;
            type Response = v1::$response;
            type Item = v1::$item;

            fn query(request: &Self::Request) -> Option<&v1::ViewQuery> {
                request.query.as_ref()
            }

            fn item(customer: CustomerId, answer: &Self::Answer, as_of: Timestamp) -> Self::Item {
                $convert(customer, answer, as_of)
            }

            fn response(items: Vec<Self::Item>, progress: Progress) -> Self::Response {
                let Progress { next_page_token, done_bp, summary } = progress;
                v1::$response { $field: items, next_page_token, done_bp, summary }
            }
        }
    )+};
}

exported! {
    Churn ExportRisksRequest ExportRisksResponse Risk risks churn::risk;
    Segmentation ExportCustomerSegmentsRequest ExportCustomerSegmentsResponse CustomerSegments customers
        |customer, answer, _as_of| segmentation::customer_segments(customer, answer);
    Satisfaction ExportCustomerIndexesRequest ExportCustomerIndexesResponse CustomerIndex customers
        |customer, answer, _as_of| satisfaction::customer_index(customer, answer);
}
