//! Why the command could not do what was asked.

use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use shardlift_aws::causes_of;
use shardlift_core::{
    documents::DocumentError,
    failure::{Failure, fault::CallFault},
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
    /// The terminal, the pipe or a file cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(#[from] std::io::Error),
}

impl CommandError {
    /// A wrong argument.
    pub(crate) fn usage(problem: impl Into<String>) -> Self {
        Self::Usage(problem.into())
    }

    /// A failed call of the SDK: what AWS said, or else the chain of causes. `SdkError` by itself says nothing, and its debug
    /// form is the whole response.
    pub(crate) fn call(
        operation: &str,
        error: &(impl std::error::Error + ProvideErrorMetadata + 'static),
    ) -> Self {
        if let Some(no_credentials) = NoCredentials::among_causes_of(error) {
            return Self::usage(no_credentials.to_string());
        }
        let reason = match (error.message(), error.code()) {
            (Some(message), Some(code)) => format!("{message} ({code})"),
            (None, Some(code)) => code.to_owned(),
            _ => causes_of(error),
        };
        Self::Call(format!("{operation} failed: {reason}"))
    }
}

impl From<CallFault> for CommandError {
    fn from(fault: CallFault) -> Self {
        Self::Call(fault.to_string())
    }
}

impl From<DocumentError> for CommandError {
    fn from(error: DocumentError) -> Self {
        match error {
            // An operator's call was refused, not a function's: what a function's role lacks is not the reason.
            DocumentError::Call { .. } => Self::Call(error.to_string()),
            error => Self::Failure(error.into()),
        }
    }
}
