use shardlift_core::value::{arn::StateMachineArn, bucket::BucketName};

use super::settings::Settings;
use crate::{
    accounts::AwsAccounts, clients, control_store::S3ControlStore, executions::SfnExecutions,
    ledger::DynamoLedger, list_files::S3ListFiles, notifier::SnsNotifier, retry::RetriedByCaller,
    run_starts::SfnRunStarts, system_clock::SystemClock,
};

/// The adapters of all ports, connected.
#[derive(Debug, Clone)]
pub struct Adapters {
    /// The ledger table.
    pub ledger: DynamoLedger,
    /// The control bucket.
    pub control: S3ControlStore,
    /// The files of lists.
    pub lists: S3ListFiles,
    /// The accounts of the pair.
    pub accounts: AwsAccounts,
    /// The topic of notifications.
    pub notifier: SnsNotifier,
    /// The executions of the state machine.
    pub executions: SfnExecutions,
    /// The machine's clock.
    pub clock: SystemClock,
    config: aws_config::SdkConfig,
}

impl Adapters {
    /// Connects every port with the function's own credentials, without sending a request yet. The caller retries the
    /// reads of the two buckets that `retried` names.
    pub async fn connect(settings: &Settings, retried: RetriedByCaller) -> Self {
        let config = clients::sdk_config().await;
        let data_endpoint_url = settings.data_endpoint_url.clone();
        let control_bucket: BucketName = settings.control_bucket.clone();
        Self {
            ledger: DynamoLedger::new(
                clients::ledger_client(&config),
                settings.ledger_table.clone(),
            ),
            control: S3ControlStore::new(
                clients::control_client(&config),
                control_bucket,
                settings.control_bucket_owner.clone(),
            ),
            lists: S3ListFiles::new(
                clients::control_client(&config),
                settings.control_bucket_owner.clone(),
            ),
            accounts: AwsAccounts::retried_by_caller(&config, data_endpoint_url, retried),
            notifier: SnsNotifier::new(
                aws_sdk_sns::Client::new(&config),
                settings.topic_arn.clone(),
            ),
            executions: SfnExecutions::new(aws_sdk_sfn::Client::new(&config)),
            clock: SystemClock,
            config,
        }
    }

    /// The runs of a state machine, to start them.
    #[must_use]
    pub fn run_starts(&self, machine: StateMachineArn) -> SfnRunStarts {
        SfnRunStarts::new(aws_sdk_sfn::Client::new(&self.config), machine)
    }
}
