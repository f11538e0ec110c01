//! CompleteMultipartUpload makes an object of the parts of an upload.

use aws_sdk_s3::{
    Client,
    types::{CompletedMultipartUpload, CompletedPart},
};
use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::{CopyReceipt, PartReceipt},
    value::{id::UploadId, key::ObjectKey},
};

use super::{
    owned_bucket::OwnedBucket,
    wire::{
        checksums::{checksum_type, checksums_of, requested_checksum_type, with_checksums},
        escaped_key::escape,
        etag::{quoted, unquoted},
        part_number::sdk_part_number,
    },
};
use crate::fault_mapping::call_fault;

const OPERATION: &str = "s3:CompleteMultipartUpload";

/// Completes an upload; S3 checks that the parts add up to `size_bytes`.
pub(super) async fn complete_multipart_upload(
    client: &Client,
    bucket: &OwnedBucket,
    target_key: &ObjectKey,
    upload_id: &UploadId,
    parts: &[PartReceipt],
    size_bytes: u64,
) -> Result<CopyReceipt, CallFault> {
    let size_bytes = i64::try_from(size_bytes)
        .map_err(|_| CallFault::new(OPERATION, FaultKind::Rejected, "the size exceeds 63 bits"))?;
    let response = client
        .complete_multipart_upload()
        .bucket(bucket.name())
        .key(escape(target_key))
        .upload_id(upload_id.as_str())
        .multipart_upload(completed_upload(parts))
        .mpu_object_size(size_bytes)
        // S3 does not ask for the type (docs/MODEL.md, fact 53). Stated, it must be the upload's, which guards against an
        // upload that somebody else created.
        .set_checksum_type(parts.first().and_then(|part| {
            part.checksums
                .keys()
                .find_map(|name| requested_checksum_type(name))
        }))
        .expected_bucket_owner(bucket.owner())
        .send()
        .await
        .map_err(|error| call_fault(OPERATION, &error))?;
    Ok(CopyReceipt {
        etag: unquoted(OPERATION, response.e_tag())?,
        version_id: response.version_id().map(str::to_owned),
        checksums: checksums_of!(&response),
        checksum_type: checksum_type(response.checksum_type()),
    })
}

fn completed_upload(parts: &[PartReceipt]) -> CompletedMultipartUpload {
    let completed = parts.iter().map(|part| {
        let builder = CompletedPart::builder()
            .part_number(sdk_part_number(part.number))
            .e_tag(quoted(&part.etag));
        with_checksums(builder, &part.checksums).build()
    });
    CompletedMultipartUpload::builder()
        .set_parts(Some(completed.collect()))
        .build()
}
