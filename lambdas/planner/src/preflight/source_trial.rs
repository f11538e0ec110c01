//! What the target role may do at the source.

use shardlift_core::{
    access::preflight::Check,
    failure::{
        Failure,
        fault::{CallFault, FaultKind},
    },
    port::{Probe, TargetBucket},
    run::option::TagPolicy,
    value::{
        key::ObjectKey,
        object::{Encryption, ListedObject},
    },
};

use super::trial::Trial;

const CHECKS: [Check; 3] = [
    Check::ReadSource,
    Check::ReadSourceTags,
    Check::TellMissingSource,
];
const ENCRYPTED: &str =
    "its checksum is encrypted with a key that is not allowed; copying a part of it tells which";
const EMPTY: &str = "the source holds no object";
const UNREADABLE: &str =
    "the sample cannot be read as it is (SSE-C, a disabled key, archived); its copier will tell";

/// Reads the sample, its tags, and a key that is not there. Tells how the sample is encrypted, as far as it can be read.
pub(super) async fn run<T: TargetBucket>(
    trial: &mut Trial<'_>,
    target: &T,
    sample: Option<&ListedObject>,
) -> Result<Encryption, Failure> {
    let Some(sample) = sample else {
        for check in CHECKS {
            trial.table.not_tried(check, EMPTY);
        }
        return Ok(Encryption::Unknown);
    };
    let mut encryption = Encryption::Unknown;
    let is_readable = match look_at(target, &sample.key).await {
        Err(fault) if is_its_own_fate(&fault) => {
            for check in CHECKS {
                trial.table.not_tried(check, UNREADABLE);
            }
            return Ok(encryption);
        }
        Ok(Look::KeyIsMissing) => {
            trial.table.not_tried(Check::ReadSource, ENCRYPTED);
            encryption = Encryption::Kms;
            true
        }
        Ok(Look::Seen(found)) => {
            trial.table.works(Check::ReadSource);
            encryption = found;
            true
        }
        Err(fault) => {
            let may_read = trial.source_denial("s3:GetObject", trial.source_arn(&sample.key));
            let refused: Result<(), _> = Err(fault);
            trial.judge(
                Check::ReadSource,
                &may_read,
                refused,
                CallFault::into_failure,
            )?;
            false
        }
    };
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

/// What a look at an object of the source showed.
enum Look {
    /// The object and how it is encrypted, or that it is not there.
    Seen(Encryption),
    /// It may be read, but the key that encrypts it may not be used.
    KeyIsMissing,
}

/// A refused HEAD has no body that says why, so the reason is asked for. A HEAD that asks for the checksum needs the
/// object's key too (docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html, x-amz-checksum-mode); the probe never
/// gets as far.
async fn look_at<T: TargetBucket>(target: &T, key: &ObjectKey) -> Result<Look, CallFault> {
    match target.head_source(key).await {
        Ok(found) => Ok(Look::Seen(found.encryption)),
        Err(fault) if fault.kind == FaultKind::NoSuchKey => Ok(Look::Seen(Encryption::Unknown)),
        Err(fault) if fault.kind == FaultKind::AccessDenied => {
            match target.probe(Probe::ReadSource(key)).await {
                Ok(()) => Ok(Look::KeyIsMissing),
                Err(told) if told.kind == FaultKind::AccessDenied => Err(told),
                // It is refused, whatever became of the question.
                Err(_) => Err(fault),
            }
        }
        Err(fault) => Err(fault),
    }
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
    let told = look_at(target, &absent).await;
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
