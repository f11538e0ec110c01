//! The reporter Lambda: wires the AWS adapters into [`Reporter`].

use anyhow::anyhow;
use shardlift_aws::{
    AwsAccounts, DynamoLedger, S3ControlStore, SnsNotifier, SystemClock,
    bootstrap::{self, Adapters, Handler, Settings},
    retry::RetriedByCaller,
    telemetry,
};
use shardlift_core::{
    failure::Failure,
    run::event::{ReporterEvent, ReporterResult},
    value::deadline::Deadline,
};
use shardlift_reporter::{Ports, Reporter};

enum AwsPorts {}

impl Ports for AwsPorts {
    type Accounts = AwsAccounts;
    type Ledger = DynamoLedger;
    type Control = S3ControlStore;
    type Notifier = SnsNotifier;
    type Clock = SystemClock;
}

struct ReporterFunction(Reporter<AwsPorts>);

impl Handler for ReporterFunction {
    type Event = ReporterEvent;
    type Reply = ReporterResult;

    async fn handle(
        &self,
        event: ReporterEvent,
        deadline: Deadline,
    ) -> Result<ReporterResult, Failure> {
        self.0.report(&event, deadline).await
    }
}

async fn connect() -> Result<ReporterFunction, Failure> {
    let settings = Settings::from_env()?;
    let adapters = Adapters::connect(&settings, RetriedByCaller::Nothing).await;
    Ok(ReporterFunction(Reporter {
        accounts: adapters.accounts,
        ledger: adapters.ledger,
        control: adapters.control,
        notifier: adapters.notifier,
        clock: adapters.clock,
        ceilings: settings.runs.map(|runs| runs.ceilings),
        max_concurrency: settings.max_concurrency,
    }))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    telemetry::init();
    bootstrap::run(connect().await)
        .await
        .map_err(|error| anyhow!("the Lambda runtime failed: {error}"))
}
