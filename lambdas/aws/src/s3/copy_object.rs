//! CopyObject copies an object of at most 5 GiB in one request.

use aws_sdk_s3::{
    Client,
    types::{AnnotationDirective, StorageClass, TaggingDirective},
};
use shardlift_core::{
    failure::fault::CallFault,
    port::{CopyOptions, CopyReceipt, CopySource},
    value::key::ObjectKey,
};

use super::{
    owned_bucket::BucketPair,
    wire::{
        checksums::{checksum_type, checksums_of},
        copy_source::copy_source,
        escaped_key::escape,
        etag::{quoted, unquoted},
        tagging_header::tagging_header,
        write_settings::{requested_acl, requested_encryption},
    },
};
use crate::fault_mapping::{call_fault, malformed_response};

const OPERATION: &str = "s3:CopyObject";

/// Copies the planned version of a source object to `target_key`.
pub(super) async fn copy_object(
    client: &Client,
    buckets: &BucketPair,
    source: &CopySource,
    target_key: &ObjectKey,
    options: &CopyOptions,
) -> Result<CopyReceipt, CallFault> {
    let mut request = client
        .copy_object()
        .set_request_payer(buckets.source.request_payer())
        .set_acl(requested_acl(options.acl))
        .set_server_side_encryption(requested_encryption(
            options.kms_key_arn.as_ref(),
            options.sse,
        ))
        .set_website_redirect_location(options.redirect.clone())
        .set_ssekms_key_id(options.kms_key_arn.as_ref().map(ToString::to_string))
        .bucket(buckets.target.name())
        .key(escape(target_key))
        .copy_source(copy_source(&buckets.source.name, source))
        .copy_source_if_match(quoted(&source.etag))
        .expected_bucket_owner(buckets.target.owner())
        .expected_source_bucket_owner(buckets.source.owner())
        .set_storage_class(
            options
                .storage_class
                .map(|class| StorageClass::from(class.name())),
        );
    if let Some(tags) = &options.tags {
        request = request
            .tagging_directive(TaggingDirective::Replace)
            .annotation_directive(AnnotationDirective::Exclude)
            .set_tagging(tagging_header(tags));
    }
    let response = request
        .send()
        .await
        .map_err(|error| call_fault(OPERATION, &error))?;
    let result = response
        .copy_object_result()
        .ok_or_else(|| malformed_response(OPERATION, "the response has no result"))?;
    Ok(CopyReceipt {
        etag: unquoted(OPERATION, result.e_tag())?,
        version_id: response.version_id().map(str::to_owned),
        checksums: checksums_of!(result),
        checksum_type: checksum_type(result.checksum_type()),
    })
}
