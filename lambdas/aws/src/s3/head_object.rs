//! HeadObject reads the attributes of an object that a copy needs.

use aws_sdk_s3::{
    Client,
    operation::head_object::HeadObjectOutput,
    types::{ChecksumMode, StorageClass},
};
use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::{ObjectAttributes, ObjectRef},
    value::time::Timestamp,
};

use super::{
    owned_bucket::OwnedBucket,
    wire::{
        checksums::{checksum_type, checksums_of},
        encryption::encryption,
        escaped_key::escape,
        etag::unquoted,
        response_date::{ResponseDate, timestamp},
        stored_headers::StoredHeaders,
    },
};
use crate::fault_mapping::{call_fault, malformed_response};

const OPERATION: &str = "s3:HeadObject";

/// Reads the attributes of an object, including its checksums. A delete marker that is named by its id has none: S3 answers
/// with 405 (docs/MODEL.md, fact 87).
pub(super) async fn head_object(
    client: &Client,
    bucket: &OwnedBucket,
    object: ObjectRef<'_>,
) -> Result<ObjectAttributes, CallFault> {
    let (date, stored) = (ResponseDate::default(), StoredHeaders::default());
    let response = client
        .head_object()
        .set_request_payer(bucket.request_payer())
        .bucket(bucket.name())
        .key(escape(object.key))
        .set_version_id(object.version_id.map(ToString::to_string))
        .expected_bucket_owner(bucket.owner())
        .checksum_mode(ChecksumMode::Enabled)
        .customize()
        .interceptor(date.clone())
        .interceptor(stored.clone())
        .send()
        .await
        .map_err(|error| call_fault(OPERATION, &error))?;
    attributes(&response, &stored, date.get())
}

fn attributes(
    response: &HeadObjectOutput,
    stored: &StoredHeaders,
    response_date: Option<Timestamp>,
) -> Result<ObjectAttributes, CallFault> {
    if let Some(missing) = response.missing_meta().filter(|&missing| missing > 0) {
        return Err(CallFault::new(
            OPERATION,
            FaultKind::Rejected,
            format!("S3 withholds {missing} metadata entries that no HTTP header can carry"),
        ));
    }
    let size_bytes = response
        .content_length()
        .and_then(|length| u64::try_from(length).ok())
        .ok_or_else(|| malformed_response(OPERATION, "the response has no Content-Length"))?;
    let tag_count = response.tag_count().unwrap_or(0);
    let modified_at = response
        .last_modified()
        .and_then(timestamp)
        .ok_or_else(|| malformed_response(OPERATION, "the response has no Last-Modified"))?;
    Ok(ObjectAttributes {
        size_bytes,
        etag: unquoted(OPERATION, response.e_tag())?,
        headers: stored.system(),
        metadata: stored.metadata(),
        // S3 names every class but the standard one.
        storage_class: response
            .storage_class()
            .unwrap_or(&StorageClass::Standard)
            .as_str()
            .to_owned(),
        tag_count: u32::try_from(tag_count)
            .map_err(|_| malformed_response(OPERATION, "the number of tags is negative"))?,
        checksums: checksums_of!(response),
        checksum_type: checksum_type(response.checksum_type()),
        encryption: encryption(response.server_side_encryption()),
        kms_key_arn: response.ssekms_key_id().map(str::to_owned),
        modified_at,
        response_date,
    })
}
