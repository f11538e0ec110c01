use shardlift_core::failure::{Failure, FailureCode};

/// A variable that no run can be made with.
pub(super) fn invalid(name: &str, problem: impl std::fmt::Display) -> Failure {
    Failure::new(
        FailureCode::InvalidRun,
        format!("environment variable {name} {problem}; correct the stack's parameters"),
    )
}
