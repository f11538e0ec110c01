//! Checks a permission with a call that neither reads nor changes anything.

use shardlift_core::failure::fault::{CallFault, FaultKind};

/// An ETag that no object has: no content is known whose MD5 it is. S3 evaluates permissions before the condition, so a
/// call that depends on this ETag fails with 403 if it is not allowed, and with 412 or 404 if it is.
///
/// DeleteObject on this condition does not create a delete marker either, because it deletes nothing
/// (docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html).
pub(super) const IMPOSSIBLE_ETAG: &str = "\"00000000000000000000000000000000\"";

/// What the result of a call on [`IMPOSSIBLE_ETAG`] says about the permission.
pub(super) fn permission_of(result: Result<(), CallFault>) -> Result<(), CallFault> {
    match result {
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
