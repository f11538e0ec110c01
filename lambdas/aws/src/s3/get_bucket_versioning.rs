//! GetBucketVersioning tells whether a bucket keeps versions.

use aws_sdk_s3::{Client, types::BucketVersioningStatus};
use shardlift_core::{failure::fault::CallFault, port::Versioning};

use super::owned_bucket::OwnedBucket;
use crate::fault_mapping::{call_fault, malformed_response};

const OPERATION: &str = "s3:GetBucketVersioning";

/// Whether the bucket keeps versions. One that never did has no status
/// (docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html).
pub(super) async fn versioning(
    client: &Client,
    bucket: &OwnedBucket,
) -> Result<Versioning, CallFault> {
    let response = client
        .get_bucket_versioning()
        .bucket(bucket.name())
        .expected_bucket_owner(bucket.owner())
        .send()
        .await
        .map_err(|error| call_fault(OPERATION, &error))?;
    match response.status() {
        None => Ok(Versioning::Never),
        Some(BucketVersioningStatus::Enabled) => Ok(Versioning::Enabled),
        Some(BucketVersioningStatus::Suspended) => Ok(Versioning::Suspended),
        Some(other) => Err(malformed_response(
            OPERATION,
            format_args!("the status is {other:?}"),
        )),
    }
}
