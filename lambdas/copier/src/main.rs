//! The copier Lambda: wires the AWS adapters into [`Copier`](shardlift_copier::copier::Copier).

use anyhow::anyhow;
use shardlift_aws::{
    AwsAccounts, DynamoLedger, S3ControlStore, SystemClock,
    bootstrap::{self, Adapters, Handler, Settings},
    retry::RetriedByCaller,
    telemetry,
};
use shardlift_copier::copier::Copier;
use shardlift_core::{
    failure::Failure,
    run::event::{WorkerEvent, WorkerResult},
    value::deadline::Deadline,
};
use shardlift_worker::ports::Ports;

enum AwsPorts {}

impl Ports for AwsPorts {
    type Accounts = AwsAccounts;
    type Ledger = DynamoLedger;
    type Control = S3ControlStore;
    type Clock = SystemClock;
}

struct CopierFunction(Copier<AwsPorts>);

impl Handler for CopierFunction {
    type Event = WorkerEvent;
    type Reply = WorkerResult;

    async fn handle(
        &self,
        event: WorkerEvent,
        deadline: Deadline,
    ) -> Result<WorkerResult, Failure> {
        self.0.copy_shard(&event, deadline).await
    }
}

async fn connect() -> Result<CopierFunction, Failure> {
    let settings = Settings::from_env()?;
    let ceilings = settings.runs.clone()?.ceilings;
    let adapters = Adapters::connect(&settings, RetriedByCaller::Reads).await;
    let copier = Copier::new(
        adapters.accounts,
        adapters.ledger,
        adapters.control,
        adapters.clock,
        ceilings,
    );
    Ok(CopierFunction(
        match settings.writes_per_second_of_a_copier_max()? {
            Some(max) => copier.with_writes_per_second_max(max),
            None => copier,
        },
    ))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    telemetry::init();
    bootstrap::run(connect().await)
        .await
        .map_err(|error| anyhow!("the Lambda runtime failed: {error}"))
}
