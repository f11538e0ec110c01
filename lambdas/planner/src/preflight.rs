//! What is tried once before a run is opened, so that a missing permission is found in seconds and not after a night.

use shardlift_core::{
    denial::{Denial, PolicyDocument},
    failure::Failure,
    fault::{CallFault, FaultKind},
    object::ListedObject,
    pair::Pair,
    port::{ListRequest, SourceBucket, TargetBucket},
};

use crate::access;

/// Lists a page of both sides, and reads one source object with the target role.
///
/// An empty source has nothing to read; then the copies that do not exist need no permission either.
pub(crate) async fn check<S: SourceBucket, T: TargetBucket>(
    source: &S,
    target: &T,
    pair: &Pair,
) -> Result<(), Failure> {
    let first_page = |prefix| ListRequest {
        prefix,
        after: None,
    };
    let page = source
        .list_page(&first_page(pair.source.prefix.clone()))
        .await
        .map_err(|fault| access::source_failure(fault, pair))?;
    target
        .list_page(&first_page(pair.target.prefix.clone()))
        .await
        .map_err(|fault| access::target_failure(fault, pair))?;
    match page.objects.first() {
        Some(sample) => read_sample(target, sample, pair).await,
        None => Ok(()),
    }
}

async fn read_sample<T: TargetBucket>(
    target: &T,
    sample: &ListedObject,
    pair: &Pair,
) -> Result<(), Failure> {
    match target.head_source(&sample.key).await {
        Ok(_) => Ok(()),
        // Deleted since it was listed: that proves nothing, and the copiers tell each object's own fate.
        Err(fault) if fault.kind == FaultKind::NoSuchKey => Ok(()),
        Err(fault) if fault.kind == FaultKind::AccessDenied => Err(Denial {
            principal: pair.target.role_arn.to_string(),
            action: "s3:GetObject",
            resource: format!(
                "arn:{}:s3:::{}/{}",
                pair.target.role_arn.partition(),
                pair.source.bucket,
                sample.key
            ),
            documents: &[
                PolicyDocument::SourceBucketPolicy,
                PolicyDocument::TargetRolePermissions,
            ],
        }
        .into_failure(&fault)),
        Err(fault) => Err(CallFault::into_failure(fault)),
    }
}
