//! GetObjectTagging reads the tags of an object.

use aws_sdk_s3::Client;
use shardlift_core::{
    failure::fault::CallFault,
    port::{ObjectRef, TagSet},
};

use super::{owned_bucket::OwnedBucket, wire::escaped_key::escape};
use crate::fault_mapping::call_fault;

const OPERATION: &str = "s3:GetObjectTagging";

/// Reads the tags of an object. S3 refuses those of a delete marker with 405, which means that the object is gone.
pub(super) async fn get_object_tagging(
    client: &Client,
    bucket: &OwnedBucket,
    object: ObjectRef<'_>,
) -> Result<TagSet, CallFault> {
    let response = client
        .get_object_tagging()
        .set_request_payer(bucket.request_payer())
        .bucket(bucket.name())
        .key(escape(object.key))
        .set_version_id(object.version_id.map(ToString::to_string))
        .expected_bucket_owner(bucket.owner())
        .send()
        .await
        .map_err(|error| call_fault(OPERATION, &error))?;
    Ok(response
        .tag_set()
        .iter()
        .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
        .collect())
}
