//! HeadBucket finds the Region of a bucket and checks its owner.

use aws_sdk_s3::{Client, config::Region as SdkRegion};
use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    run::record::BucketFacts,
    value::{
        arn::{AccountId, Region},
        bucket::BucketName,
    },
};

use crate::fault_mapping::{call_fault, malformed_response, region_in_response};

const OPERATION: &str = "s3:HeadBucket";

/// What one request found out. The Region is also in error responses and redirects.
struct BucketLookup {
    region: Option<String>,
    fault: Option<CallFault>,
}

/// Finds the Region of a bucket and checks that `owner` owns it: sends the request in the Region `home` first, and
/// then in the Region that the response names.
///
/// # Errors
/// `WrongOwner`, `NoSuchBucket`, `AccessDenied`, or whatever else the request fails with.
pub(crate) async fn find_bucket_facts(
    client_in: impl Fn(SdkRegion) -> Client,
    home: &SdkRegion,
    bucket: &BucketName,
    owner: AccountId,
) -> Result<BucketFacts, CallFault> {
    let mut region = home.as_ref().to_owned();
    let mut finding = head_bucket(&client_in(home.clone()), bucket, Some(&owner)).await;
    if let Some(elsewhere) = finding.region.take().filter(|named| *named != region) {
        region = elsewhere;
        let client = client_in(SdkRegion::new(region.clone()));
        finding = head_bucket(&client, bucket, Some(&owner)).await;
    }
    match finding.fault {
        None => {
            let region =
                Region::new(region).map_err(|problem| malformed_response(OPERATION, problem))?;
            Ok(BucketFacts { region, owner })
        }
        Some(fault) if fault.kind == FaultKind::AccessDenied => {
            let client = client_in(SdkRegion::new(region));
            Err(wrong_owner_or_refused(&client, bucket, &owner, fault).await)
        }
        Some(fault) => Err(fault),
    }
}

/// Distinguishes a wrong owner from a missing permission. Both result in 403, but only the former allows a request that
/// names no owner.
async fn wrong_owner_or_refused(
    client: &Client,
    bucket: &BucketName,
    owner: &AccountId,
    refusal: CallFault,
) -> CallFault {
    if head_bucket(client, bucket, None).await.fault.is_none() {
        CallFault::new(
            OPERATION,
            FaultKind::WrongOwner,
            format!(
                "bucket {bucket} does not belong to account {owner}; {}",
                refusal.message
            ),
        )
    } else {
        refusal
    }
}

async fn head_bucket(
    client: &Client,
    bucket: &BucketName,
    owner: Option<&AccountId>,
) -> BucketLookup {
    let sent = client
        .head_bucket()
        .bucket(bucket.as_str())
        .set_expected_bucket_owner(owner.map(ToString::to_string))
        .send()
        .await;
    match sent {
        Ok(response) => BucketLookup {
            region: response.bucket_region().map(str::to_owned),
            fault: None,
        },
        Err(error) => BucketLookup {
            region: region_in_response(&error),
            fault: Some(call_fault(OPERATION, &error)),
        },
    }
}
