use std::future::Future;

use crate::{failure::fault::CallFault, value::arn::ExecutionArn};

/// Whether an execution of the state machine is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecutionState {
    /// It is.
    Running,
    /// It ended, whatever the way.
    Ended,
    /// Step Functions does not know it (any more).
    Unknown,
}

/// Step Functions' knowledge of executions.
pub trait Executions: Send + Sync {
    /// The state of an execution. Idempotent.
    fn state(
        &self,
        execution: &ExecutionArn,
    ) -> impl Future<Output = Result<ExecutionState, CallFault>> + Send;
}
