//! ListObjectAnnotations lists the annotations of an object, of which a copy only needs to know whether there are any.

use aws_sdk_s3::Client;
use shardlift_core::{failure::fault::CallFault, port::ObjectRef};

use super::{owned_bucket::OwnedBucket, wire::escaped_key::escape};
use crate::fault_mapping::call_fault;

const OPERATION: &str = "s3:ListObjectAnnotations";

/// Whether an object has annotations.
pub(super) async fn has_annotations(
    client: &Client,
    bucket: &OwnedBucket,
    object: ObjectRef<'_>,
) -> Result<bool, CallFault> {
    let response = client
        .list_object_annotations()
        .set_request_payer(bucket.request_payer())
        .bucket(bucket.name())
        .key(escape(object.key))
        .set_version_id(object.version_id.map(ToString::to_string))
        .max_annotation_results(1)
        .expected_bucket_owner(bucket.owner())
        .send()
        .await
        .map_err(|error| call_fault(OPERATION, &error))?;
    Ok(!response.annotations().is_empty())
}
