//! The backend of a case, with clients of two accounts and buckets for the case alone.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::copy_object::builders::CopyObjectFluentBuilder;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::Tag;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use shardlift_s3_model::{KmsKeyState, Model, ObjectSpec, Server};

/// The account that owns the buckets of a case.
pub(crate) const OWNER: &str = "111111111111";
/// Another account.
pub(crate) const STRANGER: &str = "222222222222";
/// 5 MiB, the smallest part.
pub(crate) const MIB5: u64 = 5 << 20;
/// 5 GiB, the largest copy.
pub(crate) const GIB5: u64 = 5 << 30;

/// A KMS key in the Region of the suite's buckets. Only the model knows it.
pub(crate) const KMS_KEY: &str = "arn:aws:kms:us-east-1:111111111111:key/suite";

/// Which backends claim a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// The model and the local stack.
    Both,
    /// Only the model. The text says what the local stack does instead.
    ModelOnly(&'static str),
}

/// The server that a case runs against.
pub(crate) struct Backend {
    pub(crate) endpoint_url: String,
    /// `None` on another endpoint.
    pub(crate) model: Option<Model>,
    _server: Option<Server>,
}

static BUCKETS: AtomicU64 = AtomicU64::new(0);

impl Backend {
    /// Opens the backend of a case. Returns `None` if the backend does not claim the case.
    #[expect(clippy::print_stdout, reason = "shows which cases a run skipped")]
    pub(crate) async fn open(claim: Claim) -> Option<Self> {
        if let Ok(endpoint_url) = std::env::var("CONFORMANCE_ENDPOINT_URL") {
            let all = std::env::var("CONFORMANCE_CLAIMS").is_ok_and(|claims| claims == "all");
            if let (Claim::ModelOnly(instead), false) = (claim, all) {
                println!("not claimed by this backend: {instead}");
                return None;
            }
            return Some(Self {
                endpoint_url,
                model: None,
                _server: None,
            });
        }
        let model = Model::builder().build().expect("an empty model");
        model.set_kms_key(KMS_KEY, KmsKeyState::Enabled);
        let server = model.start().await.expect("a free port");
        Some(Self {
            endpoint_url: server.endpoint_url(),
            model: Some(model),
            _server: Some(server),
        })
    }

    /// Returns a client of an account. The access key is the account's number, which both backends
    /// accept.
    pub(crate) fn client(&self, account: &str) -> Client {
        self.client_in(account, "us-east-1")
    }

    pub(crate) fn client_in(&self, access_key: &str, region: &str) -> Client {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .endpoint_url(&self.endpoint_url)
            .force_path_style(true)
            .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
            .credentials_provider(Credentials::new(
                access_key,
                "test",
                None,
                None,
                "conformance",
            ))
            .build();
        Client::from_conf(config)
    }

    /// Creates a bucket of the owner.
    pub(crate) async fn bucket(&self) -> String {
        let name = unique_name();
        self.client(OWNER)
            .create_bucket()
            .bucket(&name)
            .send()
            .await
            .expect("a new bucket");
        name
    }

    /// Seeds an object of any size: directly in the model, by PUT elsewhere.
    pub(crate) async fn seed(&self, bucket: &str, key: &str, size: u64) {
        if let Some(model) = &self.model {
            model
                .bucket(bucket)
                .expect("a bucket of the case")
                .put(key, ObjectSpec::synthetic(size ^ 77, size));
            return;
        }
        let size = usize::try_from(size).expect("small on a real backend");
        put(&self.client(OWNER), bucket, key, vec![7; size]).await;
    }
}

/// Returns a bucket name that no other case or run uses.
pub(crate) fn unique_name() -> String {
    let unique = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_nanos());
    format!("case-{unique}-{}", BUCKETS.fetch_add(1, Ordering::Relaxed))
}

/// Puts bytes.
pub(crate) async fn put(client: &Client, bucket: &str, key: &str, bytes: impl Into<Vec<u8>>) {
    let body = ByteStream::from(bytes.into());
    client
        .put_object()
        .bucket(bucket)
        .key(key)
        .body(body)
        .send()
        .await
        .expect("a plain PUT");
}

/// Returns the ETag of an object.
pub(crate) async fn etag_of(client: &Client, bucket: &str, key: &str) -> String {
    let head = head(client, bucket, key).await;
    head.e_tag().expect("an ETag").to_owned()
}

/// Gets bytes.
pub(crate) async fn get(client: &Client, bucket: &str, key: &str) -> Vec<u8> {
    let response = client
        .get_object()
        .bucket(bucket)
        .key(key)
        .send()
        .await
        .expect("a plain GET");
    response
        .body
        .collect()
        .await
        .expect("the whole body")
        .to_vec()
}

/// Sends a HEAD.
pub(crate) async fn head(client: &Client, bucket: &str, key: &str) -> HeadObjectOutput {
    let request = client.head_object().bucket(bucket).key(key);
    request.send().await.expect("a plain HEAD")
}

/// Gets the tags of an object.
pub(crate) async fn tags(client: &Client, bucket: &str, key: &str) -> Vec<Tag> {
    let request = client.get_object_tagging().bucket(bucket).key(key);
    request.send().await.expect("the tags").tag_set
}

/// Makes a request for a copy within a bucket.
pub(crate) fn copy(
    client: &Client,
    bucket: &str,
    source_key: &str,
    target_key: &str,
) -> CopyObjectFluentBuilder {
    client
        .copy_object()
        .bucket(bucket)
        .key(target_key)
        .copy_source(copy_source(bucket, source_key))
}

/// Encodes the source of a copy, as S3 requires.
pub(crate) fn copy_source(bucket: &str, key: &str) -> String {
    const KEPT: percent_encoding::AsciiSet = percent_encoding::NON_ALPHANUMERIC
        .remove(b'/')
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'~');
    format!(
        "{bucket}/{}",
        percent_encoding::utf8_percent_encode(key, &KEPT)
    )
}

/// Returns status and code of an error. A HEAD has no code.
pub(crate) fn refusal<T, E>(result: Result<T, SdkError<E, HttpResponse>>) -> (u16, String)
where
    E: ProvideErrorMetadata,
{
    match result {
        Ok(_) => panic!("the request was not refused"),
        Err(error) => {
            let status = error
                .raw_response()
                .map_or(0, |response| response.status().as_u16());
            (status, error.code().unwrap_or("").to_owned())
        }
    }
}

/// Returns the document of an error.
pub(crate) fn error_document<T, E: std::fmt::Debug>(
    result: Result<T, SdkError<E, HttpResponse>>,
) -> String {
    let Err(error) = result else {
        panic!("the request was not refused");
    };
    let response = error.raw_response().expect("a response");
    let body = response.body().bytes().expect("a body in memory");
    String::from_utf8_lossy(body).into_owned()
}

/// Asserts that a request is refused with this status and code.
#[macro_export]
macro_rules! refused {
    ($request:expr, $status:expr, $code:expr) => {
        assert_eq!(
            $crate::backend::refusal($request.send().await),
            ($status, $code.to_owned())
        )
    };
}
