//! A failure as it is reported.

use serde::{Deserialize, Serialize};

use super::code::FailureCode;

/// A failure: its code and what happened, in a sentence fragment that names the operation, the
/// subject, and expected against found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct Failure {
    /// The stable code.
    pub code: FailureCode,
    /// What happened, with the AWS error and request ids where there are any.
    pub detail: String,
}

impl Failure {
    /// A failure of this code.
    #[must_use]
    pub fn new(code: FailureCode, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
        }
    }

    /// A contradiction in our own records: never expected, always loud.
    #[must_use]
    pub fn invariant(detail: impl Into<String>) -> Self {
        Self::new(FailureCode::InvariantViolated, detail)
    }

    /// The same failure in its wider context.
    #[must_use]
    pub fn within(self, context: impl std::fmt::Display) -> Self {
        Self {
            code: self.code,
            detail: format!("{context}: {}", self.detail),
        }
    }
}

/// Adds what was being done to whatever went wrong.
pub trait Context<T> {
    /// The value, or the failure preceded by `context`, which says what was being done.
    ///
    /// # Errors
    /// That of the result.
    fn context(self, context: impl std::fmt::Display) -> Result<T, Failure>;
}

impl<T, E: Into<Failure>> Context<T> for Result<T, E> {
    fn context(self, context: impl std::fmt::Display) -> Result<T, Failure> {
        self.map_err(|error| error.into().within(context))
    }
}
