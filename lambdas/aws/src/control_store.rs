//! The control bucket, through S3.

mod writer;

use aws_sdk_s3::{Client, primitives::ByteStream};
use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::ControlStore,
    value::bucket::BucketName,
};

pub use self::writer::S3ControlWriter;
use crate::fault_mapping::{bad_answer, call_fault};

const PUT_OBJECT: &str = "s3:PutObject";
const GET_OBJECT: &str = "s3:GetObject";

/// The control bucket.
#[derive(Debug, Clone)]
pub struct S3ControlStore {
    client: Client,
    bucket: BucketName,
}

impl S3ControlStore {
    /// The control bucket `bucket`.
    #[must_use]
    pub fn new(client: Client, bucket: BucketName) -> Self {
        Self { client, bucket }
    }
}

impl ControlStore for S3ControlStore {
    type Writer = S3ControlWriter;

    fn open(&self, key: &str, content_type: &str) -> S3ControlWriter {
        S3ControlWriter::new(self.clone(), key, content_type)
    }

    fn bucket(&self) -> &BucketName {
        &self.bucket
    }

    async fn put(&self, key: &str, content_type: &str, body: Vec<u8>) -> Result<(), CallFault> {
        self.client
            .put_object()
            .bucket(self.bucket.as_str())
            .key(key)
            .content_type(content_type)
            .body(ByteStream::from(body))
            .send()
            .await
            .map(drop)
            .map_err(|error| call_fault(PUT_OBJECT, &error))
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, CallFault> {
        let sent = self
            .client
            .get_object()
            .bucket(self.bucket.as_str())
            .key(key)
            .send()
            .await
            .map_err(|error| call_fault(GET_OBJECT, &error));
        let answer = match sent {
            Err(fault) if fault.kind == FaultKind::NoSuchKey => return Ok(None),
            other => other?,
        };
        let told = answer.content_length();
        let body = answer.body.collect().await.map_err(|problem| {
            bad_answer(
                GET_OBJECT,
                format_args!("the body of {key} was cut off: {problem}"),
            )
        })?;
        let body = body.to_vec();
        if told.is_some_and(|told| i64::try_from(body.len()) != Ok(told)) {
            return Err(bad_answer(
                GET_OBJECT,
                format_args!("{key} has {told:?} bytes, {} came", body.len()),
            ));
        }
        Ok(Some(body))
    }
}
