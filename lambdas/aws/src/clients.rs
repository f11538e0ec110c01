//! Builds the clients: one connection pool for all, and timeouts and retries for each use.

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
    s3::{CompleteDocuments, ReadableResponses, UnescapeKeys},
};

/// A connection within AWS takes milliseconds; three seconds allow for a lost SYN and its retransmission.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Reads: S3 responds to listings, HEADs and requests for tags within a second, and a second attempt on another
/// connection is cheap.
const READ_RESPONSE_TIMEOUT: Duration = Duration::from_secs(20);
const READ_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
const READ_OPERATION_TIMEOUT: Duration = Duration::from_secs(120);

/// Copies: S3 sends nothing until the copy is complete, and 5 GiB take minutes. The attempt ends before a Lambda's
/// 15 minutes, and leaves time to record its outcome.
const COPY_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(600);

/// The ledger: DynamoDB responds within milliseconds. A response that takes longer is lost, and the request is retried.
const LEDGER_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
const LEDGER_OPERATION_TIMEOUT: Duration = Duration::from_secs(60);

/// With hundreds of requests in flight, one burst of throttling empties the SDK's own bucket (500 tokens, 5 per retry).
/// This one suffices for all attempts of 200 requests in flight (200 x 4 retries x 5 tokens), and refills over time.
const RETRY_TOKENS: usize = 4_000;
const RETRY_TOKENS_PER_SECOND: f32 = 100.0;

/// A Lambda may open 1,024 files. Hyper opens a connection for a request that finds none idle, and keeps it even if
/// another one became idle meanwhile. Without a limit, idle connections would outnumber the 512 requests that a copier
/// has in flight at most.
const IDLE_CONNECTIONS_MAX: usize = 256;

/// The variable with an S3 endpoint for copies and listings only, if they do not go to AWS.
pub(crate) const DATA_ENDPOINT_VARIABLE: &str = "DATA_S3_ENDPOINT_URL";

/// The settings that all clients share: the default chain for Region, credentials and endpoint, which respects
/// `AWS_ENDPOINT_URL`.
pub async fn sdk_config() -> SdkConfig {
    config_loader().http_client(http_client()).load().await
}

/// The same settings before they are loaded, with the SDK's own HTTP client.
#[must_use]
pub fn config_loader() -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::latest())
        .timeout_config(read_timeouts())
        .retry_config(retry::SDK.by_sdk())
}

/// The ledger's client. Its retries are for reads; [`DynamoLedger`](crate::DynamoLedger) turns them off for writes.
#[must_use]
pub fn ledger_client(config: &SdkConfig) -> aws_sdk_dynamodb::Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(LEDGER_ATTEMPT_TIMEOUT)
        .operation_attempt_timeout(LEDGER_ATTEMPT_TIMEOUT)
        .operation_timeout(LEDGER_OPERATION_TIMEOUT)
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
    reads: RetryPartition,
    retried_by_caller: RetriedByCaller,
}

impl DataPlane {
    /// `endpoint_url` replaces AWS's endpoints in tests. Without it, the endpoint in `config` applies, if there is one.
    pub(crate) fn new(
        config: &SdkConfig,
        endpoint_url: Option<String>,
        retried_by_caller: RetriedByCaller,
    ) -> Self {
        Self {
            config: config.clone(),
            endpoint_url: endpoint_url.or_else(|| config.endpoint_url().map(str::to_owned)),
            reads: retry_partition("shardlift-reads"),
            retried_by_caller,
        }
    }

    /// A client that finds the Region and the owner of a bucket. The SDK always retries.
    pub(crate) fn for_opening(
        &self,
        region: Region,
        credentials: &SharedCredentialsProvider,
        counter: &RequestCounter,
    ) -> aws_sdk_s3::Client {
        self.read_client(region, credentials, counter, retry::SDK.by_sdk())
    }

    /// Which reads the caller of these clients retries.
    pub(crate) fn retried_by_caller(&self) -> RetriedByCaller {
        self.retried_by_caller
    }

    /// A client that reads single objects and uploads.
    pub(crate) fn for_reads(
        &self,
        region: Region,
        credentials: &SharedCredentialsProvider,
        counter: &RequestCounter,
    ) -> aws_sdk_s3::Client {
        let retries = match self.retried_by_caller {
            RetriedByCaller::Nothing | RetriedByCaller::Listings => retry::SDK.by_sdk(),
            RetriedByCaller::Reads => RetryConfig::disabled(),
        };
        self.read_client(region, credentials, counter, retries)
    }

    /// A client that lists.
    pub(crate) fn for_listings(
        &self,
        region: Region,
        credentials: &SharedCredentialsProvider,
        counter: &RequestCounter,
    ) -> aws_sdk_s3::Client {
        let retries = match self.retried_by_caller {
            RetriedByCaller::Nothing => retry::SDK.by_sdk(),
            RetriedByCaller::Listings | RetriedByCaller::Reads => RetryConfig::disabled(),
        };
        self.read_client(region, credentials, counter, retries)
    }

    fn read_client(
        &self,
        region: Region,
        credentials: &SharedCredentialsProvider,
        counter: &RequestCounter,
        retries: RetryConfig,
    ) -> aws_sdk_s3::Client {
        let config = self
            .builder(region, credentials, counter)
            .timeout_config(read_timeouts())
            .retry_config(retries)
            .retry_partition(self.reads.clone())
            .build();
        aws_sdk_s3::Client::from_conf(config)
    }

    /// A client that writes. It makes one attempt, because the copier's pacer must see all throttling, and its timeout
    /// allows for 5 GiB.
    pub(crate) fn for_writes(
        &self,
        region: Region,
        credentials: &SharedCredentialsProvider,
        counter: &RequestCounter,
    ) -> aws_sdk_s3::Client {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(COPY_ATTEMPT_TIMEOUT)
            .operation_attempt_timeout(COPY_ATTEMPT_TIMEOUT)
            .operation_timeout(COPY_ATTEMPT_TIMEOUT)
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
            .interceptor(ReadableResponses)
            // A copy sends nothing for minutes, and the protection would abort UploadPartCopy after seconds.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        if let Some(url) = &self.endpoint_url {
            builder = builder.endpoint_url(url).force_path_style(true);
        }
        builder
    }
}

/// One pool for all clients, so that a bucket that is opened again finds warm connections.
fn http_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new()
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .build_https()
}

fn read_timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_RESPONSE_TIMEOUT)
        .operation_attempt_timeout(READ_ATTEMPT_TIMEOUT)
        .operation_timeout(READ_OPERATION_TIMEOUT)
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

#[cfg(test)]
mod tests {
    use aws_sdk_s3::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};

    /// No host can be named so: the SDK puts such a bucket into the path.
    #[tokio::test]
    async fn a_bucket_from_before_2018_has_an_address() {
        let bucket = Params::builder()
            .region("us-east-1")
            .bucket("Old_Bucket.2010")
            .build()
            .unwrap();
        let endpoint = DefaultResolver::new().resolve_endpoint(&bucket).await;
        let expected = "https://s3.us-east-1.amazonaws.com/Old_Bucket.2010";
        assert_eq!(endpoint.unwrap().url(), expected);
    }
}
