//! What is wrong with a whole file.

use std::fmt::Display;

use shardlift_core::{
    failure::{Failure, FailureCode},
    value::printable::Printable,
};

/// The refusal of a file: what is wrong with it and what a person does about it.
pub(crate) fn refused(file: &str, problem: impl Display, action: &str) -> Failure {
    Failure::new(
        FailureCode::InvalidRun,
        format!(
            "list {}: {problem}. Nothing was changed; {action}",
            Printable(file)
        ),
    )
}

/// What to do about a file that is cut off or damaged.
pub(crate) const UPLOAD_AGAIN: &str = "upload the file again and start a new execution";
