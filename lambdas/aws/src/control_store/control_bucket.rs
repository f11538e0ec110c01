use std::error::Error;

use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    primitives::ByteStream,
    types::Object,
};
use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    value::{arn::AccountId, bucket::BucketName},
};

use crate::fault_mapping::{call_fault, malformed_response};

/// The operation as IAM names it: uploads in parts need the same permission.
pub(super) const PUT_OBJECT: &str = "s3:PutObject";
const GET_OBJECT: &str = "s3:GetObject";
const LIST_BUCKET: &str = "s3:ListBucket";
const DELETE_OBJECT: &str = "s3:DeleteObject";

/// The most that is read of an object. A function writes nothing larger that it reads again: a manifest has some 250 KB, an
/// index 13 bytes for each shard. Whoever may write into the bucket must not be able to fill a function's memory.
const READ_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The control bucket and the client that reads and writes it.
#[derive(Debug, Clone)]
pub(super) struct ControlBucket {
    pub(super) client: Client,
    pub(super) name: BucketName,
    /// Whose it must be. Every request names the owner, so that S3 refuses it if the bucket has been deleted and created
    /// again by another account.
    pub(super) owner: AccountId,
}

impl ControlBucket {
    /// A refusal without a reason may be about the owner: S3 answers 403 to either
    /// (docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html).
    pub(super) fn fault<E: ProvideErrorMetadata + Error + 'static>(
        &self,
        operation: &'static str,
        error: &SdkError<E>,
    ) -> CallFault {
        let mut fault = call_fault(operation, error);
        if fault.kind == FaultKind::AccessDenied && fault.reason.is_none() {
            let (bucket, owner) = (&self.name, &self.owner);
            let doubt = format!("; or {bucket} does not belong to the account {owner}");
            fault.message.push_str(&doubt);
        }
        fault
    }

    /// Writes an object in one request.
    pub(super) async fn put(
        &self,
        key: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<(), CallFault> {
        self.client
            .put_object()
            .bucket(self.name.as_str())
            .expected_bucket_owner(self.owner.as_str())
            .key(key)
            .content_type(content_type)
            .body(ByteStream::from(body))
            .send()
            .await
            .map(drop)
            .map_err(|error| self.fault(PUT_OBJECT, &error))
    }

    /// The first thousand objects below `prefix`, in the order of their keys, which are ours and need no encoding.
    pub(super) async fn list(&self, prefix: &str) -> Result<Vec<Object>, CallFault> {
        let response = self
            .client
            .list_objects_v2()
            .bucket(self.name.as_str())
            .expected_bucket_owner(self.owner.as_str())
            .prefix(prefix)
            .send()
            .await
            .map_err(|error| self.fault(LIST_BUCKET, &error))?;
        Ok(response.contents.unwrap_or_default())
    }

    /// Deletes an object; it need not exist.
    pub(super) async fn remove(&self, key: &str) -> Result<(), CallFault> {
        self.client
            .delete_object()
            .bucket(self.name.as_str())
            .expected_bucket_owner(self.owner.as_str())
            .key(key)
            .send()
            .await
            .map(drop)
            .map_err(|error| self.fault(DELETE_OBJECT, &error))
    }

    /// Reads an object; `None` if it does not exist.
    pub(super) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, CallFault> {
        let sent = self
            .client
            .get_object()
            .bucket(self.name.as_str())
            .expected_bucket_owner(self.owner.as_str())
            .key(key)
            .send()
            .await
            .map_err(|error| self.fault(GET_OBJECT, &error));
        let response = match sent {
            Err(fault) if fault.kind == FaultKind::NoSuchKey => return Ok(None),
            other => other?,
        };
        let expected = response.content_length();
        let too_large = || {
            let place = format!("s3://{}/{key}", self.name);
            let problem = format!(
                "{place} is larger than {READ_BYTES_MAX} bytes, the most that is read at once; download it: aws s3 cp {place} ."
            );
            CallFault::new(GET_OBJECT, FaultKind::Rejected, problem)
        };
        let is_too_large = |bytes: usize| bytes > READ_BYTES_MAX;
        if expected.is_some_and(|bytes| usize::try_from(bytes).is_ok_and(is_too_large)) {
            return Err(too_large());
        }
        let (mut parts, mut body) = (response.body, Vec::new());
        while let Some(part) = parts.next().await {
            let part = part.map_err(|problem| {
                malformed_response(
                    GET_OBJECT,
                    format_args!("the body of {key} is incomplete: {problem}"),
                )
            })?;
            if is_too_large(body.len() + part.len()) {
                return Err(too_large());
            }
            body.extend_from_slice(&part);
        }
        if expected.is_some_and(|expected| i64::try_from(body.len()) != Ok(expected)) {
            return Err(malformed_response(
                GET_OBJECT,
                format_args!("{key} has {expected:?} bytes, but {} arrived", body.len()),
            ));
        }
        Ok(Some(body))
    }
}
