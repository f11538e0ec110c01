//! What the message of a fault contains: AWS's own words, the HTTP status, and the request ids.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use shardlift_core::failure::fault::{CallFault, FaultKind};

use super::refusal_reason::refusal_reason;

/// Messages become part of ledger records and notifications, so they are limited to a few lines. The status and the
/// request ids, which AWS Support asks for, are added to that.
const MESSAGE_CHARACTERS_MAX: usize = 1_000;

/// A fault for a response that arrived but cannot be right.
pub(crate) fn malformed_response(
    operation: &'static str,
    problem: impl std::fmt::Display,
) -> CallFault {
    fault_of(
        operation,
        FaultKind::MalformedResponse,
        &problem.to_string(),
    )
}

/// A fault of this kind with a message of limited length.
pub(super) fn fault_of(operation: &'static str, kind: FaultKind, message: &str) -> CallFault {
    let message: String = message.chars().take(MESSAGE_CHARACTERS_MAX).collect();
    CallFault::new(operation, kind, message)
}

/// A fault that holds AWS's reason if the call was refused. `aws_message` is AWS's message alone; `message` may say more.
pub(super) fn refused_or_failed(
    operation: &'static str,
    kind: FaultKind,
    message: &str,
    aws_message: Option<&str>,
) -> CallFault {
    let mut fault = fault_of(operation, kind, message);
    if kind == FaultKind::AccessDenied {
        fault.reason = aws_message.and_then(refusal_reason);
    }
    fault
}

/// Appends to the fault's message what identifies its request at AWS.
pub(super) fn with_status_and_request_ids(
    mut fault: CallFault,
    status: u16,
    request_ids: impl IntoIterator<Item = (&'static str, String)>,
) -> CallFault {
    let ids: String = request_ids
        .into_iter()
        .map(|(name, id)| format!(", {name} {id}"))
        .collect();
    fault.message.push_str(&format!(" (HTTP {status}{ids})"));
    fault
}

/// The request ids in the headers of a response, each after its name.
pub(super) fn request_ids_of(response: &HttpResponse) -> Vec<(&'static str, String)> {
    [
        ("request id", "x-amz-request-id"),
        ("request id", "x-amzn-requestid"),
        ("extended request id", "x-amz-id-2"),
    ]
    .into_iter()
    .filter_map(|(name, header)| Some((name, response.headers().get(header)?.to_owned())))
    .collect()
}

/// The messages of an error and its causes, on one line. The SDK's `DisplayErrorContext` would add the whole response,
/// whose document must not be logged (P10).
#[must_use]
pub fn causes_of(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let mut messages: Vec<String> = causes.map(ToString::to_string).collect();
    messages.dedup();
    // Some messages of the SDK have line breaks.
    let words = messages.join(": ");
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}
