//! The state machine: its executions are the runs.

use aws_sdk_sfn::{Client, types::ExecutionStatus};
use shardlift_core::{
    run::starter::text_without_starter,
    value::{arn::ExecutionArn, id::RunId, time::Timestamp},
};

use crate::error::CommandError;

/// The state machine of a stack.
pub(crate) struct Machine {
    client: Client,
    arn: String,
}

/// How an execution is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Execution {
    pub(crate) name: String,
    pub(crate) status: ExecutionStatus,
    pub(crate) started_at: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
    /// The failure code, when it failed.
    pub(crate) error: Option<String>,
    /// The sentence beside it.
    pub(crate) cause: Option<String>,
    /// What it was started with, where that was asked for, but for what started it: whoever starts it again does that
    /// themselves.
    pub(crate) input: Option<String>,
}

impl Execution {
    /// Whether it is still under way.
    pub(crate) fn is_running(&self) -> bool {
        matches!(
            self.status,
            ExecutionStatus::Running | ExecutionStatus::PendingRedrive
        )
    }

    /// One of which nothing else is told, for tests.
    #[cfg(test)]
    pub(crate) fn with_status(status: ExecutionStatus) -> Self {
        Self {
            name: "nightly-1".into(),
            status,
            started_at: Timestamp::default(),
            ended_at: None,
            error: None,
            cause: None,
            input: None,
        }
    }
}

impl Machine {
    pub(crate) fn new(client: Client, arn: String) -> Self {
        Self { client, arn }
    }

    /// The ARN of the execution that is the run.
    pub(crate) fn execution_arn(&self, run: &RunId) -> String {
        format!(
            "{}:{run}",
            self.arn.replacen(":stateMachine:", ":execution:", 1)
        )
    }

    /// The address of a run in the console; without one, that of the state machine with all of them.
    pub(crate) fn console_url(&self, run: Option<&RunId>) -> Result<String, CommandError> {
        let execution = match run {
            Some(run) => self.execution_arn(run),
            // The page of the machine is reached from any of its executions.
            None => format!(
                "{}:any",
                self.arn.replacen(":stateMachine:", ":execution:", 1)
            ),
        };
        let execution = ExecutionArn::new(execution)
            .map_err(|problem| CommandError::usage(problem.to_string()))?;
        Ok(match run {
            Some(_) => execution.console_url(),
            None => execution.console_page(&format!(
                "states/home?region={}#/statemachines/view/{}",
                execution.region(),
                self.arn
            )),
        })
    }

    /// Starts a run.
    pub(crate) async fn start(&self, run: &RunId, input: &str) -> Result<(), CommandError> {
        self.client
            .start_execution()
            .state_machine_arn(&self.arn)
            .name(run.as_str())
            .input(input)
            .send()
            .await
            .map(|_| ())
            .map_err(|error| {
                if error
                    .as_service_error()
                    .is_some_and(aws_sdk_sfn::operation::start_execution::StartExecutionError::is_execution_already_exists)
                {
                    CommandError::usage(format!(
                        "there has already been a run {run}, and Step Functions keeps names for 90 days; choose another --name"
                    ))
                } else {
                    CommandError::call("states:StartExecution", &error)
                }
            })
    }

    /// Stops a run. One that has ended stays as it is.
    pub(crate) async fn stop(&self, run: &RunId) -> Result<(), CommandError> {
        self.client
            .stop_execution()
            .execution_arn(self.execution_arn(run))
            .error("Stopped")
            .cause("a person stopped it with shardlift stop")
            .send()
            .await
            .map(|_| ())
            .map_err(|error| CommandError::call("states:StopExecution", &error))
    }

    /// Looks at a run.
    pub(crate) async fn describe(&self, run: &RunId) -> Result<Execution, CommandError> {
        let response = self
            .client
            .describe_execution()
            .execution_arn(self.execution_arn(run))
            .send()
            .await
            .map_err(|error| {
                if error
                    .as_service_error()
                    .is_some_and(aws_sdk_sfn::operation::describe_execution::DescribeExecutionError::is_execution_does_not_exist)
                {
                    CommandError::usage(format!(
                        "there is no run {run}; `shardlift status` lists the latest ones"
                    ))
                } else {
                    CommandError::call("states:DescribeExecution", &error)
                }
            })?;
        Ok(Execution {
            name: run.to_string(),
            status: response.status,
            started_at: instant(&response.start_date),
            ended_at: response.stop_date.as_ref().map(instant),
            error: response.error,
            cause: response.cause,
            input: response.input.map(text_without_starter),
        })
    }

    /// The latest runs, the youngest first.
    pub(crate) async fn latest(&self, count: u16) -> Result<Vec<Execution>, CommandError> {
        let response = self
            .client
            .list_executions()
            .state_machine_arn(&self.arn)
            .max_results(i32::from(count))
            .send()
            .await
            .map_err(|error| CommandError::call("states:ListExecutions", &error))?;
        Ok(response
            .executions
            .into_iter()
            .take(usize::from(count))
            .map(|item| Execution {
                name: item.name,
                status: item.status,
                started_at: instant(&item.start_date),
                ended_at: item.stop_date.as_ref().map(instant),
                error: None,
                cause: None,
                input: None,
            })
            .collect())
    }
}

fn instant(date: &aws_smithy_types::DateTime) -> Timestamp {
    Timestamp::from_millis(date.to_millis().unwrap_or(i64::MAX))
}
