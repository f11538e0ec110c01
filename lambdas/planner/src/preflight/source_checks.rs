//! What the target role may do at the source.

use shardlift_core::{
    access::{missing_permission::MissingPermission, preflight::Check},
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

use super::checker::Checker;

const CHECKS: [Check; 3] = [
    Check::ReadSource,
    Check::ReadSourceTags,
    Check::TellMissingSource,
];
const ENCRYPTED: &str =
    "its checksum is encrypted with a key that is not allowed; copying a part of it shows which";
const EMPTY: &str = "the source holds no object";
const UNREADABLE: &str = "the sample cannot be read as it is (SSE-C, a disabled key, archived); its copier will report it";

/// Reads the sample, its tags, and a key that is not there. Returns how the sample is encrypted, as far as it can be read.
pub(super) async fn run<T: TargetBucket>(
    checker: &mut Checker<'_>,
    target: &T,
    sample: Option<&ListedObject>,
) -> Result<Encryption, Failure> {
    let Some(sample) = sample else {
        for check in CHECKS {
            checker.table.not_checked(check, EMPTY);
        }
        return Ok(Encryption::Unknown);
    };
    let mut encryption = Encryption::Unknown;
    let is_readable = match look_at(target, &sample.key).await {
        Err(fault) if is_its_own_fate(&fault) => {
            for check in CHECKS {
                checker.table.not_checked(check, UNREADABLE);
            }
            return Ok(encryption);
        }
        Ok(Look::KeyIsMissing) => {
            checker.table.not_checked(Check::ReadSource, ENCRYPTED);
            encryption = Encryption::Kms;
            true
        }
        Ok(Look::Seen(found)) => {
            checker.table.works(Check::ReadSource);
            encryption = found;
            true
        }
        Err(fault) => {
            let refused: Result<(), _> = Err(fault);
            let read = MissingPermission::ReadObject;
            checker.judge_permission(Check::ReadSource, read, &sample.key, refused)?;
            false
        }
    };
    if checker.spec.tags == TagPolicy::Preserve {
        let tags = present(target.source_tags(&sample.key).await);
        let read = MissingPermission::ReadTags;
        checker.judge_permission(Check::ReadSourceTags, read, &sample.key, tags)?;
    } else {
        let why = "the run's tags may stay behind";
        checker.table.not_checked(Check::ReadSourceTags, why);
    }
    if is_readable {
        tell_missing(checker, target).await?;
    } else {
        let why = "no object of the source may be read";
        checker.table.not_checked(Check::TellMissingSource, why);
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
                Err(explained) if explained.kind == FaultKind::AccessDenied => Err(explained),
                // It is refused, whatever became of the question.
                Err(_) => Err(fault),
            }
        }
        Err(fault) => Err(fault),
    }
}

/// S3 calls a missing object forbidden, unless the caller may list the bucket.
async fn tell_missing<T: TargetBucket>(
    checker: &mut Checker<'_>,
    target: &T,
) -> Result<(), Failure> {
    let pair = &checker.spec.pair;
    let Ok(absent) = pair.source.prefix.join(&checker.probe_name()) else {
        let why = "the source prefix leaves no room for the key of a probe";
        checker.table.not_checked(Check::TellMissingSource, why);
        return Ok(());
    };
    let look = look_at(target, &absent).await;
    let tell = MissingPermission::TellMissingObject;
    checker.judge_permission(Check::TellMissingSource, tell, &absent, look)?;
    Ok(())
}

/// Whether a fault concerns the sample alone: the object's copier reports it, and it is no reason to end a run.
pub(super) fn is_its_own_fate(fault: &CallFault) -> bool {
    matches!(
        fault.kind,
        FaultKind::ConditionFailed
            | FaultKind::NoSuchKey
            | FaultKind::Archived
            | FaultKind::KeyUnusable
            | FaultKind::Rejected
    )
}

/// Looking for an object that is not there (any more) succeeded too.
pub(super) fn present<V>(response: Result<V, CallFault>) -> Result<(), CallFault> {
    match response {
        Ok(_) => Ok(()),
        Err(fault) if fault.kind == FaultKind::NoSuchKey => Ok(()),
        Err(fault) => Err(fault),
    }
}
