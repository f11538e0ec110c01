//! What the target role may do at the target.

use std::collections::BTreeMap;

use shardlift_core::{
    access::preflight::Check,
    copy::part_layout::PartLayout,
    failure::{
        Failure,
        fault::{CallFault, FaultKind},
    },
    port::{CopySource, CreatedUpload, Probe, TagSet, TargetBucket, UploadSpec},
    run::option::{Mode, TagPolicy},
    value::{
        id::UploadId,
        key::{KeyPrefix, ObjectKey},
        object::{Encryption, ListedObject},
    },
};

use super::{
    source_trial::{is_its_own_fate, present},
    trial::Trial,
};

const WRITES: [Check; 6] = [
    Check::WriteTarget,
    Check::TagTarget,
    Check::ListUploads,
    Check::CopyPart,
    Check::ListParts,
    Check::AbortUpload,
];

/// Begins an upload as the run would, copies the sample into it, looks at it and aborts it. Tells how the object would
/// have been encrypted.
pub(super) async fn run<T: TargetBucket>(
    trial: &mut Trial<'_>,
    target: &T,
    sample: Option<&ListedObject>,
) -> Result<Encryption, Failure> {
    let Ok(key) = trial.spec.pair.target.prefix.join(&trial.probe_name()) else {
        for check in WRITES
            .into_iter()
            .chain([Check::ReadTarget, Check::DeleteTarget])
        {
            trial.table.not_tried(
                check,
                "the target prefix leaves no room for a key of the trial's own",
            );
        }
        return Ok(Encryption::Unknown);
    };
    let mut encryption = Encryption::Unknown;
    if let Some(upload) = begin(trial, target, &key).await? {
        let tried = try_upload(trial, target, &key, &upload, sample).await;
        // Whatever became of the trials: nothing is left behind.
        abort(trial, target, &key, &upload.id).await?;
        tried?;
        encryption = upload.encryption;
    }
    read_and_delete(trial, target, &key).await?;
    Ok(encryption)
}

/// Begins an upload with all that the run writes: tags, key, storage class. Where S3 does not tell that it is the tags
/// which are refused, leaving them out does.
async fn begin<T: TargetBucket>(
    trial: &mut Trial<'_>,
    target: &T,
    key: &ObjectKey,
) -> Result<Option<CreatedUpload>, Failure> {
    let full = upload_spec(trial, key);
    let fault = match target.create_upload(&full).await {
        Ok(upload) => {
            trial.table.works(Check::WriteTarget);
            note_tags(trial, &full);
            return Ok(Some(upload));
        }
        Err(fault) if fault.kind == FaultKind::AccessDenied => fault,
        Err(fault) => return Err(fault.into_failure()),
    };
    let untagged = UploadSpec {
        tags: TagSet::new(),
        ..full.clone()
    };
    if !full.tags.is_empty()
        && let Some(upload) = allowed(target.create_upload(&untagged).await)?
    {
        trial.table.works(Check::WriteTarget);
        let may_tag = trial.target_denial("s3:PutObjectTagging", trial.target_arn(key));
        trial.refuse(Check::TagTarget, &may_tag, &fault);
        return Ok(Some(upload));
    }
    let denial = trial.target_denial("s3:PutObject", trial.target_arn(key));
    trial.refuse(Check::WriteTarget, &denial, &fault);
    let others = WRITES
        .into_iter()
        .filter(|&check| check != Check::WriteTarget);
    for check in others {
        trial
            .table
            .not_tried(check, "no object could be begun at the target");
    }
    Ok(None)
}

fn note_tags(trial: &mut Trial<'_>, upload: &UploadSpec) {
    if upload.tags.is_empty() {
        let why = "the run's tags may stay behind";
        trial.table.not_tried(Check::TagTarget, why);
    } else {
        trial.table.works(Check::TagTarget);
    }
}

fn upload_spec(trial: &Trial<'_>, key: &ObjectKey) -> UploadSpec {
    let mut tags = TagSet::new();
    if trial.spec.tags == TagPolicy::Preserve {
        tags.insert("shardlift".to_owned(), "preflight".to_owned());
    }
    UploadSpec {
        target_key: key.clone(),
        headers: BTreeMap::new(),
        metadata: BTreeMap::new(),
        tags,
        storage_class: trial.spec.storage_class,
        kms_key_arn: trial.spec.kms_key_arn.clone(),
        checksum_algorithm: None,
    }
}

/// The answer, or nothing when it was refused.
fn allowed<V>(answer: Result<V, CallFault>) -> Result<Option<V>, Failure> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(fault) if fault.kind == FaultKind::AccessDenied => Ok(None),
        Err(fault) => Err(fault.into_failure()),
    }
}

async fn try_upload<T: TargetBucket>(
    trial: &mut Trial<'_>,
    target: &T,
    key: &ObjectKey,
    upload: &CreatedUpload,
    sample: Option<&ListedObject>,
) -> Result<(), Failure> {
    let may_list = trial.target_denial(
        "s3:ListBucketMultipartUploads",
        trial.bucket_arn(&trial.spec.pair.target.bucket),
    );
    // The whole key is a prefix too, so this finds the upload, and those of invocations that died.
    let uploads = match KeyPrefix::new(key.as_str()) {
        Ok(own) => target.list_uploads(&own).await,
        Err(_) => Ok(Vec::new()),
    };
    let found = trial.judge(
        Check::ListUploads,
        &may_list,
        uploads,
        CallFault::into_failure,
    )?;
    for (stale_key, stale) in found.unwrap_or_default() {
        if stale_key == *key && stale != upload.id {
            abort_quietly(target, key, &stale).await?;
        }
    }
    copy_part(trial, target, key, upload, sample).await?;
    let may_list = trial.target_denial("s3:ListMultipartUploadParts", trial.target_arn(key));
    let parts = target.list_parts(key, &upload.id).await;
    trial.judge(Check::ListParts, &may_list, parts, CallFault::into_failure)?;
    Ok(())
}

/// The one call that reads the source's bytes and writes them at the target: it needs the keys of both sides.
async fn copy_part<T: TargetBucket>(
    trial: &mut Trial<'_>,
    target: &T,
    key: &ObjectKey,
    upload: &CreatedUpload,
    sample: Option<&ListedObject>,
) -> Result<(), Failure> {
    let part = sample.and_then(|sample| {
        let layout = PartLayout::new(sample.size_bytes, trial.spec.part_bytes).ok()?;
        let part = layout.parts().next()?;
        Some((sample, part))
    });
    let Some((sample, part)) = part else {
        let why = "the source holds no object with bytes in it";
        trial.table.not_tried(Check::CopyPart, why);
        return Ok(());
    };
    let source = CopySource {
        key: sample.key.clone(),
        etag: sample.etag.clone(),
        size_bytes: sample.size_bytes,
    };
    let Err(fault) = target.copy_part(&source, key, &upload.id, &part).await else {
        trial.table.works(Check::CopyPart);
        return Ok(());
    };
    match fault.kind {
        FaultKind::AccessDenied => {
            let refused_reading = trial
                .table
                .refusals()
                .any(|(check, _)| check == Check::ReadSource);
            if refused_reading {
                let why = "no object of the source may be read";
                trial.table.not_tried(Check::CopyPart, why);
            } else {
                let denial = trial.part_denial(&sample.key, upload.encryption, &fault);
                trial.refuse(Check::CopyPart, &denial, &fault);
            }
            Ok(())
        }
        _ if is_its_own_fate(&fault) => {
            let why = "the sample cannot be copied as it is; its copier will tell";
            trial.table.not_tried(Check::CopyPart, why);
            Ok(())
        }
        _ => Err(fault.into_failure()),
    }
}

async fn abort<T: TargetBucket>(
    trial: &mut Trial<'_>,
    target: &T,
    key: &ObjectKey,
    upload: &UploadId,
) -> Result<(), Failure> {
    let may_abort = trial.target_denial("s3:AbortMultipartUpload", trial.target_arn(key));
    let aborted = target.abort_upload(key, upload).await;
    trial.judge(
        Check::AbortUpload,
        &may_abort,
        aborted,
        CallFault::into_failure,
    )?;
    Ok(())
}

/// Aborts an upload whose fate the table does not tell; a refusal shows at the trial's own upload.
async fn abort_quietly<T: TargetBucket>(
    target: &T,
    key: &ObjectKey,
    upload: &UploadId,
) -> Result<(), Failure> {
    allowed(target.abort_upload(key, upload).await).map(drop)
}

async fn read_and_delete<T: TargetBucket>(
    trial: &mut Trial<'_>,
    target: &T,
    key: &ObjectKey,
) -> Result<(), Failure> {
    let may_read = trial.target_denial("s3:GetObject", trial.target_arn(key));
    let read = present(target.head_target(key).await);
    trial.judge(Check::ReadTarget, &may_read, read, CallFault::into_failure)?;
    if trial.spec.mode == Mode::Mirror {
        let may_delete = trial.target_denial("s3:DeleteObject", trial.target_arn(key));
        let deleted = target.probe(Probe::DeleteTarget(key)).await;
        trial.judge(
            Check::DeleteTarget,
            &may_delete,
            deleted,
            CallFault::into_failure,
        )?;
    } else {
        let why = "only a mirror deletes";
        trial.table.not_tried(Check::DeleteTarget, why);
    }
    Ok(())
}
