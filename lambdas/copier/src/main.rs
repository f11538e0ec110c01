//! The copier Lambda: wires the AWS adapters into [`Copier`](shardlift_copier::copier::Copier).

use anyhow::anyhow;
use serde_json::Value;
use shardlift_aws::{
    AwsAccounts, DynamoLedger, S3ControlStore, SystemClock,
    adapters::Adapters,
    bootstrap::{self, Handler, Invocation, Settings},
    telemetry,
};
use shardlift_copier::copier::Copier;
use shardlift_core::{event, failure::Failure};

struct CopierFunction(Copier<AwsAccounts, DynamoLedger, S3ControlStore, SystemClock>);

impl Handler for CopierFunction {
    async fn handle(&self, payload: Value, invocation: Invocation) -> Result<Value, Failure> {
        let event = event::parse(&payload)?;
        let result = self.0.copy_shard(&event, invocation.deadline).await?;
        serde_json::to_value(result)
            .map_err(|error| Failure::invariant(format!("the result cannot be written: {error}")))
    }
}

async fn connect() -> Result<CopierFunction, Failure> {
    let adapters = Adapters::connect(&Settings::from_env()?).await;
    Ok(CopierFunction(Copier::new(
        adapters.accounts,
        adapters.ledger,
        adapters.control,
        adapters.clock,
    )))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    telemetry::init();
    bootstrap::run(connect().await)
        .await
        .map_err(|error| anyhow!("the Lambda runtime failed: {error}"))
}
