//! ListParts lists the parts of a multipart upload.

use aws_sdk_s3::{Client, operation::list_parts::builders::ListPartsFluentBuilder, types::Part};
use shardlift_core::{
    failure::fault::CallFault,
    port::PartReceipt,
    value::{id::UploadId, key::ObjectKey},
};

use super::{
    owned_bucket::OwnedBucket,
    wire::{
        checksums::checksums_of, escaped_key::escape, etag::unquoted, part_number::part_number,
    },
};
use crate::fault_mapping::{call_fault, malformed_response};

/// The operation as IAM names it.
pub(super) const OPERATION: &str = "s3:ListParts";

/// Lists all parts of an upload, in order.
pub(super) async fn list_parts(
    client: &Client,
    bucket: &OwnedBucket,
    target_key: &ObjectKey,
    upload_id: &UploadId,
) -> Result<Vec<PartReceipt>, CallFault> {
    let mut parts: Vec<PartReceipt> = Vec::new();
    loop {
        let marker = parts.last().map(|part| part.number.get().to_string());
        let response = request(client, bucket, target_key, upload_id)
            .set_part_number_marker(marker)
            .send()
            .await
            .map_err(|error| call_fault(OPERATION, &error))?;
        let count_before = parts.len();
        for part in response.parts() {
            let receipt = receipt(part)?;
            if parts
                .last()
                .is_some_and(|last| receipt.number <= last.number)
            {
                return Err(malformed_response(OPERATION, "the parts are out of order"));
            }
            parts.push(receipt);
        }
        if response.is_truncated() != Some(true) {
            return Ok(parts);
        }
        if parts.len() == count_before {
            let problem = "the page is empty although it is marked as truncated";
            return Err(malformed_response(OPERATION, problem));
        }
    }
}

/// Whether an upload has any part.
pub(super) async fn has_parts(
    client: &Client,
    bucket: &OwnedBucket,
    target_key: &ObjectKey,
    upload_id: &UploadId,
) -> Result<bool, CallFault> {
    let response = request(client, bucket, target_key, upload_id)
        .max_parts(1)
        .send()
        .await
        .map_err(|error| call_fault(OPERATION, &error))?;
    Ok(!response.parts().is_empty())
}

fn request(
    client: &Client,
    bucket: &OwnedBucket,
    target_key: &ObjectKey,
    upload_id: &UploadId,
) -> ListPartsFluentBuilder {
    client
        .list_parts()
        .bucket(bucket.name())
        .key(escape(target_key))
        .upload_id(upload_id.as_str())
        .expected_bucket_owner(bucket.owner())
}

fn receipt(part: &Part) -> Result<PartReceipt, CallFault> {
    let number = part_number(part.part_number())
        .ok_or_else(|| malformed_response(OPERATION, "a part has no number from 1 to 10,000"))?;
    Ok(PartReceipt {
        number,
        etag: unquoted(OPERATION, part.e_tag())?,
        size_bytes: part.size().and_then(|size| u64::try_from(size).ok()),
        checksums: checksums_of!(part),
    })
}
