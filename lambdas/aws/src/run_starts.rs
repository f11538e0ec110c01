//! Starting runs, through Step Functions.

use aws_sdk_sfn::{Client, types::ExecutionStatus};
use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::{RunStarts, StartOutcome},
    value::{
        arn::{ExecutionArn, StateMachineArn},
        id::RunId,
    },
};

use crate::fault_mapping::call_fault;

const START_EXECUTION: &str = "states:StartExecution";
const DESCRIBE_EXECUTION: &str = "states:DescribeExecution";

/// The executions of one state machine.
#[derive(Debug, Clone)]
pub struct SfnRunStarts {
    client: Client,
    machine: StateMachineArn,
}

impl SfnRunStarts {
    /// Those that `client` may start.
    #[must_use]
    pub fn new(client: Client, machine: StateMachineArn) -> Self {
        Self { client, machine }
    }
}

impl RunStarts for SfnRunStarts {
    fn execution_arn(&self, run_id: &RunId) -> ExecutionArn {
        self.machine.execution(run_id)
    }

    async fn start(&self, run_id: &RunId, input: &str) -> Result<StartOutcome, CallFault> {
        let sent = self
            .client
            .start_execution()
            .state_machine_arn(self.machine.as_str())
            .name(run_id.as_str())
            .input(input)
            .send()
            .await
            .map_err(|error| call_fault(START_EXECUTION, &error));
        match sent {
            Ok(_) => Ok(StartOutcome::Started),
            // ExecutionAlreadyExists.
            Err(fault) if fault.kind == FaultKind::ConditionFailed => Ok(StartOutcome::NameTaken),
            Err(fault) => Err(fault),
        }
    }

    async fn has_succeeded(&self, execution: &ExecutionArn) -> Result<bool, CallFault> {
        let sent = self
            .client
            .describe_execution()
            .execution_arn(execution.as_str())
            .send()
            .await
            .map_err(|error| call_fault(DESCRIBE_EXECUTION, &error))?;
        Ok(*sent.status() == ExecutionStatus::Succeeded)
    }
}
