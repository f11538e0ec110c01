//! An S3 model with two accounts, and the adapters connected to it.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::Credentials;
use shardlift_aws::{AwsAccounts, AwsSourceBucket, AwsTargetBucket};
use shardlift_core::{
    port::{Accounts, SessionName, TagSet},
    run::pair::{Source, Target},
    value::{
        arn::{AccountId, ExternalId, RoleArn},
        bucket::BucketName,
        id::RunId,
        key::KeyPrefix,
    },
};
use shardlift_s3_model::{BucketSpec, KmsKeyState, Model, ObjectSpec, PolicyDocument, Server};
use shardlift_testkit::conformance::{ByteWorld, CopyWorld, SourceObject};

use super::local_sts::LocalSts;
pub(crate) use super::local_sts::{OWN_ACCOUNT, TARGET_ACCOUNT};

/// The key that the conformance suite names.
const NAMED_KMS_KEY: &str = "arn:aws:kms:eu-central-1:222222222222:key/0a1b";
const KMS_KEY: &str = "arn:aws:kms:eu-central-1:222222222222:key/default";

/// The source is in the functions' own Region and the target in another one, to which copies are sent.
pub(crate) const HOME_REGION: &str = "us-east-1";
pub(crate) const TARGET_REGION: &str = "eu-central-1";

pub(crate) struct World {
    pub(crate) model: Model,
    pub(crate) sts: LocalSts,
    pub(crate) accounts: AwsAccounts,
    pub(crate) source: AwsSourceBucket,
    pub(crate) target: AwsTargetBucket,
    server: Server,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_source("source-bucket").await
    }

    /// One whose source bucket has this name.
    pub(crate) async fn with_source(bucket: &str) -> Self {
        let model = Model::builder()
            .bucket(
                BucketSpec::new(bucket)
                    .owner(OWN_ACCOUNT)
                    .region(HOME_REGION)
                    .policy(source_policy(bucket)),
            )
            .bucket(
                BucketSpec::new("target-bucket")
                    .owner(TARGET_ACCOUNT)
                    .region(TARGET_REGION),
            )
            .build()
            .unwrap();
        model.set_kms_key(NAMED_KMS_KEY, KmsKeyState::Enabled);
        let server = model.start().await.unwrap();
        let sts = LocalSts::default();
        let accounts = AwsAccounts::new(&config(&sts).await, Some(server.endpoint_url()));
        let pair_source = Source {
            bucket: BucketName::new(bucket).unwrap(),
            ..source()
        };
        let source = accounts.open_source(&pair_source).await.unwrap();
        let target = accounts
            .open_target(&target(), &pair_source, &session(), None)
            .await
            .unwrap();
        Self {
            model,
            sts,
            accounts,
            source,
            target,
            server,
        }
    }
}

impl World {
    /// The address of the model.
    pub(crate) fn endpoint_url(&self) -> String {
        self.server.endpoint_url()
    }
}

/// The account that runs the functions and owns the control bucket.
pub(crate) fn own_account() -> AccountId {
    AccountId::new(OWN_ACCOUNT).unwrap()
}

/// A model with a control bucket alone, how to reach it, and its name.
pub(crate) async fn control_bucket() -> (Model, Server, SdkConfig, BucketName) {
    let bucket = BucketName::new("control-bucket").unwrap();
    let model = Model::builder()
        .bucket(BucketSpec::new(bucket.as_str()).owner(OWN_ACCOUNT))
        .build()
        .unwrap();
    let server = model.start().await.unwrap();
    let config = config(&LocalSts::default())
        .await
        .into_builder()
        .endpoint_url(server.endpoint_url())
        .build();
    (model, server, config, bucket)
}

impl CopyWorld for World {
    type Target = AwsTargetBucket;

    fn target(&self) -> &AwsTargetBucket {
        &self.target
    }

    fn put_source(&self, key: &str, object: &SourceObject) {
        let mut spec = ObjectSpec::synthetic(object.content, object.size_bytes);
        if let Some(content_type) = &object.content_type {
            spec = spec.content_type(content_type);
        }
        for (name, value) in &object.metadata {
            spec = spec.metadata(name, value);
        }
        for (name, value) in &object.tags {
            spec = spec.tag(name, value);
        }
        self.model.bucket("source-bucket").unwrap().put(key, spec);
    }

    fn encrypt_target_under_kms(&self) {
        let bucket = self.model.bucket("target-bucket").unwrap();
        bucket.set_default_encryption(KMS_KEY);
    }

    fn target_tags(&self, target_key: &str) -> TagSet {
        let bucket = self.model.bucket("target-bucket").unwrap();
        bucket.object(target_key).unwrap().tags().clone()
    }

    fn is_same_content(&self, source_key: &str, target_key: &str) -> bool {
        let object = |bucket: &str, key: &str| self.model.bucket(bucket).unwrap().object(key);
        let source = object("source-bucket", source_key).unwrap();
        object("target-bucket", target_key)
            .is_some_and(|target| target.content().same_content(source.content()))
    }
}

impl ByteWorld for World {
    fn put_source_bytes(&self, key: &str, bytes: &[u8]) {
        let bucket = self.model.bucket("source-bucket").unwrap();
        bucket.put(key, ObjectSpec::literal(bytes.to_vec()));
    }

    fn target_bytes(&self, target_key: &str) -> Vec<u8> {
        let bucket = self.model.bucket("target-bucket").unwrap();
        bucket
            .object(target_key)
            .unwrap()
            .content()
            .to_bytes()
            .to_vec()
    }
}

/// The configuration that the SDK would find in the environment of a function.
pub(crate) async fn config(sts: &LocalSts) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(HOME_REGION))
        .credentials_provider(Credentials::new(OWN_ACCOUNT, "secret", None, None, "test"))
        .http_client(sts.http_client())
        .load()
        .await
}

pub(crate) fn source() -> Source {
    Source {
        bucket: BucketName::new("source-bucket").unwrap(),
        prefix: KeyPrefix::default(),
        request_payer: false,
    }
}

pub(crate) fn target() -> Target {
    Target {
        bucket: BucketName::new("target-bucket").unwrap(),
        prefix: KeyPrefix::default(),
        role_arn: RoleArn::new(format!("arn:aws:iam::{TARGET_ACCOUNT}:role/Target")).unwrap(),
        external_id: Some(ExternalId::new("external-1").unwrap()),
    }
}

pub(crate) fn session() -> SessionName {
    SessionName::of_step("plan", &RunId::new("nightly-1").unwrap())
}

/// A policy of the source bucket that lets the target account read.
pub(crate) fn source_policy(bucket: &str) -> PolicyDocument {
    serde_json::from_value(serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": {"AWS": format!("arn:aws:iam::{TARGET_ACCOUNT}:root")},
            "Action": [
                "s3:GetObject", "s3:GetObjectTagging", "s3:GetObjectAnnotation", "s3:ListObjectAnnotations", "s3:ListBucket",
            ],
            "Resource": [format!("arn:aws:s3:::{bucket}"), format!("arn:aws:s3:::{bucket}/*")],
        }],
    }))
    .unwrap()
}
