use shardlift_core::value::bucket::BucketName;

use super::settings::Settings;
use crate::{
    accounts::AwsAccounts,
    clients::{self, DATA_ENDPOINT_VARIABLE, Repeats},
    control_store::S3ControlStore,
    executions::SfnExecutions,
    ledger::DynamoLedger,
    notifier::SnsNotifier,
    system_clock::SystemClock,
};

/// The adapters of all ports, connected.
#[derive(Debug, Clone)]
pub struct Adapters {
    /// The ledger table.
    pub ledger: DynamoLedger,
    /// The control bucket.
    pub control: S3ControlStore,
    /// The accounts of the pair.
    pub accounts: AwsAccounts,
    /// The topic of notifications.
    pub notifier: SnsNotifier,
    /// The executions of the state machine.
    pub executions: SfnExecutions,
    /// The machine's clock.
    pub clock: SystemClock,
}

impl Adapters {
    /// Connects every port with the function's own credentials, without sending a request yet.
    pub async fn connect(settings: &Settings) -> Self {
        Self::connect_for(settings, Repeats::ByTheClient).await
    }

    /// The same for a function that repeats its calls to the two buckets by itself.
    pub async fn connect_once_asking(settings: &Settings) -> Self {
        Self::connect_for(settings, Repeats::ByTheCaller).await
    }

    async fn connect_for(settings: &Settings, repeats: Repeats) -> Self {
        let config = clients::sdk_config().await;
        let data_endpoint_url = std::env::var(DATA_ENDPOINT_VARIABLE)
            .ok()
            .filter(|url| !url.is_empty());
        let control_bucket: BucketName = settings.control_bucket.clone();
        Self {
            ledger: DynamoLedger::new(
                clients::ledger_client(&config),
                settings.ledger_table.clone(),
            ),
            control: S3ControlStore::new(clients::control_client(&config), control_bucket),
            accounts: AwsAccounts::with_repeats(&config, data_endpoint_url, repeats),
            notifier: SnsNotifier::new(
                aws_sdk_sns::Client::new(&config),
                settings.topic_arn.clone(),
            ),
            executions: SfnExecutions::new(aws_sdk_sfn::Client::new(&config)),
            clock: SystemClock,
        }
    }
}
