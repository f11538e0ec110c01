//! Why a document of a run could not be read or written.

use crate::failure::{Failure, fault::CallFault};

/// Why a document of a run could not be read or written. As a [`Failure`], a document that is missing or malformed is a
/// contradiction in our own records; callers for whom it is not look at the variant first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// A record or a rule says that the document exists, and it does not.
    #[error("{key} does not exist")]
    Missing {
        /// Its key in the control bucket.
        key: String,
    },
    /// A call to the control bucket failed.
    #[error("{action} {key}: {fault}")]
    Call {
        /// What was being done.
        action: DocumentAction,
        /// The key in the control bucket.
        key: String,
        /// Why the call failed.
        fault: CallFault,
    },
    /// The document is cut off, of another version or of another shard; or a value has no such form.
    #[error(transparent)]
    Malformed(#[from] Failure),
}

/// What was being done with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentAction {
    /// Reading it.
    Reading,
    /// Writing it.
    Writing,
}

impl DocumentError {
    pub(super) fn reading(key: &str, fault: CallFault) -> Self {
        Self::Call {
            action: DocumentAction::Reading,
            key: key.to_owned(),
            fault,
        }
    }

    pub(super) fn writing(key: &str, fault: CallFault) -> Self {
        Self::Call {
            action: DocumentAction::Writing,
            key: key.to_owned(),
            fault,
        }
    }

    pub(super) fn unreadable(key: &str, error: &serde_json::Error) -> Self {
        Self::Malformed(Failure::invariant(format!("{key} cannot be read: {error}")))
    }

    pub(super) fn unwritable(key: &str, error: &serde_json::Error) -> Self {
        Self::Malformed(Failure::invariant(format!(
            "{key} cannot be written: {error}"
        )))
    }
}

impl std::fmt::Display for DocumentAction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Reading => "reading",
            Self::Writing => "writing",
        })
    }
}

impl From<DocumentError> for Failure {
    fn from(error: DocumentError) -> Self {
        match error {
            DocumentError::Missing { .. } => Self::invariant(error.to_string()),
            DocumentError::Call { action, key, fault } => {
                Self::from(fault).within(format!("{action} {key}"))
            }
            DocumentError::Malformed(failure) => failure,
        }
    }
}
