//! PutObject writes an object whose bytes the function holds: a rendition.

use aws_sdk_s3::{Client, primitives::ByteStream, types::StorageClass};
use shardlift_core::{
    failure::fault::CallFault,
    port::{CopyReceipt, NewObject},
};

use super::{
    owned_bucket::OwnedBucket,
    wire::{
        checksums::{checksum_type, checksums_of},
        escaped_key::escape,
        etag::unquoted,
        tagging_header::tagging_header,
        write_settings::{requested_acl, requested_encryption},
    },
};
use crate::fault_mapping::call_fault;

const OPERATION: &str = "s3:PutObject";

/// Writes an object.
pub(super) async fn put_object(
    client: &Client,
    bucket: &OwnedBucket,
    object: &NewObject,
    bytes: &[u8],
) -> Result<CopyReceipt, CallFault> {
    let key = object.kms_key_arn.as_ref();
    let mut request = client
        .put_object()
        .bucket(bucket.name())
        .key(escape(&object.target_key))
        .expected_bucket_owner(bucket.owner())
        .content_type(&object.content_type)
        .set_tagging(tagging_header(&object.tags))
        .set_storage_class(
            object
                .storage_class
                .map(|class| StorageClass::from(class.name())),
        )
        .set_acl(requested_acl(object.acl))
        .set_server_side_encryption(requested_encryption(key, object.sse))
        .set_ssekms_key_id(key.map(ToString::to_string))
        .body(ByteStream::from(bytes.to_vec()));
    for (name, value) in &object.metadata {
        request = request.metadata(name, value);
    }
    let response = request
        .send()
        .await
        .map_err(|error| call_fault(OPERATION, &error))?;
    let checksum_type = checksum_type(response.checksum_type());
    Ok(CopyReceipt {
        etag: unquoted(OPERATION, response.e_tag())?,
        version_id: response.version_id().map(str::to_owned),
        checksums: checksums_of!(response),
        checksum_type,
    })
}
