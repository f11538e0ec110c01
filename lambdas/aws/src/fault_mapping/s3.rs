//! What only S3 reports: a fault for each object of a request, throttling in any response, and the Region of a bucket.

use aws_sdk_s3::{
    error::SdkError,
    operation::{RequestId, RequestIdExt},
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use shardlift_core::failure::fault::{CallFault, FaultKind};

use super::{
    error_codes::{kind_of_code, kind_of_status},
    error_document::ErrorDocument,
    fault_message::{refused_or_failed, with_status_and_request_ids},
};

/// What the error of one object means, within a `response` of status 200.
pub(crate) fn object_fault(
    operation: &'static str,
    code: Option<&str>,
    message: Option<&str>,
    response: &(impl RequestId + RequestIdExt),
) -> CallFault {
    let kind = code
        .and_then(kind_of_code)
        .unwrap_or(FaultKind::MalformedResponse);
    let text = format!(
        "{} {}",
        code.unwrap_or("no code,"),
        message.unwrap_or("no message")
    );
    let fault = refused_or_failed(operation, kind, &text, message);
    let ids = [
        ("request id", response.request_id()),
        ("extended request id", response.extended_request_id()),
    ];
    let ids = ids
        .into_iter()
        .filter_map(|(name, id)| Some((name, id?.to_owned())));
    with_status_and_request_ids(fault, 200, ids)
}

/// Whether an error response asks to slow down: by the code in its document, or by its status if it has none.
pub(crate) fn is_throttled(response: &HttpResponse) -> bool {
    let document = response.body().bytes().and_then(ErrorDocument::parse);
    let kind = match document.as_ref().and_then(ErrorDocument::code) {
        Some(code) => kind_of_code(code),
        // Only the response to a HEAD has no document.
        None => Some(kind_of_status("s3:Head", response.status().as_u16())),
    };
    kind == Some(FaultKind::Throttled)
}

/// The Region of a bucket, which S3 names in error responses too.
pub(crate) fn region_in_response<E>(error: &SdkError<E, HttpResponse>) -> Option<String> {
    error
        .raw_response()?
        .headers()
        .get("x-amz-bucket-region")
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::body::SdkBody;

    use super::*;

    #[test]
    fn slow_down_is_found_by_the_code_or_by_the_status_of_a_head() {
        let response = |status: u16, body: &'static str| {
            HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))
        };
        let document = "<Error><Code>SlowDown</Code><Message>Reduce.</Message></Error>";
        assert!(is_throttled(&response(503, document)));
        assert!(is_throttled(&response(200, document)));
        assert!(is_throttled(&response(503, "")));
        assert!(!is_throttled(&response(
            503,
            "<Error><Code>ServiceUnavailable</Code></Error>"
        )));
        assert!(!is_throttled(&response(500, "")));
    }
}
