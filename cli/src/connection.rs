//! The open stack: its ledger, its control bucket, its state machine.

use aws_smithy_types::timeout::TimeoutConfig;
use shardlift_aws::{DynamoLedger, S3ControlStore, clients};
use shardlift_core::{
    documents::{DocumentError, RunDocument, RunDocuments},
    failure::Failure,
    port::Ledger,
    report::Report,
    run::record::RunRecord,
    value::id::RunId,
};

use crate::{
    deployment::{CALL_TIMEOUT, Deployment},
    error::CommandError,
    machine::Machine,
    schedules::Schedules,
    shell,
};

/// An open stack.
pub(crate) struct Connection {
    pub(crate) ledger: DynamoLedger,
    pub(crate) control: S3ControlStore,
    pub(crate) machine: Machine,
    pub(crate) schedules: Schedules,
    /// What to type between `shardlift` and the command to reach the same stack again.
    pub(crate) flags: String,
}

impl Connection {
    /// Opens the stack's parts; nothing is called yet.
    pub(crate) fn open(deployment: Deployment) -> Self {
        let schedules = Schedules::of(&deployment);
        let Deployment { parts, sdk, flags } = deployment;
        Self {
            ledger: DynamoLedger::new(clients::ledger_client(&sdk), parts.ledger_table),
            // Only the account that has the stack owns its control bucket.
            control: S3ControlStore::new(
                clients::control_client(&sdk),
                parts.control_bucket,
                parts.state_machine_arn.account(),
            ),
            machine: Machine::new(
                aws_sdk_sfn::Client::from_conf(
                    aws_sdk_sfn::config::Builder::from(&sdk)
                        .timeout_config(
                            TimeoutConfig::builder()
                                .operation_timeout(CALL_TIMEOUT)
                                .build(),
                        )
                        .build(),
                ),
                parts.state_machine_arn.to_string(),
            ),
            schedules,
            flags,
        }
    }

    /// The ledger's record of a run; nothing while the run was not settled.
    pub(crate) async fn run_record(&self, run: &RunId) -> Result<Option<RunRecord>, CommandError> {
        Ok(self.ledger.read_run(run).await?)
    }

    /// The error of a run without a report: there is no such run, it still goes on, or nobody could report it.
    pub(crate) async fn no_report(&self, run: &RunId) -> CommandError {
        match self.machine.describe(run).await {
            Ok(execution) if execution.is_running() => CommandError::usage(format!(
                "run {run} is still in progress; to follow it: shardlift {}watch {}",
                self.flags,
                shell::quoted(run)
            )),
            Ok(_) => CommandError::usage(format!(
                "run {run} ended without a report; to see how, and what to start next: shardlift {}watch {}",
                self.flags,
                shell::quoted(run)
            )),
            Err(error) => error,
        }
    }

    /// The report of a run; nothing while there is none.
    pub(crate) async fn report(&self, run: &RunId) -> Result<Option<Report>, CommandError> {
        let report = self.documents(run).json(RunDocument::Report).await;
        report.map_err(|error| match error {
            DocumentError::Malformed(Failure { detail, .. }) => {
                CommandError::usage(format!("{detail}; it may be from another release"))
            }
            error => error.into(),
        })
    }

    /// The documents of a run in the control bucket.
    pub(crate) fn documents<'a>(&'a self, run: &'a RunId) -> RunDocuments<'a, S3ControlStore> {
        RunDocuments::new(&self.control, run)
    }
}
