//! What broke in a run.

use serde::{Deserialize, Serialize};

use crate::{
    failure::{Failure, FailureCode},
    run::event::Problem,
    value::text::cut,
};

/// How much of a message the report carries. A refusal names the missing policy statements, ready to paste. With
/// everything else it must fit the 256 KiB of a notification.
const MESSAGE_CHARACTERS_MAX: usize = 16_000;

/// What a person does about an error that has no failure code.
const ACTION_WITHOUT_CODE: &str =
    "Open the execution in the Step Functions console and the log of the function that failed.";

/// What broke.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedProblem {
    /// The state of the state machine that failed.
    pub state: String,
    /// The failure code, or the error name of Step Functions.
    pub code: String,
    /// The message.
    pub message: String,
    /// What a person does about it.
    pub action: String,
}

impl ReportedProblem {
    /// A state of the state machine that failed for good.
    #[must_use]
    pub fn of_state(problem: &Problem) -> Self {
        let action =
            FailureCode::from_name(&problem.error).map_or(ACTION_WITHOUT_CODE, FailureCode::action);
        Self {
            state: problem.state.clone(),
            code: problem.error.clone(),
            message: cut(&problem.message(), MESSAGE_CHARACTERS_MAX),
            action: action.to_owned(),
        }
    }

    /// A failure within the reporting state.
    #[must_use]
    pub fn of_failure(state: &str, failure: &Failure) -> Self {
        Self {
            state: state.to_owned(),
            code: failure.code.name().to_owned(),
            message: cut(&failure.detail, MESSAGE_CHARACTERS_MAX),
            action: failure.code.action().to_owned(),
        }
    }

    /// This problem, with the message of another one appended.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.message = cut(
            &format!("{} [{}] {}", self.message, other.code, other.message),
            MESSAGE_CHARACTERS_MAX,
        );
        self
    }
}
