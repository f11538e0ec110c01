//! What the target role may do at the source.

use shardlift_core::{
    failure::Failure,
    fault::{CallFault, FaultKind},
    object::{Encryption, ListedObject},
    port::TargetBucket,
    preflight::Check,
    spec::TagPolicy,
};

use super::trial::Trial;

const EMPTY: &str = "the source holds no object with bytes in it";
const UNREADABLE: &str =
    "the sample cannot be read as it is (SSE-C, a disabled key, archived); its copier will tell";

/// Reads the sample, its tags, and a key that is not there. Tells how the sample is encrypted.
pub(super) async fn run<T: TargetBucket>(
    trial: &mut Trial<'_>,
    target: &T,
    sample: Option<&ListedObject>,
) -> Result<Encryption, Failure> {
    let Some(sample) = sample else {
        for check in [
            Check::ReadSource,
            Check::ReadSourceTags,
            Check::TellMissingSource,
        ] {
            trial.table.not_tried(check, EMPTY);
        }
        return Ok(Encryption::default());
    };
    let may_read = trial.source_denial("s3:GetObject", trial.source_arn(&sample.key));
    let head = target.head_source(&sample.key).await;
    let encryption = head
        .as_ref()
        .map_or(Encryption::default(), |sample| sample.encryption);
    let read = present(head);
    if read.as_ref().is_err_and(is_its_own_fate) {
        for check in [
            Check::ReadSource,
            Check::ReadSourceTags,
            Check::TellMissingSource,
        ] {
            trial.table.not_tried(check, UNREADABLE);
        }
        return Ok(encryption);
    }
    let is_readable = trial
        .judge(Check::ReadSource, &may_read, read, CallFault::into_failure)?
        .is_some();
    if trial.spec.tags == TagPolicy::Preserve {
        let may_read = trial.source_denial("s3:GetObjectTagging", trial.source_arn(&sample.key));
        let tags = present(target.source_tags(&sample.key).await);
        trial.judge(
            Check::ReadSourceTags,
            &may_read,
            tags,
            CallFault::into_failure,
        )?;
    } else {
        let why = "the run's tags may stay behind";
        trial.table.not_tried(Check::ReadSourceTags, why);
    }
    if is_readable {
        tell_missing(trial, target).await?;
    } else {
        let why = "no object of the source may be read";
        trial.table.not_tried(Check::TellMissingSource, why);
    }
    Ok(encryption)
}

/// S3 calls a missing object forbidden, unless the caller may list the bucket.
async fn tell_missing<T: TargetBucket>(trial: &mut Trial<'_>, target: &T) -> Result<(), Failure> {
    let pair = &trial.spec.pair;
    let Ok(absent) = pair.source.prefix.join(&trial.probe_name()) else {
        let why = "the source prefix leaves no room for a key of the trial's own";
        trial.table.not_tried(Check::TellMissingSource, why);
        return Ok(());
    };
    let may_tell = trial.source_denial("s3:ListBucket", trial.bucket_arn(&pair.source.bucket));
    let told = present(target.head_source(&absent).await);
    trial.judge(
        Check::TellMissingSource,
        &may_tell,
        told,
        CallFault::into_failure,
    )?;
    Ok(())
}

/// Whether a fault concerns the sample alone: each object's own fate, which its copier tells, and no reason to end a run.
pub(super) fn is_its_own_fate(fault: &CallFault) -> bool {
    matches!(
        fault.kind,
        FaultKind::ConditionFailed
            | FaultKind::NoSuchKey
            | FaultKind::Archived
            | FaultKind::Rejected
    )
}

/// An object that is not there (any more) was looked for with success all the same.
pub(super) fn present<V>(answer: Result<V, CallFault>) -> Result<(), CallFault> {
    match answer {
        Ok(_) => Ok(()),
        Err(fault) if fault.kind == FaultKind::NoSuchKey => Ok(()),
        Err(fault) => Err(fault),
    }
}
