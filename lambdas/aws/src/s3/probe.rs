//! Asking for a permission without using it.

use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::Probe,
    value::key::ObjectKey,
};

use super::{spoken_key::spoken, target_bucket::AwsTargetBucket};
use crate::fault_mapping::call_fault;

/// An ETag that no object has: the MD5 of nothing that is known. S3 looks at permissions before it looks at the
/// condition, so the answer is 403, or 412 and 404, which say that the call was allowed.
///
/// DeleteObject on this condition makes no delete marker either, since it deletes nothing
/// (docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html).
const IMPOSSIBLE_ETAG: &str = "\"00000000000000000000000000000000\"";

impl AwsTargetBucket {
    pub(super) async fn ask(&self, probe: Probe<'_>) -> Result<(), CallFault> {
        let answer = match probe {
            Probe::ReadSource(key) => self.ask_to_read(key).await,
            Probe::DeleteTarget(key) => self.ask_to_delete(key).await,
        };
        match answer {
            Err(fault)
                if matches!(
                    fault.kind,
                    FaultKind::ConditionFailed | FaultKind::NoSuchKey
                ) =>
            {
                Ok(())
            }
            other => other,
        }
    }

    async fn ask_to_read(&self, key: &ObjectKey) -> Result<(), CallFault> {
        self.clients
            .asking_source
            .get_object()
            .bucket(self.source_bucket.as_str())
            .key(spoken(key))
            .if_match(IMPOSSIBLE_ETAG)
            .expected_bucket_owner(self.source_facts.owner.as_str())
            .send()
            .await
            .map(drop)
            .map_err(|error| call_fault("s3:GetObject", &error))
    }

    async fn ask_to_delete(&self, key: &ObjectKey) -> Result<(), CallFault> {
        self.clients
            .asking_target
            .delete_object()
            .bucket(self.bucket.as_str())
            .key(spoken(key))
            .if_match(IMPOSSIBLE_ETAG)
            .expected_bucket_owner(self.facts.owner.as_str())
            .send()
            .await
            .map(drop)
            .map_err(|error| call_fault("s3:DeleteObject", &error))
    }
}
