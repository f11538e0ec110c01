//! The intake Lambda: wires the AWS adapters into [`Intake`].

use anyhow::anyhow;
use serde_json::value::RawValue;
use shardlift_aws::{
    DynamoLedger, S3ControlStore, SfnExecutions, SfnRunStarts, SystemClock,
    bootstrap::{self, Adapters, Handler, Settings},
    retry::RetriedByCaller,
    telemetry,
};
use shardlift_core::{
    events::EventRules,
    failure::{Failure, FailureCode},
    run::{lock::LockedPrefix, spec::RunSpec},
    value::{arn::StateMachineArn, deadline::Deadline},
};
use shardlift_intake::{BatchReply, Intake, Ports, QueueBatch};

struct AwsPorts;

impl Ports for AwsPorts {
    type Ledger = DynamoLedger;
    type Control = S3ControlStore;
    type Executions = SfnExecutions;
    type Starts = SfnRunStarts;
    type Clock = SystemClock;
}

struct IntakeFunction(Intake<AwsPorts>);

impl Handler for IntakeFunction {
    type Event = QueueBatch;
    type Reply = BatchReply;

    /// A batch of a queue has no version of ours.
    fn read(payload: &RawValue) -> Result<QueueBatch, Failure> {
        serde_json::from_str(payload.get()).map_err(|error| {
            Failure::new(
                FailureCode::InvalidRun,
                format!("the payload is no batch of messages: {error}"),
            )
        })
    }

    async fn handle(&self, batch: QueueBatch, _deadline: Deadline) -> Result<BatchReply, Failure> {
        self.0.take(batch).await
    }
}

async fn connect() -> Result<IntakeFunction, Failure> {
    let settings = Settings::from_env()?;
    let runs = settings.runs.clone()?;
    let machine = settings.state_machine_arn.clone().unwrap_or_default();
    let machine = StateMachineArn::new(machine).map_err(|problem| {
        Failure::new(
            FailureCode::InvalidRun,
            format!("environment variable STATE_MACHINE_ARN: {problem}"),
        )
    })?;
    let spec = RunSpec::settle(runs.defaults)?;
    let adapters = Adapters::connect(&settings, RetriedByCaller::Nothing).await;
    let starts = adapters.run_starts(machine.clone());
    Ok(IntakeFunction(Intake {
        ledger: adapters.ledger,
        control: adapters.control,
        executions: adapters.executions,
        clock: adapters.clock,
        source: spec.pair.source.bucket.clone(),
        rules: EventRules {
            prefix: spec.pair.source.prefix.clone(),
            filter: spec.filters.compile()?,
            mode: spec.mode,
        },
        locked: LockedPrefix::of(&spec.pair),
        machine: machine.name().to_owned(),
        starts,
    }))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    telemetry::init();
    bootstrap::run(connect().await)
        .await
        .map_err(|error| anyhow!("the Lambda runtime failed: {error}"))
}
