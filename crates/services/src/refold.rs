//! One customer folded again, for operators.

use api::errors::Error;
use api::{query, rebuild as convert, v1};
use projector::{Projector, RefoldError};
use tokio::time::Instant;
use touchpoint::CustomerId;
use views::View;

use crate::call::{LOG_RETRY, log_not_read};
use crate::operate::store_unavailable;
use crate::view_reader::not_serving;

/// Differences that an answer shows.
const SHOWN_DIFFERENCES: usize = 20;

/// Folds one customer again, and answers when the record is right, and durable.
pub(crate) async fn rebuild<V: View>(
    projector: &Projector<V>,
    request: &v1::RebuildCustomerRequest,
    until: Instant,
) -> Result<v1::RebuildCustomerResponse, Error> {
    let customer = query::customer_id("customer_id", &request.customer_id)?;
    let refolded = projector.rebuild_customer(customer, until).await.map_err(not_refolded)?;
    let mut refolded = refolded.ok_or(Error::CustomerNotFound(customer))?;
    let differences = refolded.differences.len() as u64;
    refolded.differences.truncate(SHOWN_DIFFERENCES);
    let difference = (differences > 0).then(|| convert::customer(customer, &refolded.differences));
    if differences > 0 {
        tell(V::NAME, customer, differences);
    }
    Ok(v1::RebuildCustomerResponse { position: refolded.position.0, difference, differences })
}

fn tell(view: &'static str, customer: CustomerId, differences: u64) {
    tracing::warn!(view, %customer, differences, "an operator had a record put right that differed from the log");
}

pub(crate) fn not_refolded(error: RefoldError) -> Error {
    let message = error.to_string();
    match error {
        RefoldError::NotServing(state) => not_serving(state),
        RefoldError::Source(error) => log_not_read(&error, message),
        RefoldError::Moving => {
            Error::Unavailable { reason: "CUSTOMER_MOVING", message, retry_after: LOG_RETRY, position: None }
        }
        RefoldError::NotDurable => store_unavailable(message),
    }
}
