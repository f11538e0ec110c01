//! How the clients are built: one connection pool, and timeouts and retries for what each client is used for.

use std::time::Duration;

use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::config::{
    Region, SharedHttpClient, StalledStreamProtectionConfig, retry::RetryConfig,
    timeout::TimeoutConfig,
};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};

use crate::{
    request_counter::RequestCounter,
    retry::{self, RetriedByCaller},
    s3::{CompleteDocuments, UnescapeKeys},
};

/// A connection within AWS is there in milliseconds; three seconds cover a lost SYN and its repeat.
const CONNECT_MAX: Duration = Duration::from_secs(3);

/// Listings, heads, tags: S3 answers within a second, and a second attempt on another connection is cheap.
const ASK_READ_MAX: Duration = Duration::from_secs(20);
const ASK_ATTEMPT_MAX: Duration = Duration::from_secs(30);
const ASK_OPERATION_MAX: Duration = Duration::from_secs(120);

/// Copies: S3 sends nothing until it has copied, and 5 GiB take minutes. The attempt ends before a Lambda's
/// 15 minutes do, and leaves time to note what became of it.
const COPY_ATTEMPT_MAX: Duration = Duration::from_secs(600);

/// The ledger answers in milliseconds; what lasts longer is lost, and asked about again.
const LEDGER_ATTEMPT_MAX: Duration = Duration::from_secs(5);
const LEDGER_OPERATION_MAX: Duration = Duration::from_secs(60);

/// The SDK's bucket (500 tokens, 5 a retry) empties in one burst of throttled requests when hundreds are in flight;
/// this one holds 200 in flight through all their attempts (200 x 4 retries x 5 tokens), and refills with time.
const RETRY_TOKENS: usize = 4_000;
const RETRY_TOKENS_PER_SECOND: f32 = 100.0;

/// A Lambda has 1,024 files. Hyper opens a connection for a call that finds none idle and keeps it although another
/// one became free meanwhile, so without a bound idle ones outgrow the 512 calls that a copier has in flight at most.
const IDLE_CONNECTIONS_MAX: usize = 256;

/// Where the data plane is, when not at AWS: an S3 endpoint for the copies and listings alone.
pub(crate) const DATA_ENDPOINT_VARIABLE: &str = "DATA_S3_ENDPOINT_URL";

/// The settings that every client begins with: the default chain of Region, credentials and endpoint, which honours
/// `AWS_ENDPOINT_URL`.
pub async fn sdk_config() -> SdkConfig {
    config_loader().http_client(http_client()).load().await
}

/// The same settings before they are loaded, with the SDK's own HTTP client.
#[must_use]
pub fn config_loader() -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(ask_timeouts())
        .retry_config(retry::SDK.by_sdk())
}

/// The ledger's client. Its retries are for reads; [`DynamoLedger`](crate::DynamoLedger) turns them off for writes.
#[must_use]
pub fn ledger_client(config: &SdkConfig) -> aws_sdk_dynamodb::Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_MAX)
        .read_timeout(LEDGER_ATTEMPT_MAX)
        .operation_attempt_timeout(LEDGER_ATTEMPT_MAX)
        .operation_timeout(LEDGER_OPERATION_MAX)
        .build();
    aws_sdk_dynamodb::Client::from_conf(
        aws_sdk_dynamodb::config::Builder::from(config)
            .timeout_config(timeouts)
            .retry_config(retry::LEDGER_READ.by_sdk())
            .retry_partition(retry_partition("shardlift-ledger"))
            .build(),
    )
}

/// The control bucket's client.
#[must_use]
pub fn control_client(config: &SdkConfig) -> aws_sdk_s3::Client {
    let builder = aws_sdk_s3::config::Builder::from(config);
    let at_aws = config.endpoint_url().is_none();
    aws_sdk_s3::Client::from_conf(builder.force_path_style(!at_aws).build())
}

/// Builds the clients that list and copy.
#[derive(Debug, Clone)]
pub(crate) struct DataPlane {
    config: SdkConfig,
    endpoint_url: Option<String>,
    asking: RetryPartition,
    retried_by_caller: RetriedByCaller,
}

impl DataPlane {
    /// `endpoint_url` replaces AWS's endpoints, for tests; else the control plane's endpoint holds here too.
    pub(crate) fn new(
        config: &SdkConfig,
        endpoint_url: Option<String>,
        retried_by_caller: RetriedByCaller,
    ) -> Self {
        Self {
            config: config.clone(),
            endpoint_url: endpoint_url.or_else(|| config.endpoint_url().map(str::to_owned)),
            asking: retry_partition("shardlift-asking"),
            retried_by_caller,
        }
    }

    /// A client to find out where a bucket is: the SDK retries, whoever calls.
    pub(crate) fn opening(
        &self,
        region: Region,
        credentials: &SharedCredentialsProvider,
        counter: &RequestCounter,
    ) -> aws_sdk_s3::Client {
        self.reading(region, credentials, counter, retry::SDK.by_sdk())
    }

    /// A client for single objects and uploads.
    pub(crate) fn asking(
        &self,
        region: Region,
        credentials: &SharedCredentialsProvider,
        counter: &RequestCounter,
    ) -> aws_sdk_s3::Client {
        let retries = match self.retried_by_caller {
            RetriedByCaller::Nothing | RetriedByCaller::Listings => retry::SDK.by_sdk(),
            RetriedByCaller::Reads => RetryConfig::disabled(),
        };
        self.reading(region, credentials, counter, retries)
    }

    /// A client for listings.
    pub(crate) fn listing(
        &self,
        region: Region,
        credentials: &SharedCredentialsProvider,
        counter: &RequestCounter,
    ) -> aws_sdk_s3::Client {
        let retries = match self.retried_by_caller {
            RetriedByCaller::Nothing => retry::SDK.by_sdk(),
            RetriedByCaller::Listings | RetriedByCaller::Reads => RetryConfig::disabled(),
        };
        self.reading(region, credentials, counter, retries)
    }

    fn reading(
        &self,
        region: Region,
        credentials: &SharedCredentialsProvider,
        counter: &RequestCounter,
        retries: RetryConfig,
    ) -> aws_sdk_s3::Client {
        let config = self
            .builder(region, credentials, counter)
            .timeout_config(ask_timeouts())
            .retry_config(retries)
            .retry_partition(self.asking.clone())
            .build();
        aws_sdk_s3::Client::from_conf(config)
    }

    /// A client for copies: one attempt, because the copier's pacer must see every throttling, and time for 5 GiB.
    pub(crate) fn copying(
        &self,
        region: Region,
        credentials: &SharedCredentialsProvider,
        counter: &RequestCounter,
    ) -> aws_sdk_s3::Client {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_MAX)
            .read_timeout(COPY_ATTEMPT_MAX)
            .operation_attempt_timeout(COPY_ATTEMPT_MAX)
            .operation_timeout(COPY_ATTEMPT_MAX)
            .build();
        let config = self
            .builder(region, credentials, counter)
            .timeout_config(timeouts)
            .retry_config(RetryConfig::disabled())
            .build();
        aws_sdk_s3::Client::from_conf(config)
    }

    fn builder(
        &self,
        region: Region,
        credentials: &SharedCredentialsProvider,
        counter: &RequestCounter,
    ) -> aws_sdk_s3::config::Builder {
        let mut builder = aws_sdk_s3::config::Builder::from(&self.config)
            .region(region)
            .credentials_provider(credentials.clone())
            .interceptor(counter.clone())
            .interceptor(UnescapeKeys)
            .interceptor(CompleteDocuments)
            // A copy is silent for minutes; the protection would end UploadPartCopy after some seconds.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        if let Some(url) = &self.endpoint_url {
            builder = builder.endpoint_url(url).force_path_style(true);
        }
        builder
    }
}

/// One pool for all clients, so that a handle that is opened anew finds warm connections.
fn http_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new()
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .build_https()
}

fn ask_timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_MAX)
        .read_timeout(ASK_READ_MAX)
        .operation_attempt_timeout(ASK_ATTEMPT_MAX)
        .operation_timeout(ASK_OPERATION_MAX)
        .build()
}

fn retry_partition(name: &'static str) -> RetryPartition {
    RetryPartition::custom(name)
        .token_bucket(
            TokenBucket::builder()
                .capacity(RETRY_TOKENS)
                .refill_rate(RETRY_TOKENS_PER_SECOND)
                .build(),
        )
        .build()
}
