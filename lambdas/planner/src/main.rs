//! The planner Lambda: wires the AWS adapters into [`Planner`].

use anyhow::anyhow;
use shardlift_aws::{
    AwsAccounts, DynamoLedger, S3ControlStore, S3ListFiles, SfnExecutions, SystemClock,
    bootstrap::{self, Adapters, Handler, Settings},
    retry::RetriedByCaller,
    telemetry,
};
use shardlift_core::{
    failure::Failure,
    plan::ShardBounds,
    run::event::{PlannerEvent, PlannerResult},
    value::deadline::Deadline,
};
use shardlift_planner::{LISTERS_MAX_DEFAULT, Planner, PlannerSettings, Ports, SortBounds};

struct AwsPorts;

impl Ports for AwsPorts {
    type Accounts = AwsAccounts;
    type Ledger = DynamoLedger;
    type Control = S3ControlStore;
    type Lists = S3ListFiles;
    type Executions = SfnExecutions;
    type Clock = SystemClock;
}

struct PlannerFunction(Planner<AwsPorts>);

impl Handler for PlannerFunction {
    type Event = PlannerEvent;
    type Reply = PlannerResult;

    async fn handle(
        &self,
        event: PlannerEvent,
        deadline: Deadline,
    ) -> Result<PlannerResult, Failure> {
        self.0.plan(&event, deadline).await
    }
}

async fn connect() -> Result<PlannerFunction, Failure> {
    let settings = Settings::from_env()?;
    let runs = settings.runs.clone()?;
    // A run whose copiers would refuse to start is refused here.
    settings.writes_per_second_of_a_copier_max()?;
    let adapters = Adapters::connect(&settings, RetriedByCaller::Listings).await;
    Ok(PlannerFunction(Planner {
        accounts: adapters.accounts,
        ledger: adapters.ledger,
        control: adapters.control,
        lists: adapters.lists,
        executions: adapters.executions,
        clock: adapters.clock,
        settings: PlannerSettings {
            run_defaults: runs.defaults,
            ceilings: runs.ceilings,
            function_roles: settings.function_roles,
            max_concurrency: settings.max_concurrency,
            writes_per_second_max: settings.writes_per_second_max,
            ledger_ttl_days: settings.ledger_ttl_days,
            copier_memory_mb: settings.copier_memory_mb,
            renderer_memory_mb: settings.renderer_memory_mb,
            shard_bounds: ShardBounds::default(),
            sort_bounds: SortBounds::default(),
            listers_max: LISTERS_MAX_DEFAULT,
        },
    }))
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> anyhow::Result<()> {
    telemetry::init();
    bootstrap::run(connect().await)
        .await
        .map_err(|error| anyhow!("the Lambda runtime failed: {error}"))
}
