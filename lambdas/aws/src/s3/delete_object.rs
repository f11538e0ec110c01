//! DeleteObject deletes one object, on the condition that it has not changed.

use aws_sdk_s3::Client;
use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::ObjectToDelete,
    value::key::ObjectKey,
};

use super::{
    owned_bucket::OwnedBucket,
    permission_probe::{IMPOSSIBLE_ETAG, permission_of},
    wire::{escaped_key::escape, etag::quoted},
};
use crate::fault_mapping::call_fault;

const OPERATION: &str = "s3:DeleteObject";

/// Deletes an object; one that does not exist counts as deleted.
pub(super) async fn delete_object(
    client: &Client,
    bucket: &OwnedBucket,
    object: &ObjectToDelete,
) -> Result<(), CallFault> {
    match delete_if_match(client, bucket, &object.key, quoted(&object.etag)).await {
        Err(fault) if fault.kind == FaultKind::NoSuchKey => Ok(()),
        other => other,
    }
}

/// Checks whether an object of this key may be deleted, without deleting one.
pub(super) async fn probe_delete_object(
    client: &Client,
    bucket: &OwnedBucket,
    key: &ObjectKey,
) -> Result<(), CallFault> {
    let etag = IMPOSSIBLE_ETAG.to_owned();
    permission_of(delete_if_match(client, bucket, key, etag).await)
}

async fn delete_if_match(
    client: &Client,
    bucket: &OwnedBucket,
    key: &ObjectKey,
    quoted_etag: String,
) -> Result<(), CallFault> {
    client
        .delete_object()
        .bucket(bucket.name())
        .key(escape(key))
        .if_match(quoted_etag)
        .expected_bucket_owner(bucket.owner())
        .send()
        .await
        .map(drop)
        .map_err(|error| call_fault(OPERATION, &error))
}
