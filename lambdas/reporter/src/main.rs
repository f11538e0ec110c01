//! The reporter Lambda: wires the adapters into the reporter.

// The SDK's futures nest deeper than the compiler's default allows.
#![recursion_limit = "256"]

use anyhow::anyhow;
use shardlift_aws::{
    adapters::Adapters,
    bootstrap::{self, Settings},
    telemetry,
};
use shardlift_reporter::Reporter;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    telemetry::init();
    let reporter = match Settings::from_env() {
        Ok(settings) => {
            let adapters = Adapters::connect(&settings).await;
            Ok(Reporter {
                accounts: adapters.accounts,
                ledger: adapters.ledger,
                control: adapters.control,
                notifier: adapters.notifier,
                clock: adapters.clock,
                max_concurrency: settings.max_concurrency,
            })
        }
        Err(failure) => Err(failure),
    };
    bootstrap::run(reporter)
        .await
        .map_err(|error| anyhow!("the Lambda runtime failed: {error}"))
}
