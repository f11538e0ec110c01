//! The open stack: its ledger, its control bucket, its state machine.

use shardlift_aws::{DynamoLedger, S3ControlStore, clients};
use shardlift_core::{
    port::{ControlStore, Ledger},
    report::Report,
    run::record::RunRecord,
    value::id::RunId,
};

use crate::{deployment::Deployment, error::CommandError, machine::Machine};

/// An open stack.
pub(crate) struct Connection {
    pub(crate) ledger: DynamoLedger,
    pub(crate) control: S3ControlStore,
    pub(crate) machine: Machine,
    /// What to type between `shardlift` and the command to reach the same stack again.
    pub(crate) flags: String,
}

impl Connection {
    /// Opens the stack's parts; nothing is called yet.
    pub(crate) fn open(deployment: Deployment) -> Self {
        let Deployment { parts, sdk, flags } = deployment;
        Self {
            ledger: DynamoLedger::new(clients::ledger_client(&sdk), parts.ledger_table),
            control: S3ControlStore::new(clients::control_client(&sdk), parts.control_bucket),
            machine: Machine::new(aws_sdk_sfn::Client::new(&sdk), parts.state_machine_arn),
            flags,
        }
    }

    /// The ledger's record of a run; nothing while the run was not settled.
    pub(crate) async fn run_record(&self, run: &RunId) -> Result<Option<RunRecord>, CommandError> {
        Ok(self.ledger.read_run(run).await?)
    }

    /// The report of a run; nothing while there is none.
    pub(crate) async fn report(&self, run: &RunId) -> Result<Option<Report>, CommandError> {
        let Some(body) = self.report_document(run, "report.json").await? else {
            return Ok(None);
        };
        serde_json::from_slice(&body).map(Some).map_err(|error| {
            CommandError::usage(format!(
                "report.json of run {run} cannot be read ({error}); it may be of another release"
            ))
        })
    }

    /// A document of the report, by its name.
    pub(crate) async fn report_document(
        &self,
        run: &RunId,
        name: &str,
    ) -> Result<Option<Vec<u8>>, CommandError> {
        let key = shardlift_core::documents::control_key::report_document(run, name);
        Ok(self.control.get(&key).await?)
    }
}
