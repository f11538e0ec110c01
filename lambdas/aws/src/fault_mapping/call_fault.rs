//! Maps an error of the SDK to a fault.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use shardlift_core::failure::fault::{CallFault, FaultKind};

use super::{
    error_codes::kind_of,
    fault_message::{
        causes_of, fault_of, refused_or_failed, request_ids_of, with_status_and_request_ids,
    },
    sts::{SessionProblem, find_session_problem, kind_of_credentials_error, kind_of_role_fault},
};

/// The operation of a fault that comes from missing credentials.
const ASSUME_ROLE: &str = "sts:AssumeRole";

/// What a failed call of `operation` means.
pub(crate) fn call_fault<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> CallFault
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::ServiceError(context) => {
            let (code, status) = (context.err().code(), context.raw().status().as_u16());
            let message = match (code, context.err().message()) {
                (Some(code), Some(message)) => format!("{code}: {message}"),
                (Some(code), None) => code.to_owned(),
                (None, Some(message)) => message.to_owned(),
                // The response to a HEAD has no document; the SDK then names its own types.
                (None, None) if context.raw().body().content_length() == Some(0) => {
                    "AWS gave no reason".to_owned()
                }
                (None, None) => causes_of(error),
            };
            let kind = kind_of(operation, code, status);
            let fault = refused_or_failed(operation, kind, &message, context.err().message());
            with_status_and_request_ids(fault, status, request_ids_of(context.raw()))
        }
        SdkError::ResponseError(context) => {
            let fault = fault_of(operation, FaultKind::MalformedResponse, &causes_of(error));
            let status = context.raw().status().as_u16();
            with_status_and_request_ids(fault, status, request_ids_of(context.raw()))
        }
        SdkError::TimeoutError(_) => no_response(operation, error),
        SdkError::DispatchFailure(failure) => match credentials_fault(operation, error.source()) {
            Some(fault) => fault,
            None if failure.is_user() => rejected(operation, error),
            None => no_response(operation, error),
        },
        _ => credentials_fault(operation, error.source())
            .unwrap_or_else(|| rejected(operation, error)),
    }
}

/// What it means that credentials could not be obtained, outside of any call.
pub(crate) fn session_fault(error: &CredentialsError) -> CallFault {
    credentials_fault(ASSUME_ROLE, Some(error)).unwrap_or_else(|| no_response(ASSUME_ROLE, error))
}

/// The fault if credentials are what failed, in `cause` or in what caused it. The call's own error is not searched: a
/// failed AssumeRole would find itself, without end.
fn credentials_fault(
    operation: &'static str,
    cause: Option<&(dyn Error + 'static)>,
) -> Option<CallFault> {
    Some(match find_session_problem(cause)? {
        SessionProblem::AssumeRole(error) => assume_role_fault(error),
        SessionProblem::Credentials(error) => {
            let kind = kind_of_credentials_error(error);
            fault_of(operation, kind, &causes_of(error))
        }
    })
}

fn assume_role_fault(error: &SdkError<AssumeRoleError, HttpResponse>) -> CallFault {
    let mut fault = call_fault(ASSUME_ROLE, error);
    fault.kind = kind_of_role_fault(fault.kind);
    fault
}

fn no_response(operation: &'static str, error: &(impl Error + 'static)) -> CallFault {
    fault_of(operation, FaultKind::NoResponse, &causes_of(error))
}

fn rejected(operation: &'static str, error: &(impl Error + 'static)) -> CallFault {
    fault_of(operation, FaultKind::Rejected, &causes_of(error))
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::body::SdkBody;

    use super::*;

    #[test]
    fn request_ids_follow_the_longest_key() {
        use aws_sdk_s3::{error::ErrorMetadata, operation::copy_object::CopyObjectError};

        let mut response = HttpResponse::new(404.try_into().unwrap(), SdkBody::empty());
        response.headers_mut().insert("x-amz-request-id", "R3Q");
        response.headers_mut().insert("x-amz-id-2", "3XT");
        let metadata = ErrorMetadata::builder()
            .code("NoSuchKey")
            .message("k".repeat(2_000))
            .build();
        let error = CopyObjectError::generic(metadata);
        let fault = call_fault("s3:CopyObject", &SdkError::service_error(error, response));
        assert_eq!(fault.kind, FaultKind::NoSuchKey);
        let ids = " (HTTP 404, request id R3Q, extended request id 3XT)";
        assert!(fault.message.ends_with(ids), "{}", fault.message);
        assert!(fault.message.len() < 1_100);
    }

    #[test]
    fn a_refused_head_has_no_reason_and_no_words_of_the_sdk() {
        use aws_sdk_s3::{error::ErrorMetadata, operation::head_bucket::HeadBucketError};

        let response = HttpResponse::new(403.try_into().unwrap(), SdkBody::empty());
        let error = HeadBucketError::generic(ErrorMetadata::builder().build());
        let fault = call_fault("s3:HeadBucket", &SdkError::service_error(error, response));
        assert_eq!(fault.kind, FaultKind::AccessDenied);
        assert_eq!(fault.message, "AWS gave no reason (HTTP 403)");
    }

    #[test]
    fn missing_credentials_are_found_among_the_causes() {
        let error = CredentialsError::not_loaded_no_source();
        assert_eq!(session_fault(&error).kind, FaultKind::AccessDenied);
        let error = CredentialsError::provider_timed_out(std::time::Duration::from_secs(5));
        assert_eq!(session_fault(&error).kind, FaultKind::NoResponse);
    }
}
