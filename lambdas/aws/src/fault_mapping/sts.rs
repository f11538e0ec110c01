//! Credentials that could not be obtained, which the SDK reports somewhere among the causes of a call's error.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::error::SdkError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use shardlift_core::failure::fault::FaultKind;

/// Why there are no credentials.
pub(super) enum SessionProblem<'a> {
    /// The target role could not be assumed.
    AssumeRole(&'a SdkError<AssumeRoleError, HttpResponse>),
    /// There are none, or their provider failed.
    Credentials(&'a CredentialsError),
}

/// Searches `cause` and its own causes. A failed AssumeRole is preferred, and otherwise the innermost credentials error.
pub(super) fn find_session_problem<'a>(
    mut cause: Option<&'a (dyn Error + 'static)>,
) -> Option<SessionProblem<'a>> {
    let mut problem = None;
    while let Some(current) = cause {
        if let Some(error) = current.downcast_ref() {
            return Some(SessionProblem::AssumeRole(error));
        }
        if let Some(error) = current.downcast_ref() {
            problem = Some(SessionProblem::Credentials(error));
        }
        cause = current.source();
    }
    problem
}

/// A provider that fails may succeed later; credentials that do not exist are a matter of permission.
pub(super) fn kind_of_credentials_error(error: &CredentialsError) -> FaultKind {
    match error {
        CredentialsError::ProviderTimedOut(_) | CredentialsError::ProviderError(_) => {
            FaultKind::NoResponse
        }
        _ => FaultKind::AccessDenied,
    }
}

/// Whatever STS refuses permanently concerns the role: its ARN, its trust policy, or its external id.
pub(super) fn kind_of_role_fault(kind: FaultKind) -> FaultKind {
    match kind {
        FaultKind::AccessDenied | FaultKind::Rejected | FaultKind::NoSuchResource => {
            FaultKind::RoleRefused
        }
        other => other,
    }
}
