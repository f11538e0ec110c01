//! The only file that reads SDK error codes and HTTP status: it says what a failed call means to the domain.

mod refusal_reason;

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_s3::{
    error::{ProvideErrorMetadata, SdkError},
    operation::{RequestId, RequestIdExt},
};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use shardlift_core::failure::fault::{CallFault, FaultKind};

use refusal_reason::refusal_reason;

/// What an error tells goes into ledger records and notifications, so it stays within some lines. Status and request ids
/// come on top: AWS Support asks for them.
const TOLD_CHARACTERS_MAX: usize = 1_000;

/// The operation under which a session that could not be had is reported.
const ASSUME_ROLE: &str = "sts:AssumeRole";

/// What a failed call of `operation` means.
pub(crate) fn call_fault<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> CallFault
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::ServiceError(answer) => {
            let (code, status) = (answer.err().code(), answer.raw().status().as_u16());
            let told = match (code, answer.err().message()) {
                (Some(code), Some(message)) => format!("{code}: {message}"),
                (Some(code), None) => code.to_owned(),
                _ => chain(error),
            };
            let kind = kind_of(operation, code, status);
            let fault = refused_or_failed(operation, kind, &told, answer.err().message());
            with_whereabouts(fault, status, request_ids(answer.raw()))
        }
        SdkError::ResponseError(answer) => {
            let fault = fault(operation, FaultKind::BadAnswer, &chain(error));
            let status = answer.raw().status().as_u16();
            with_whereabouts(fault, status, request_ids(answer.raw()))
        }
        SdkError::TimeoutError(_) => unanswered(operation, error),
        SdkError::DispatchFailure(failure) => match credentials_fault(operation, error.source()) {
            Some(fault) => fault,
            None if failure.is_user() => rejected(operation, error),
            None => unanswered(operation, error),
        },
        _ => credentials_fault(operation, error.source())
            .unwrap_or_else(|| rejected(operation, error)),
    }
}

/// What a failed transaction means: by the reasons of its records, the one that decides first.
pub(crate) fn transaction_fault(
    operation: &'static str,
    error: &SdkError<TransactWriteItemsError, HttpResponse>,
) -> CallFault {
    let mut fault = call_fault(operation, error);
    let SdkError::ServiceError(answer) = error else {
        return fault;
    };
    let TransactWriteItemsError::TransactionCanceledException(canceled) = answer.err() else {
        return fault;
    };
    let reasons: Vec<&str> = canceled
        .cancellation_reasons()
        .iter()
        .filter_map(|reason| reason.code())
        .filter(|code| *code != "None")
        .collect();
    let kind = [
        ("ConditionalCheckFailed", FaultKind::ConditionFailed),
        ("TransactionConflict", FaultKind::ConcurrentWrite),
        ("ThrottlingError", FaultKind::Throttled),
        ("ProvisionedThroughputExceeded", FaultKind::Throttled),
    ]
    .into_iter()
    .find_map(|(code, kind)| reasons.contains(&code).then_some(kind));
    fault.kind = kind.unwrap_or(FaultKind::Rejected);
    fault.effect = fault.kind.effect();
    fault.message = format!("{} {reasons:?}", fault.message);
    fault
}

/// What it means that credentials could not be had, asked for outside any call.
pub(crate) fn session_fault(error: &CredentialsError) -> CallFault {
    credentials_fault(ASSUME_ROLE, Some(error)).unwrap_or_else(|| unanswered(ASSUME_ROLE, error))
}

/// An answer that came and cannot be right.
pub(crate) fn bad_answer(operation: &'static str, problem: impl std::fmt::Display) -> CallFault {
    fault(operation, FaultKind::BadAnswer, &problem.to_string())
}

/// What one object's error within an `answer` of status 200 means.
pub(crate) fn object_fault(
    operation: &'static str,
    code: Option<&str>,
    message: Option<&str>,
    answer: &(impl RequestId + RequestIdExt),
) -> CallFault {
    let kind = code.and_then(kind_of_code).unwrap_or(FaultKind::BadAnswer);
    let told = format!(
        "{} {}",
        code.unwrap_or("no code,"),
        message.unwrap_or("no message")
    );
    let fault = refused_or_failed(operation, kind, &told, message);
    let ids = [
        ("request id", answer.request_id()),
        ("extended request id", answer.extended_request_id()),
    ];
    let ids = ids
        .into_iter()
        .filter_map(|(name, id)| Some((name, id?.to_owned())));
    with_whereabouts(fault, 200, ids)
}

/// Whether an error answer of S3 says "slow down": by the code in its document, or by its status where it has none.
pub(crate) fn is_throttled(answer: &HttpResponse) -> bool {
    let document = answer
        .body()
        .bytes()
        .and_then(|body| str::from_utf8(body).ok());
    let code = document
        .and_then(|document| document.split_once("<Code>"))
        .and_then(|(_, rest)| rest.split_once("</Code>"))
        .map(|(code, _)| code);
    let kind = match code {
        Some(code) => kind_of_code(code),
        // Only a HEAD is answered without a document.
        None => Some(kind_of_status("s3:Head", answer.status().as_u16())),
    };
    kind == Some(FaultKind::Throttled)
}

/// The Region that S3 names in its answer, an error answer included.
pub(crate) fn region_in_answer<E>(error: &SdkError<E, HttpResponse>) -> Option<String> {
    error
        .raw_response()?
        .headers()
        .get("x-amz-bucket-region")
        .map(str::to_owned)
}

fn fault(operation: &'static str, kind: FaultKind, message: &str) -> CallFault {
    CallFault::new(
        operation,
        kind,
        message
            .chars()
            .take(TOLD_CHARACTERS_MAX)
            .collect::<String>(),
    )
}

/// The fault, with what finds its request again behind what it tells.
fn with_whereabouts(
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

/// A fault with AWS's reason in it, when it is a refusal. `said` is AWS's message alone, of which `message` tells more.
fn refused_or_failed(
    operation: &'static str,
    kind: FaultKind,
    message: &str,
    said: Option<&str>,
) -> CallFault {
    let mut fault = fault(operation, kind, message);
    if kind == FaultKind::AccessDenied {
        fault.reason = said.and_then(refusal_reason);
    }
    fault
}

fn unanswered(operation: &'static str, error: &(impl Error + 'static)) -> CallFault {
    let message = chain(error);
    fault(operation, FaultKind::NoAnswer, &message)
}

fn rejected(operation: &'static str, error: &(impl Error + 'static)) -> CallFault {
    let message = chain(error);
    fault(operation, FaultKind::Rejected, &message)
}

/// What an error and its causes say. The SDK's own `DisplayErrorContext` adds the whole answer, whose document is not
/// for logs (P10).
fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let mut told: Vec<String> = causes.map(ToString::to_string).collect();
    told.dedup();
    told.join(": ")
}

/// Looks for a failed AssumeRole, or missing credentials, among the causes from this one on. A call's own error is no cause
/// of it: a failed AssumeRole that is told by looking for a failed AssumeRole would find itself without end.
fn credentials_fault(
    operation: &'static str,
    mut cause: Option<&(dyn Error + 'static)>,
) -> Option<CallFault> {
    let mut missing = None;
    while let Some(current) = cause {
        if let Some(refusal) = current.downcast_ref::<SdkError<AssumeRoleError, HttpResponse>>() {
            return Some(assume_role_fault(refusal));
        }
        if let Some(failed) = current.downcast_ref::<CredentialsError>() {
            missing = Some(failed);
        }
        cause = current.source();
    }
    missing.map(|failed| {
        let kind = match failed {
            CredentialsError::ProviderTimedOut(_) | CredentialsError::ProviderError(_) => {
                FaultKind::NoAnswer
            }
            _ => FaultKind::AccessDenied,
        };
        fault(operation, kind, &chain(failed))
    })
}

/// Whatever STS refuses for good concerns the role: its ARN, its trust policy, its external id.
fn assume_role_fault(error: &SdkError<AssumeRoleError, HttpResponse>) -> CallFault {
    let mut fault = call_fault(ASSUME_ROLE, error);
    if matches!(
        fault.kind,
        FaultKind::AccessDenied | FaultKind::Rejected | FaultKind::NoSuchResource
    ) {
        fault.kind = FaultKind::RoleRefused;
    }
    fault
}

fn request_ids(response: &HttpResponse) -> Vec<(&'static str, String)> {
    [
        ("request id", "x-amz-request-id"),
        ("request id", "x-amzn-requestid"),
        ("extended request id", "x-amz-id-2"),
    ]
    .into_iter()
    .filter_map(|(name, header)| Some((name, response.headers().get(header)?.to_owned())))
    .collect()
}

fn kind_of(operation: &str, code: Option<&str>, status: u16) -> FaultKind {
    match code {
        // The SDK could not make sense of a success.
        None if (200..300).contains(&status) => FaultKind::BadAnswer,
        _ => code
            .and_then(kind_of_code)
            .unwrap_or_else(|| kind_of_status(operation, status)),
    }
}

/// docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, the DynamoDB, STS, Step Functions and SNS API references.
fn kind_of_code(code: &str) -> Option<FaultKind> {
    Some(match code {
        "AccessDenied"
        | "AccessDeniedException"
        | "AllAccessDisabled"
        | "AccountProblem"
        | "AuthorizationError"
        | "AuthorizationErrorException"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "InvalidToken"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException"
        | "KMSAccessDenied"
        | "KMSAccessDeniedException" => FaultKind::AccessDenied,
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => {
            FaultKind::SessionExpired
        }
        "NoSuchKey" | "NoSuchVersion" => FaultKind::NoSuchKey,
        "NoSuchBucket" => FaultKind::NoSuchBucket,
        "NoSuchUpload" => FaultKind::NoSuchUpload,
        "ResourceNotFoundException" | "ExecutionDoesNotExist" | "NotFoundException" => {
            FaultKind::NoSuchResource
        }
        "PreconditionFailed" | "ConditionalCheckFailedException" => FaultKind::ConditionFailed,
        "ConditionalRequestConflict"
        | "OperationAborted"
        | "TransactionConflictException"
        | "TransactionInProgressException" => FaultKind::ConcurrentWrite,
        "InvalidObjectState" | "ObjectNotInActiveTierError" => FaultKind::Archived,
        "PermanentRedirect"
        | "TemporaryRedirect"
        | "AuthorizationHeaderMalformed"
        | "IllegalLocationConstraintException" => FaultKind::WrongRegion,
        "SlowDown"
        | "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "Throttled"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "BandwidthLimitExceeded"
        | "KMSThrottlingException"
        | "ThrottledRequestException"
        | "ProvisionedThroughputExceededException" => FaultKind::Throttled,
        "InternalError"
        | "InternalServerError"
        | "InternalFailure"
        | "ServiceUnavailable"
        | "ServiceUnavailableException" => FaultKind::ServiceError,
        "RequestTimeout" | "RequestTimeoutException" => FaultKind::NoAnswer,
        // With status 501: not a fault that passes.
        "NotImplemented" => FaultKind::Rejected,
        _ => return None,
    })
}

/// HEAD answers carry no body, so the operation tells what is missing.
fn kind_of_status(operation: &str, status: u16) -> FaultKind {
    let is_head = operation.starts_with("s3:Head");
    match status {
        // An error in the body of a success: the call failed within S3 after it had begun to answer.
        200..=299 => FaultKind::ServiceError,
        301 | 307 | 308 => FaultKind::WrongRegion,
        403 => FaultKind::AccessDenied,
        404 if operation == "s3:HeadBucket" => FaultKind::NoSuchBucket,
        404 if is_head => FaultKind::NoSuchKey,
        404 => FaultKind::NoSuchResource,
        409 => FaultKind::ConcurrentWrite,
        412 => FaultKind::ConditionFailed,
        429 => FaultKind::Throttled,
        503 if is_head => FaultKind::Throttled,
        500..=599 => FaultKind::ServiceError,
        400..=499 => FaultKind::Rejected,
        _ => FaultKind::BadAnswer,
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::body::SdkBody;

    use super::*;

    #[test]
    fn the_code_goes_before_the_status() {
        assert_eq!(
            kind_of("s3:CopyObject", Some("InvalidObjectState"), 403),
            FaultKind::Archived
        );
        assert_eq!(
            kind_of("s3:CopyObject", Some("SlowDown"), 200),
            FaultKind::Throttled
        );
        assert_eq!(
            kind_of("s3:CopyObject", Some("NeverSeen"), 400),
            FaultKind::Rejected
        );
    }

    #[test]
    fn a_transaction_in_progress_is_no_refusal() {
        let code = Some("TransactionInProgressException");
        let kind = kind_of("dynamodb:TransactWriteItems", code, 400);
        assert_eq!(kind, FaultKind::ConcurrentWrite);
    }

    #[test]
    fn an_unknown_error_in_the_body_of_a_success_is_no_success() {
        assert_eq!(
            kind_of("s3:CopyObject", Some("NeverSeen"), 200),
            FaultKind::ServiceError
        );
    }

    #[test]
    fn a_head_without_a_body_tells_by_its_operation() {
        assert_eq!(kind_of("s3:HeadObject", None, 404), FaultKind::NoSuchKey);
        assert_eq!(kind_of("s3:HeadBucket", None, 404), FaultKind::NoSuchBucket);
        assert_eq!(kind_of("s3:HeadObject", None, 403), FaultKind::AccessDenied);
        assert_eq!(kind_of("s3:HeadObject", None, 503), FaultKind::Throttled);
    }

    #[test]
    fn slow_down_is_told_by_the_code_or_by_the_status_of_a_head() {
        let answer = |status: u16, body: &'static str| {
            HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body))
        };
        let document = "<Error><Code>SlowDown</Code><Message>Reduce.</Message></Error>";
        assert!(is_throttled(&answer(503, document)));
        assert!(is_throttled(&answer(200, document)));
        assert!(is_throttled(&answer(503, "")));
        assert!(!is_throttled(&answer(
            503,
            "<Error><Code>ServiceUnavailable</Code></Error>"
        )));
        assert!(!is_throttled(&answer(500, "")));
    }

    #[test]
    fn request_ids_stand_behind_the_longest_key() {
        use aws_sdk_s3::{error::ErrorMetadata, operation::copy_object::CopyObjectError};

        let mut answer = HttpResponse::new(404.try_into().unwrap(), SdkBody::empty());
        answer.headers_mut().insert("x-amz-request-id", "R3Q");
        answer.headers_mut().insert("x-amz-id-2", "3XT");
        let told = ErrorMetadata::builder()
            .code("NoSuchKey")
            .message("k".repeat(2_000))
            .build();
        let error = CopyObjectError::generic(told);
        let fault = call_fault("s3:CopyObject", &SdkError::service_error(error, answer));
        assert_eq!(fault.kind, FaultKind::NoSuchKey);
        let ids = " (HTTP 404, request id R3Q, extended request id 3XT)";
        assert!(fault.message.ends_with(ids), "{}", fault.message);
        assert!(fault.message.len() < 1_100);
    }

    #[test]
    fn missing_credentials_are_found_among_the_causes() {
        let error = CredentialsError::not_loaded_no_source();
        assert_eq!(session_fault(&error).kind, FaultKind::AccessDenied);
        let error = CredentialsError::provider_timed_out(std::time::Duration::from_secs(5));
        assert_eq!(session_fault(&error).kind, FaultKind::NoAnswer);
    }
}
