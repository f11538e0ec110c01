use std::future::Future;

use crate::{
    failure::fault::CallFault,
    value::{arn::ExecutionArn, id::RunId},
};

/// What became of a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartOutcome {
    /// The execution runs; it may have been started before, with the same input.
    Started,
    /// An execution of this name has ended, or runs with another input.
    NameTaken,
}

/// Starts runs: executions of the state machine.
pub trait RunStarts: Send + Sync {
    /// The ARN that the execution of this name has, whether it was started or not.
    fn execution_arn(&self, run_id: &RunId) -> ExecutionArn;

    /// Starts the execution of this name. Idempotent while it runs
    /// (docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html).
    fn start(
        &self,
        run_id: &RunId,
        input: &str,
    ) -> impl Future<Output = Result<StartOutcome, CallFault>> + Send;

    /// Whether the execution ended well. Idempotent.
    fn has_succeeded(
        &self,
        execution: &ExecutionArn,
    ) -> impl Future<Output = Result<bool, CallFault>> + Send;
}
