//! UploadPartCopy copies one part of an object into a multipart upload.

use aws_sdk_s3::Client;
use shardlift_core::{
    copy::part_layout::Part,
    failure::fault::CallFault,
    port::{CopySource, PartReceipt},
    value::{id::UploadId, key::ObjectKey},
};

use super::{
    owned_bucket::BucketPair,
    wire::{
        checksums::checksums_of,
        copy_source::copy_source,
        escaped_key::escape,
        etag::{quoted, unquoted},
        part_number::sdk_part_number,
    },
};
use crate::fault_mapping::{call_fault, malformed_response};

const OPERATION: &str = "s3:UploadPartCopy";

/// Copies one part of the planned version of a source object.
pub(super) async fn upload_part_copy(
    client: &Client,
    buckets: &BucketPair,
    source: &CopySource,
    target_key: &ObjectKey,
    upload_id: &UploadId,
    part: &Part,
) -> Result<PartReceipt, CallFault> {
    let response = client
        .upload_part_copy()
        .set_request_payer(buckets.source.request_payer())
        .bucket(buckets.target.name())
        .key(escape(target_key))
        .upload_id(upload_id.as_str())
        .part_number(sdk_part_number(part.number))
        .copy_source(copy_source(&buckets.source.name, source))
        .copy_source_if_match(quoted(&source.etag))
        .set_copy_source_range(copy_source_range(source, part))
        .expected_bucket_owner(buckets.target.owner())
        .expected_source_bucket_owner(buckets.source.owner())
        .send()
        .await
        .map_err(|error| call_fault(OPERATION, &error))?;
    let result = response
        .copy_part_result()
        .ok_or_else(|| malformed_response(OPERATION, "the response has no result"))?;
    Ok(PartReceipt {
        number: part.number,
        etag: unquoted(OPERATION, result.e_tag())?,
        size_bytes: None,
        checksums: checksums_of!(result),
    })
}

/// The bytes of the part; `None` for a part that is the whole object. S3's documents allow a range only for objects above
/// 5 MB (docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html, x-amz-copy-source-range). AWS takes one of ten
/// bytes (docs/MODEL.md, fact 39), which this does not rely on.
fn copy_source_range(source: &CopySource, part: &Part) -> Option<String> {
    let (first, last) = (part.bytes.start(), part.bytes.end());
    let is_whole_object = *first == 0 && last + 1 == source.size_bytes;
    (!is_whole_object).then(|| format!("bytes={first}-{last}"))
}
