//! GetObject, sent only to check the permission: copies never pass through a function.

use aws_sdk_s3::Client;
use shardlift_core::{failure::fault::CallFault, port::ObjectRef};

use super::{
    owned_bucket::OwnedBucket,
    permission_probe::{IMPOSSIBLE_ETAG, permission_of},
    wire::escaped_key::escape,
};
use crate::fault_mapping::call_fault;

const OPERATION: &str = "s3:GetObject";

/// Checks whether the object may be read, without reading it.
pub(super) async fn probe_get_object(
    client: &Client,
    bucket: &OwnedBucket,
    object: ObjectRef<'_>,
) -> Result<(), CallFault> {
    let result = client
        .get_object()
        .set_request_payer(bucket.request_payer())
        .bucket(bucket.name())
        .key(escape(object.key))
        .set_version_id(object.version_id.map(ToString::to_string))
        .if_match(IMPOSSIBLE_ETAG)
        .expected_bucket_owner(bucket.owner())
        .send()
        .await
        .map(drop)
        .map_err(|error| call_fault(OPERATION, &error));
    permission_of(result)
}
