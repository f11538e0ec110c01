//! The state of executions, through Step Functions.

use aws_sdk_sfn::{Client, types::ExecutionStatus};
use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::{ExecutionState, Executions},
    value::arn::ExecutionArn,
};

use crate::fault_mapping::call_fault;

const DESCRIBE_EXECUTION: &str = "states:DescribeExecution";

/// The executions of state machines.
#[derive(Debug, Clone)]
pub struct SfnExecutions(Client);

impl SfnExecutions {
    /// The executions that `client` may describe.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self(client)
    }
}

impl Executions for SfnExecutions {
    async fn state(&self, execution: &ExecutionArn) -> Result<ExecutionState, CallFault> {
        let sent = self
            .0
            .describe_execution()
            .execution_arn(execution.as_str())
            .send()
            .await
            .map_err(|error| call_fault(DESCRIBE_EXECUTION, &error));
        match sent {
            Ok(response) => Ok(match response.status() {
                // A pending redrive may continue at any moment.
                ExecutionStatus::Running | ExecutionStatus::PendingRedrive => {
                    ExecutionState::Running
                }
                _ => ExecutionState::Ended,
            }),
            Err(fault) if fault.kind == FaultKind::NoSuchResource => Ok(ExecutionState::Unknown),
            Err(fault) => Err(fault),
        }
    }
}
