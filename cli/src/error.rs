//! Why the command could not do what was asked.

use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use shardlift_aws::causes_of;
use shardlift_core::{
    documents::DocumentError,
    failure::{
        Failure,
        fault::{CallFault, FaultKind},
    },
};

use crate::credentials::NoCredentials;

/// Why the command could not do what was asked. Each says what a person can do.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The arguments, or the files that they name, are wrong.
    #[error("{0}")]
    Usage(String),
    /// A failure of the domain, with its code.
    #[error("{0}")]
    Failure(#[from] Failure),
    /// A call to AWS failed.
    #[error("{0}")]
    Call(String),
    /// AWS did not respond.
    #[error(
        "{operation} got no response ({reason}). Check the network, HTTPS_PROXY, --region and AWS_ENDPOINT_URL"
    )]
    Unreachable {
        /// The call.
        operation: String,
        /// What kept it from being made.
        reason: String,
    },
    /// The terminal, the pipe or a file cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(#[from] std::io::Error),
}

impl CommandError {
    /// A wrong argument.
    pub(crate) fn usage(problem: impl Into<String>) -> Self {
        Self::Usage(problem.into())
    }

    /// A failed call of the SDK: what AWS said, and what to do. `SdkError` by itself says nothing, and its debug form is the
    /// whole response. Without a code there is no response of AWS.
    pub(crate) fn call(
        operation: &str,
        error: &(impl std::error::Error + ProvideErrorMetadata + 'static),
    ) -> Self {
        if let Some(no_credentials) = NoCredentials::among_causes_of(error) {
            return Self::usage(no_credentials.to_string());
        }
        match error.code() {
            Some(code) => Self::of_code(operation, code, error.message().unwrap_or_default()),
            None => Self::Unreachable {
                operation: operation.to_owned(),
                reason: last_cause(&causes_of(error)),
            },
        }
    }

    fn of_code(operation: &str, code: &str, message: &str) -> Self {
        let advice = advice_on(code).map_or_else(String::new, |advice| format!(". {advice}"));
        let message = message.trim_end_matches('.');
        Self::Call(format!("{operation} failed: {message} ({code}){advice}"))
    }

    /// The same, where the stack is the local one.
    pub(crate) fn of_local_stack(self) -> Self {
        match self {
            Self::Unreachable { reason, .. } => Self::usage(format!(
                "the local stack does not respond ({reason}); start it with make local-up"
            )),
            other => other,
        }
    }

    /// The same, where a run was being watched: it goes on without us.
    pub(crate) fn while_watching(self, come_back: &str) -> Self {
        match self {
            Self::Usage(_) | Self::Output(_) => self,
            Self::Unreachable { reason, .. } => Self::Call(format!(
                "the connection is lost ({reason}). The run continues. To come back: {come_back}"
            )),
            error => Self::Call(format!(
                "{error}. The run continues. To come back: {come_back}"
            )),
        }
    }

    /// Whether trying again may help.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

/// What a person does about an error of AWS's.
fn advice_on(code: &str) -> Option<&'static str> {
    Some(match code {
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "TokenRefreshRequired" => {
            "The session has ended. Sign in again: aws sso login, or aws login"
        }
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidAccessKeyId"
        | "AuthFailure" => {
            "AWS does not recognize this access key. See which one is in use: aws configure list"
        }
        "SignatureDoesNotMatch" | "InvalidSignatureException" | "IncompleteSignature" => {
            "The secret access key does not belong to the access key: set both again, with aws configure or in the environment"
        }
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" => {
            "See whose credentials these are: aws sts get-caller-identity. What operators need: shardlift policy operator"
        }
        "RequestTimeTooSkewed" => "The clock of this machine is wrong: set it",
        "Throttling" | "ThrottlingException" | "TooManyRequestsException" => {
            "AWS asks to slow down: try again in a minute"
        }
        "ResourceNotFoundException" | "StateMachineDoesNotExist" | "NoSuchBucket" => {
            "Is it in another account or Region than the stack? See --profile and --region"
        }
        _ => return None,
    })
}

/// The innermost cause, which says what happened; the outer ones are words of the SDK.
fn last_cause(causes: &str) -> String {
    let known = ["Connection refused", "timed out", "timeout", "dns error"];
    let last = causes.rsplit(": ").next().unwrap_or(causes);
    let telling = known.iter().find(|words| causes.contains(*words));
    match telling {
        Some(&"dns error") => "no such host".to_owned(),
        Some(&"timed out" | &"timeout") => "timed out".to_owned(),
        _ => last.to_owned(),
    }
}

impl From<CallFault> for CommandError {
    fn from(fault: CallFault) -> Self {
        if fault.kind == FaultKind::NoResponse {
            return Self::Unreachable {
                operation: fault.operation.to_owned(),
                reason: last_cause(&fault.message),
            };
        }
        // A message of the adapters begins with AWS's code.
        let code = fault.message.split(':').next().unwrap_or_default();
        match advice_on(code) {
            Some(advice) => Self::Call(format!("{fault}. {advice}")),
            None => Self::Call(fault.to_string()),
        }
    }
}

impl From<DocumentError> for CommandError {
    fn from(error: DocumentError) -> Self {
        match error {
            // An operator's call was refused, not a function's: what a function's role lacks is not the reason.
            DocumentError::Call { fault, .. } => fault.into(),
            error => Self::Failure(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_of_aws_is_a_sentence_with_what_to_do() {
        for (code, told) in [
            ("ExpiredToken", "aws sso login"),
            ("UnrecognizedClientException", "aws configure list"),
            ("SignatureDoesNotMatch", "secret access key"),
            ("AccessDeniedException", "aws sts get-caller-identity"),
            ("ResourceNotFoundException", "--region"),
        ] {
            let direct = CommandError::of_code("states:ListExecutions", code, "No.").to_string();
            let fault = CallFault::new(
                "s3:GetObject",
                FaultKind::AccessDenied,
                format!("{code}: no"),
            );
            for error in [direct, CommandError::from(fault).to_string()] {
                assert!(error.contains(told) && error.contains(code), "{error}");
                assert!(!error.contains("{ ") && !error.contains(".."), "{error}");
            }
        }
    }

    #[test]
    fn a_call_without_a_response_says_why_and_the_local_stack_how_it_is_started() {
        let causes = "dispatch failure: io error: client error (Connect): tcp connect error: Connection refused (os error 111)";
        let fault = CallFault::new("dynamodb:Query", FaultKind::NoResponse, causes);
        let error = CommandError::from(fault);
        assert!(error.is_transient());
        assert_eq!(
            error.to_string(),
            "dynamodb:Query got no response (Connection refused (os error 111)). Check the network, HTTPS_PROXY, --region and AWS_ENDPOINT_URL"
        );
        let local = error.of_local_stack().to_string();
        assert!(local.contains("make local-up"), "{local}");
    }
}
