//! The renderer Lambda: wires the AWS adapters into [`Renderer`](shardlift_renderer::renderer::Renderer).

use anyhow::anyhow;
use shardlift_aws::{
    AwsAccounts, DynamoLedger, S3ControlStore, SystemClock,
    bootstrap::{self, Adapters, Handler, Settings},
    retry::RetriedByCaller,
    telemetry,
};
use shardlift_core::{
    failure::Failure,
    run::event::{WorkerEvent, WorkerResult},
    value::deadline::Deadline,
};
use shardlift_renderer::{renderer::Renderer, room::Room};
use shardlift_worker::ports::{Connections, Ports};

enum AwsPorts {}

impl Ports for AwsPorts {
    type Accounts = AwsAccounts;
    type Ledger = DynamoLedger;
    type Control = S3ControlStore;
    type Clock = SystemClock;
}

struct RendererFunction(Renderer<AwsPorts>);

impl Handler for RendererFunction {
    type Event = WorkerEvent;
    type Reply = WorkerResult;

    async fn handle(
        &self,
        event: WorkerEvent,
        deadline: Deadline,
    ) -> Result<WorkerResult, Failure> {
        self.0.render_shard(&event, deadline).await
    }
}

async fn connect() -> Result<RendererFunction, Failure> {
    let settings = Settings::from_env()?;
    let ceilings = settings.runs.clone()?.ceilings;
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let room = Room::new(settings.renderer_memory_mb, processors);
    let adapters = Adapters::connect(&settings, RetriedByCaller::Reads).await;
    let ports = Connections {
        accounts: adapters.accounts,
        ledger: adapters.ledger,
        control: adapters.control,
        clock: adapters.clock,
    };
    let renderer = Renderer::new(ports, ceilings, room);
    Ok(RendererFunction(
        match settings.writes_per_second_of_a_copier_max()? {
            Some(max) => renderer.with_writes_per_second_max(max),
            None => renderer,
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
