//! Requests that are no message, or too long a one: the caller's mistake, where the framework blames the server.

use api::errors::Error;
use tonic::codegen::http::Response;
use tonic::service::AxumBody;
use tonic::{Code, Status};

/// How the framework's words begin for what is wrong with a request, and its code for that.
const WORDS: [(Code, &str); 3] = [
    (Code::Internal, "failed to decode Protobuf message"),
    (Code::Internal, "Missing request message"),
    (Code::OutOfRange, "Error, decoded message length too large"),
];

/// The response, with INVALID_ARGUMENT if it says that the request could not be read.
pub(crate) fn response(response: Response<AxumBody>) -> Response<AxumBody> {
    match response.extensions().get::<Status>() {
        Some(status) if is_of_request(status) => blame(status.clone()).into_http(),
        _ => response,
    }
}

/// The status, with INVALID_ARGUMENT if it says that the request could not be read.
pub(crate) fn blame(status: Status) -> Status {
    if is_of_request(&status) { Error::field("", status.message()).into() } else { status }
}

fn is_of_request(status: &Status) -> bool {
    WORDS.iter().any(|(code, words)| status.code() == *code && status.message().starts_with(words))
}
