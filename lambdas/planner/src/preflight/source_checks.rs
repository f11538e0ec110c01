//! What the target role may do at the source.

use std::collections::BTreeSet;

use shardlift_core::{
    access::{missing_permission::MissingPermission, preflight::Check},
    failure::{
        Failure,
        fault::{CallFault, FaultKind},
    },
    port::{ObjectRef, Probe, TargetBucket},
    run::option::TagPolicy,
    value::{key::ObjectKey, object::Encryption},
};

use super::{
    checker::{Checker, Trial},
    samples::Samples,
};

const CHECKS: [Check; 3] = [
    Check::ReadSource,
    Check::ReadSourceTags,
    Check::TellMissingSource,
];
const ENCRYPTED: &str =
    "its checksum is encrypted with a key that is not allowed; copying a part of it shows which";

/// Reads the samples, their tags, and a key that is not there. Returns how the samples are encrypted, as far as they can
/// be read. If some of them may be read, those that may not are left out of the samples.
pub(super) async fn run<T: TargetBucket>(
    checker: &mut Checker<'_>,
    target: &T,
    samples: &mut Samples,
) -> Result<Encryption, Failure> {
    if samples.objects.is_empty() {
        for check in CHECKS {
            checker.table.not_checked(check, samples.reason_for_none());
        }
        return Ok(Encryption::Unknown);
    }
    let (encryption, refused) = read(checker, target, samples).await?;
    let is_readable = refused.len() < samples.objects.len();
    if checker.spec.tags == TagPolicy::Preserve {
        let mut trials = Vec::new();
        for sample in &samples.objects {
            let response = present(target.source_tags(sample.into()).await);
            let needed = MissingPermission::of_reading_tags(sample.into());
            trials.push(Trial::new(&sample.key, needed, response));
        }
        checker.judge_trials(Check::ReadSourceTags, trials)?;
    } else {
        let why = "the run's tags may stay behind";
        checker.table.not_checked(Check::ReadSourceTags, why);
    }
    if is_readable {
        samples.leave_out(&refused);
        tell_missing(checker, target).await?;
    } else {
        let why = "no object of the source may be read";
        checker.table.not_checked(Check::TellMissingSource, why);
    }
    Ok(encryption)
}

/// Reads each sample. Returns how they are encrypted (by KMS if any of them is), and which may not be read.
async fn read<T: TargetBucket>(
    checker: &mut Checker<'_>,
    target: &T,
    samples: &Samples,
) -> Result<(Encryption, BTreeSet<ObjectKey>), Failure> {
    let mut encryption = Encryption::Unknown;
    let mut trials = Vec::new();
    for sample in &samples.objects {
        let needed = MissingPermission::of_reading(sample.into());
        let (needed, response) = match look_at(target, sample.into()).await {
            Ok(Look::KeyIsMissing(fault)) => {
                encryption = Encryption::Kms;
                (MissingPermission::UseSourceKey, Err(fault))
            }
            Ok(Look::Seen(found)) => {
                if encryption != Encryption::Kms && found != Encryption::Unknown {
                    encryption = found;
                }
                (needed, Ok(()))
            }
            Err(fault) => (needed, Err(fault)),
        };
        trials.push(Trial::new(&sample.key, needed, response));
    }
    let lacks_keys_alone = trials
        .iter()
        .all(|trial| trial.needed == MissingPermission::UseSourceKey);
    if lacks_keys_alone {
        checker.table.not_checked(Check::ReadSource, ENCRYPTED);
        return Ok((encryption, BTreeSet::new()));
    }
    let refused = checker.judge_trials(Check::ReadSource, trials)?;
    Ok((encryption, refused))
}

/// What a look at an object of the source showed.
enum Look {
    /// The object and how it is encrypted, or that it is not there.
    Seen(Encryption),
    /// It may be read, but the key that encrypts it may not be used: the refusal.
    KeyIsMissing(CallFault),
}

/// A refused HEAD has no body that says why, so the reason is asked for. A HEAD that asks for the checksum needs the
/// object's key too (docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html, x-amz-checksum-mode); the probe never
/// gets as far.
async fn look_at<T: TargetBucket>(target: &T, object: ObjectRef<'_>) -> Result<Look, CallFault> {
    match target.head_source(object).await {
        Ok(found) => Ok(Look::Seen(found.encryption)),
        Err(fault) if fault.kind == FaultKind::NoSuchKey => Ok(Look::Seen(Encryption::Unknown)),
        Err(fault) if fault.kind == FaultKind::AccessDenied => {
            match target.probe(Probe::ReadSource(object)).await {
                Ok(()) => Ok(Look::KeyIsMissing(fault)),
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
    let look = look_at(target, (&absent).into()).await;
    let tell = MissingPermission::TellMissingObject;
    checker.judge_permission(Check::TellMissingSource, tell, &absent, look)?;
    Ok(())
}

/// Looking for an object that is not there (any more) succeeded too.
pub(super) fn present<V>(response: Result<V, CallFault>) -> Result<(), CallFault> {
    match response {
        Ok(_) => Ok(()),
        Err(fault) if fault.kind == FaultKind::NoSuchKey => Ok(()),
        Err(fault) => Err(fault),
    }
}
