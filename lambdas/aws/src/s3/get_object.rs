//! GetObject: as a check of the permission, which reads nothing, and as the read of an image that is to be rendered.
//! Copies never pass through a function.

use std::time::Duration;

use aws_sdk_s3::{Client, operation::get_object::builders::GetObjectFluentBuilder};
use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::{CopySource, ObjectRef},
};

use super::{
    owned_bucket::OwnedBucket,
    permission_probe::{IMPOSSIBLE_ETAG, permission_of},
    wire::{escaped_key::escape, etag::quoted},
};
use crate::fault_mapping::{call_fault, malformed_response};

const OPERATION: &str = "s3:GetObject";

/// How long S3 may pause while it sends an object, and how long all of it may take: some 10 MB/s for the largest image.
const PAUSE_MAX: Duration = Duration::from_secs(10);
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

fn request(client: &Client, bucket: &OwnedBucket, object: ObjectRef<'_>) -> GetObjectFluentBuilder {
    client
        .get_object()
        .set_request_payer(bucket.request_payer())
        .bucket(bucket.name())
        .key(escape(object.key))
        .set_version_id(object.version_id.map(ToString::to_string))
        .expected_bucket_owner(bucket.owner())
}

/// Checks whether the object may be read, without reading it.
pub(super) async fn probe_get_object(
    client: &Client,
    bucket: &OwnedBucket,
    object: ObjectRef<'_>,
) -> Result<(), CallFault> {
    let result = request(client, bucket, object)
        .if_match(IMPOSSIBLE_ETAG)
        .send()
        .await
        .map(drop)
        .map_err(|error| call_fault(OPERATION, &error));
    permission_of(result)
}

/// Reads the planned version of an object, from its beginning, and at most `bytes_max` of it.
pub(super) async fn read_object(
    client: &Client,
    bucket: &OwnedBucket,
    source: &CopySource,
    bytes_max: u64,
) -> Result<Vec<u8>, CallFault> {
    let expected = source.size_bytes.min(bytes_max);
    let mut get = request(client, bucket, source.into()).if_match(quoted(&source.etag));
    // A range of an empty object is refused, and one of a whole object is none.
    if expected < source.size_bytes {
        get = get.range(format!("bytes=0-{}", expected.saturating_sub(1)));
    }
    let response = get
        .send()
        .await
        .map_err(|error| call_fault(OPERATION, &error))?;
    let expected = usize::try_from(expected)
        .map_err(|_| malformed_response(OPERATION, "the object does not fit the memory"))?;
    let mut stream = response.body;
    let read = async {
        let mut bytes = Vec::with_capacity(expected);
        loop {
            match tokio::time::timeout(PAUSE_MAX, stream.next()).await {
                Ok(Some(Ok(chunk))) if bytes.len() + chunk.len() > expected => {
                    return Err(malformed_response(
                        OPERATION,
                        "S3 sent more bytes than it listed",
                    ));
                }
                Ok(Some(Ok(chunk))) => bytes.extend_from_slice(&chunk),
                Ok(Some(Err(broken))) => return Err(cut_off(&broken.to_string())),
                Ok(None) if bytes.len() == expected => return Ok(bytes),
                Ok(None) => return Err(cut_off("the object ended early")),
                Err(_) => return Err(cut_off("S3 paused for too long")),
            }
        }
    };
    match tokio::time::timeout(BODY_TIMEOUT, read).await {
        Ok(read) => read,
        Err(_) => Err(cut_off("the object took too long to arrive")),
    }
}

fn cut_off(problem: &str) -> CallFault {
    CallFault::new(OPERATION, FaultKind::NoResponse, problem)
}
