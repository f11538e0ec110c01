//! Where a bucket is, and that it belongs to whom it should.

use aws_sdk_s3::{Client, config::Region as SdkRegion};
use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    run::record::BucketFacts,
    value::{
        arn::{AccountId, Region},
        bucket::BucketName,
    },
};

use crate::fault_mapping::{bad_answer, call_fault, region_in_answer};

const HEAD_BUCKET: &str = "s3:HeadBucket";

/// What one HeadBucket told: the Region is in refusals and redirects too.
struct Answer {
    region: Option<String>,
    fault: Option<CallFault>,
}

/// Asks for the bucket at `home` first and then in the Region that the answer names; confirms that `owner` owns it.
pub(crate) async fn find_bucket_facts(
    client_in: impl Fn(SdkRegion) -> Client,
    home: &SdkRegion,
    bucket: &BucketName,
    owner: AccountId,
) -> Result<BucketFacts, CallFault> {
    let mut region = home.as_ref().to_owned();
    let mut answer = head(&client_in(home.clone()), bucket, Some(&owner)).await;
    if let Some(elsewhere) = answer.region.take().filter(|named| *named != region) {
        region = elsewhere;
        answer = head(
            &client_in(SdkRegion::new(region.clone())),
            bucket,
            Some(&owner),
        )
        .await;
    }
    match answer.fault {
        None => {
            let region = Region::new(region).map_err(|problem| bad_answer(HEAD_BUCKET, problem))?;
            Ok(BucketFacts { region, owner })
        }
        Some(fault) if fault.kind == FaultKind::AccessDenied => {
            Err(told_apart(&client_in(SdkRegion::new(region)), bucket, &owner, fault).await)
        }
        Some(fault) => Err(fault),
    }
}

/// A wrong owner and a missing permission both answer 403; only the former lets a question without an owner pass.
async fn told_apart(
    client: &Client,
    bucket: &BucketName,
    owner: &AccountId,
    refusal: CallFault,
) -> CallFault {
    if head(client, bucket, None).await.fault.is_none() {
        CallFault::new(
            HEAD_BUCKET,
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

async fn head(client: &Client, bucket: &BucketName, owner: Option<&AccountId>) -> Answer {
    let sent = client
        .head_bucket()
        .bucket(bucket.as_str())
        .set_expected_bucket_owner(owner.map(ToString::to_string))
        .send()
        .await;
    match sent {
        Ok(output) => Answer {
            region: output.bucket_region().map(str::to_owned),
            fault: None,
        },
        Err(error) => Answer {
            region: region_in_answer(&error),
            fault: Some(call_fault(HEAD_BUCKET, &error)),
        },
    }
}
