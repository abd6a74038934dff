//! `export segmentation`, `export satisfaction`, `export churn`: a whole view, a row for each customer.

use api::v1;
use export::{Basis, Fields, Manifest};
use tonic::{Request, Streaming};

use super::To;
use super::write::{self, Part};
use crate::client::failure::Failure;
use crate::client::format;
use crate::client::link::Link;
use crate::client::replaying::{Attempts, RetryPolicy};

/// Customers of one message, as the services bound it.
const PAGE: i32 = 1_000;

/// A view that can be taken away.
pub(super) trait Taken {
    /// Its name.
    const NAME: &'static str;
    /// What is said of a customer.
    type Item: Send + 'static;
    /// A message of the stream.
    type Message;

    /// What a customer is as a row.
    fn rows() -> Fields<Self::Item>;

    /// Begins the stream, or goes on with it.
    async fn open(link: &Link, query: v1::ViewQuery, page_token: String) -> Result<Streaming<Self::Message>, Failure>;

    /// What a message says: customers, how to go on, how far it came, and at the end what all rests on.
    fn parts(message: Self::Message) -> (Vec<Self::Item>, String, u32, Option<v1::ExportSummary>);
}

macro_rules! taken {
    ($($view:ident $name:literal $rows:path, $item:ident $field:ident, $client:ident $call:ident $request:ident
       $message:ident;)+) => {$(
        /// The view.
        pub(super) struct $view;

        impl Taken for $view {
            const NAME: &'static str = $name;
            type Item = v1::$item;
            type Message = v1::$message;

            fn rows() -> Fields<Self::Item> {
                $rows()
            }

            async fn open(
                link: &Link,
                query: v1::ViewQuery,
                page_token: String,
            ) -> Result<Streaming<Self::Message>, Failure> {
                let request = v1::$request { query: Some(query), page_size: PAGE, page_token };
                // Not with the deadline of a call: how long it takes is for its reader to say.
                Ok(link.$client().await?.$call(Request::new(request)).await?.into_inner())
            }

            fn parts(message: Self::Message) -> (Vec<Self::Item>, String, u32, Option<v1::ExportSummary>) {
                (message.$field, message.next_page_token, message.done_bp, message.summary)
            }
        }
    )+};
}

taken! {
    Segmentation "segmentation" export::segments, CustomerSegments customers,
        segmentation export_customer_segments ExportCustomerSegmentsRequest ExportCustomerSegmentsResponse;
    Satisfaction "satisfaction" export::indexes, CustomerIndex customers,
        satisfaction export_customer_indexes ExportCustomerIndexesRequest ExportCustomerIndexesResponse;
    Churn "churn" export::risks, Risk risks, churn export_risks ExportRisksRequest ExportRisksResponse;
}

pub(super) async fn export<T: Taken + 'static>(link: Link, query: v1::ViewQuery, to: &To) -> Result<Manifest, Failure> {
    let rows = T::rows();
    let export = to.begin(T::NAME, &rows)?;
    let attempts = Attempts::new(RetryPolicy::Outages);
    let mut taking = Taking::<T> { link, query, token: String::new(), stream: None, attempts, summary: None };
    let export = write::all(rows, export, async || taking.next().await).await?;
    let summary = taking.summary.unwrap_or_default();
    if export.rows() != summary.customers {
        let rows = export.rows();
        return Err(Failure::Other(format!("received {rows} customers, but the summary says {}", summary.customers)));
    }
    Ok(export.finish(env!("CARGO_PKG_VERSION"), basis(summary))?)
}

fn basis(summary: v1::ExportSummary) -> Basis {
    let meta = summary.meta.unwrap_or_default();
    Basis {
        position: meta.position,
        as_of: format::rfc3339(meta.as_of.as_ref()),
        known_at: format::rfc3339(meta.known_at.as_ref()),
        rules_version: Some(meta.rules_version),
        digest: Some(summary.digest),
        content_digest: Some(summary.content_digest),
        unresolved_references: Some(meta.unresolved_references),
        parked: Some(meta.parked),
        erased: Some(summary.erased),
        selection: None,
    }
}

/// A stream that goes on where it broke.
struct Taking<T: Taken> {
    link: Link,
    query: v1::ViewQuery,
    token: String,
    stream: Option<Streaming<T::Message>>,
    attempts: Attempts,
    summary: Option<v1::ExportSummary>,
}

impl<T: Taken> Taking<T> {
    async fn next(&mut self) -> Result<Option<Part<T::Item>>, Failure> {
        while self.summary.is_none() {
            match self.message().await {
                Ok(part) => return Ok(Some(part)),
                Err(failure) => self.attempts.again(failure).await?,
            }
            self.stream = None;
        }
        Ok(None)
    }

    async fn message(&mut self) -> Result<Part<T::Item>, Failure> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => none.insert(T::open(&self.link, self.query.clone(), self.token.clone()).await?),
        };
        let early = || tonic::Status::unavailable("the stream ended before its last message");
        let (items, token, done_bp, summary) = T::parts(stream.message().await?.ok_or_else(early)?);
        self.attempts.moved();
        (self.token, self.summary) = (token, summary);
        Ok(Part { items, done_bp: done_bp.into() })
    }
}
