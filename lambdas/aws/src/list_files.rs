//! The files of lists.

use std::ops::Range;

use aws_sdk_s3::Client;
use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::{FileVersion, ListFiles},
    value::{arn::AccountId, bucket::BucketName, object::ETag},
};

use crate::fault_mapping::{call_fault, malformed_response};

const HEAD_OBJECT: &str = "s3:HeadObject";
const GET_OBJECT: &str = "s3:GetObject";

/// The files of lists, read with the function's own role.
#[derive(Debug, Clone)]
pub struct S3ListFiles {
    client: Client,
    /// Whose the buckets must be. Every request names the owner, so that a list of another account is never read.
    owner: AccountId,
}

impl S3ListFiles {
    /// The files of lists in buckets of the account `owner`.
    #[must_use]
    pub fn new(client: Client, owner: AccountId) -> Self {
        Self { client, owner }
    }
}

impl ListFiles for S3ListFiles {
    async fn find(&self, bucket: &BucketName, key: &str) -> Result<Option<FileVersion>, CallFault> {
        let sent = self
            .client
            .head_object()
            .bucket(bucket.as_str())
            .key(key)
            .expected_bucket_owner(self.owner.as_str())
            .send()
            .await
            .map_err(|error| call_fault(HEAD_OBJECT, &error));
        let response = match sent {
            Err(fault) if fault.kind == FaultKind::NoSuchKey => return Ok(None),
            other => other?,
        };
        let etag = response.e_tag().map(|etag| etag.trim_matches('"'));
        let etag = etag.and_then(|etag| ETag::new(etag).ok());
        let size = response.content_length();
        let size = size.and_then(|size| u64::try_from(size).ok());
        match (etag, size) {
            (Some(etag), Some(size_bytes)) => Ok(Some(FileVersion { etag, size_bytes })),
            _ => Err(malformed_response(
                HEAD_OBJECT,
                format_args!("the response about {key} lacks its ETag or its size"),
            )),
        }
    }

    async fn read(
        &self,
        bucket: &BucketName,
        key: &str,
        version: &FileVersion,
        range: Range<u64>,
    ) -> Result<Vec<u8>, CallFault> {
        let last = range.end.saturating_sub(1);
        let response = self
            .client
            .get_object()
            .bucket(bucket.as_str())
            .key(key)
            .expected_bucket_owner(self.owner.as_str())
            .if_match(format!("\"{}\"", version.etag))
            .range(format!("bytes={}-{last}", range.start))
            .send()
            .await
            .map_err(|error| call_fault(GET_OBJECT, &error))?;
        let expected = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
        let incomplete = |problem: &dyn std::fmt::Display| {
            malformed_response(
                GET_OBJECT,
                format_args!(
                    "bytes {}-{last} of {key} are incomplete: {problem}",
                    range.start
                ),
            )
        };
        let (mut parts, mut body) = (response.body, Vec::new());
        while let Some(part) = parts.next().await {
            body.extend_from_slice(&part.map_err(|problem| incomplete(&problem))?);
            // Whoever answers must not be able to fill the memory.
            if body.len() > expected {
                break;
            }
        }
        if body.len() != expected {
            return Err(incomplete(&format_args!(
                "{} arrived instead of {expected}",
                body.len()
            )));
        }
        Ok(body)
    }
}
