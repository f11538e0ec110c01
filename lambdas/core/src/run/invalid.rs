//! The refusal of an input.

use crate::failure::{Failure, FailureCode};

/// An `InvalidRun` that names the field and says what is wrong with it.
pub(crate) fn invalid(field: &str, problem: &str) -> Failure {
    let subject = if field.is_empty() {
        "the input".to_owned()
    } else {
        format!("field `{field}`")
    };
    Failure::new(
        FailureCode::InvalidRun,
        format!("{subject}: {problem}. Nothing was changed; correct it and start a new execution"),
    )
}
