//! AbortMultipartUpload deletes an upload and its parts.

use std::{future::Future, time::Duration};

use aws_sdk_s3::Client;
use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    value::{id::UploadId, key::ObjectKey},
};

use super::{list_parts::has_parts, owned_bucket::OwnedBucket, wire::escaped_key::escape};
use crate::fault_mapping::call_fault;

const OPERATION: &str = "s3:AbortMultipartUpload";

/// The number of attempts to abort an upload before the abort is reported as failed.
const ATTEMPTS_MAX: u32 = 5;
/// The pause before the second attempt; it doubles with each further one.
const PAUSE_MIN: Duration = Duration::from_millis(200);

/// Aborts an upload and makes sure that no part of it is left; one that does not exist counts as aborted.
pub(super) async fn abort_multipart_upload(
    client: &Client,
    bucket: &OwnedBucket,
    target_key: &ObjectKey,
    upload_id: &UploadId,
) -> Result<(), CallFault> {
    abort_until_empty(
        || abort_once(client, bucket, target_key, upload_id),
        || has_parts(client, bucket, target_key, upload_id),
    )
    .await
}

async fn abort_once(
    client: &Client,
    bucket: &OwnedBucket,
    target_key: &ObjectKey,
    upload_id: &UploadId,
) -> Result<(), CallFault> {
    client
        .abort_multipart_upload()
        .bucket(bucket.name())
        .key(escape(target_key))
        .upload_id(upload_id.as_str())
        .expected_bucket_owner(bucket.owner())
        .send()
        .await
        .map(drop)
        .map_err(|error| call_fault(OPERATION, &error))
}

/// Aborts an upload until it has no parts. A part that was in flight during an abort may still succeed, and is then
/// stored and billed (docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html).
async fn abort_until_empty<A, L>(
    abort: impl Fn() -> A,
    has_parts: impl Fn() -> L,
) -> Result<(), CallFault>
where
    A: Future<Output = Result<(), CallFault>>,
    L: Future<Output = Result<bool, CallFault>>,
{
    for attempt in 0..ATTEMPTS_MAX {
        if attempt > 0 {
            tokio::time::sleep(PAUSE_MIN * 2_u32.pow(attempt - 1)).await;
        }
        match abort().await {
            Ok(()) => {}
            Err(fault) if fault.kind == FaultKind::NoSuchUpload => return Ok(()),
            Err(fault) => return Err(fault),
        }
        match has_parts().await {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            // The permission checks before a run reject a role that may abort uploads but not list their parts.
            Err(fault)
                if matches!(
                    fault.kind,
                    FaultKind::NoSuchUpload | FaultKind::AccessDenied
                ) =>
            {
                return Ok(());
            }
            Err(fault) => return Err(fault),
        }
    }
    Err(CallFault::new(
        OPERATION,
        FaultKind::ServiceError,
        format!("the upload still has parts after {ATTEMPTS_MAX} attempts to abort it"),
    ))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::{super::list_parts, *};

    /// Aborts an upload with this many parts in flight; returns the number of attempts.
    async fn aborts(parts_in_flight: u32, gone: FaultKind) -> (Result<(), FaultKind>, u32) {
        let aborts = Cell::new(0);
        let abort = || async {
            aborts.set(aborts.get() + 1);
            Ok(())
        };
        let has_parts = || async {
            if aborts.get() <= parts_in_flight {
                Ok(true)
            } else {
                Err(CallFault::new(list_parts::OPERATION, gone, ""))
            }
        };
        let aborted = abort_until_empty(abort, has_parts).await;
        (aborted.map_err(|fault| fault.kind), aborts.get())
    }

    #[tokio::test(start_paused = true)]
    async fn an_upload_is_aborted_until_the_parts_in_flight_are_gone_too() {
        let gone = FaultKind::NoSuchUpload;
        assert_eq!(aborts(0, gone).await, (Ok(()), 1));
        assert_eq!(aborts(3, gone).await, (Ok(()), 4));
        assert_eq!(
            aborts(100, gone).await,
            (Err(FaultKind::ServiceError), ATTEMPTS_MAX)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn an_upload_whose_parts_may_not_be_listed_counts_as_aborted_and_one_in_doubt_does_not() {
        assert_eq!(aborts(0, FaultKind::AccessDenied).await, (Ok(()), 1));
        let doubt = FaultKind::NoResponse;
        assert_eq!(aborts(0, doubt).await, (Err(doubt), 1));
    }
}
