//! The error codes of each service, and HTTP status where a response has no known code.

use FaultKind::{
    AccessDenied, Archived, ConcurrentWrite, ConditionFailed, KeyUnusable, NoResponse,
    NoSuchBucket, NoSuchKey, NoSuchResource, NoSuchUpload, Rejected, ServiceError, SessionExpired,
    Throttled, WrongRegion,
};
use shardlift_core::failure::fault::FaultKind;

type CodeTable = &'static [(&'static str, FaultKind)];

/// A code means the same from every service, so all tables are searched.
const TABLES: [CodeTable; 6] = [EVERY_SERVICE, S3, DYNAMODB, STEP_FUNCTIONS, SNS, KMS];

/// docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html, and the names that services and SDKs vary.
const EVERY_SERVICE: CodeTable = &[
    ("AccessDenied", AccessDenied),
    ("AccessDeniedException", AccessDenied),
    ("InvalidAccessKeyId", AccessDenied),
    ("InvalidClientTokenId", AccessDenied),
    ("InvalidToken", AccessDenied),
    ("SignatureDoesNotMatch", AccessDenied),
    ("UnrecognizedClientException", AccessDenied),
    ("ExpiredToken", SessionExpired),
    ("ExpiredTokenException", SessionExpired),
    ("TokenRefreshRequired", SessionExpired),
    ("ResourceNotFoundException", NoSuchResource),
    ("Throttling", Throttled),
    ("ThrottlingException", Throttled),
    ("ThrottledException", Throttled),
    ("Throttled", Throttled),
    ("ThrottledRequestException", Throttled),
    ("RequestThrottled", Throttled),
    ("RequestThrottledException", Throttled),
    ("RequestLimitExceeded", Throttled),
    ("TooManyRequestsException", Throttled),
    ("InternalError", ServiceError),
    ("InternalServerError", ServiceError),
    ("InternalFailure", ServiceError),
    ("ServiceUnavailable", ServiceError),
    ("ServiceUnavailableException", ServiceError),
    ("RequestTimeout", NoResponse),
    ("RequestTimeoutException", NoResponse),
];

/// docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
const S3: CodeTable = &[
    ("AllAccessDisabled", AccessDenied),
    ("AccountProblem", AccessDenied),
    ("NoSuchKey", NoSuchKey),
    ("NoSuchVersion", NoSuchKey),
    ("NoSuchBucket", NoSuchBucket),
    ("NoSuchUpload", NoSuchUpload),
    ("PreconditionFailed", ConditionFailed),
    ("ConditionalRequestConflict", ConcurrentWrite),
    ("OperationAborted", ConcurrentWrite),
    ("InvalidObjectState", Archived),
    ("ObjectNotInActiveTierError", Archived),
    ("PermanentRedirect", WrongRegion),
    ("TemporaryRedirect", WrongRegion),
    ("AuthorizationHeaderMalformed", WrongRegion),
    ("IllegalLocationConstraintException", WrongRegion),
    ("SlowDown", Throttled),
    ("BandwidthLimitExceeded", Throttled),
    // It comes with status 501, but a retry does not help.
    ("NotImplemented", Rejected),
];

/// docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
const DYNAMODB: CodeTable = &[
    ("ConditionalCheckFailedException", ConditionFailed),
    ("TransactionConflictException", ConcurrentWrite),
    ("TransactionInProgressException", ConcurrentWrite),
    ("ProvisionedThroughputExceededException", Throttled),
];

/// docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
const STEP_FUNCTIONS: CodeTable = &[
    ("ExecutionDoesNotExist", NoSuchResource),
    ("ExecutionAlreadyExists", ConditionFailed),
];

/// docs.aws.amazon.com/sns/latest/api/API_Publish.html
const SNS: CodeTable = &[
    ("AuthorizationError", AccessDenied),
    ("AuthorizationErrorException", AccessDenied),
    ("NotFoundException", NoSuchResource),
];

/// KMS, through the services that encrypt with it. S3 passes KMS's codes on with a prefix and status 400 (docs/MODEL.md,
/// facts 70 to 72).
const KMS: CodeTable = &[
    ("KMSAccessDenied", AccessDenied),
    ("KMSAccessDeniedException", AccessDenied),
    ("KMSThrottlingException", Throttled),
    ("KMS.NotFoundException", KeyUnusable),
    ("KMS.DisabledException", KeyUnusable),
    ("KMS.KMSInvalidStateException", KeyUnusable),
];

/// What an error response means: by its code if that is known, otherwise by its status.
pub(super) fn kind_of(operation: &str, code: Option<&str>, status: u16) -> FaultKind {
    match code {
        // The SDK could not parse a successful response.
        None if (200..300).contains(&status) => FaultKind::MalformedResponse,
        // The newest version of the key is a delete marker: the object is gone (docs/MODEL.md, fact 81).
        Some("MethodNotAllowed") if operation == "s3:GetObjectTagging" => FaultKind::NoSuchKey,
        _ => code
            .and_then(kind_of_code)
            .unwrap_or_else(|| kind_of_status(operation, status)),
    }
}

/// What a code means; `None` if it is in no table.
pub(super) fn kind_of_code(code: &str) -> Option<FaultKind> {
    let mut entries = TABLES.into_iter().flatten();
    entries.find_map(|(known, kind)| (*known == code).then_some(*kind))
}

/// What a status means. The response to a HEAD has no body, so the operation says what does not exist.
pub(super) fn kind_of_status(operation: &str, status: u16) -> FaultKind {
    let is_head = operation.starts_with("s3:Head");
    match status {
        // An error in the body of a success: the call failed within S3 after the response had begun.
        200..=299 => ServiceError,
        301 | 307 | 308 => WrongRegion,
        403 => AccessDenied,
        404 if operation == "s3:HeadBucket" => NoSuchBucket,
        404 if is_head => NoSuchKey,
        404 => NoSuchResource,
        409 => ConcurrentWrite,
        412 => ConditionFailed,
        429 => Throttled,
        503 if is_head => Throttled,
        500..=599 => ServiceError,
        400..=499 => Rejected,
        _ => FaultKind::MalformedResponse,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_code_is_in_the_tables_twice() {
        let codes: Vec<&str> = TABLES
            .into_iter()
            .flatten()
            .map(|(code, _)| *code)
            .collect();
        let distinct: BTreeSet<&str> = codes.iter().copied().collect();
        assert_eq!(codes.len(), distinct.len(), "{codes:?}");
    }

    #[test]
    fn the_code_takes_precedence_over_the_status() {
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
    fn a_transaction_in_progress_is_not_a_refusal() {
        let code = Some("TransactionInProgressException");
        let kind = kind_of("dynamodb:TransactWriteItems", code, 400);
        assert_eq!(kind, FaultKind::ConcurrentWrite);
    }

    #[test]
    fn an_unknown_error_in_the_body_of_a_success_is_a_failure() {
        assert_eq!(
            kind_of("s3:CopyObject", Some("NeverSeen"), 200),
            FaultKind::ServiceError
        );
    }

    #[test]
    fn a_key_that_cannot_be_used_is_neither_a_refusal_nor_a_malformed_request() {
        for code in [
            "KMS.NotFoundException",
            "KMS.DisabledException",
            "KMS.KMSInvalidStateException",
        ] {
            for operation in ["s3:CopyObject", "s3:CompleteMultipartUpload"] {
                let kind = kind_of(operation, Some(code), 400);
                assert_eq!(kind, FaultKind::KeyUnusable, "{operation} {code}");
            }
        }
    }

    #[test]
    fn tags_of_a_delete_marker_are_those_of_an_object_that_is_gone() {
        let code = Some("MethodNotAllowed");
        assert_eq!(
            kind_of("s3:GetObjectTagging", code, 405),
            FaultKind::NoSuchKey
        );
        assert_eq!(kind_of("s3:PutObject", code, 405), FaultKind::Rejected);
    }

    #[test]
    fn the_operation_says_what_a_head_did_not_find() {
        assert_eq!(kind_of("s3:HeadObject", None, 404), FaultKind::NoSuchKey);
        assert_eq!(kind_of("s3:HeadBucket", None, 404), FaultKind::NoSuchBucket);
        assert_eq!(kind_of("s3:HeadObject", None, 403), FaultKind::AccessDenied);
        assert_eq!(kind_of("s3:HeadObject", None, 503), FaultKind::Throttled);
    }
}
