//! What the target role may do at the target.

use std::collections::BTreeMap;

use shardlift_core::{
    access::{missing_permission::MissingPermission, preflight::Check},
    copy::part_layout::PartLayout,
    failure::{
        Failure,
        fault::{CallFault, FaultKind},
    },
    port::{CopySource, CreatedUpload, Probe, TagSet, TargetBucket, UploadSpec},
    run::{
        invalid::unusable_key,
        option::{Mode, TagPolicy},
    },
    value::{
        id::UploadId,
        key::{KeyPrefix, ObjectKey},
        object::Encryption,
        storage::ObjectStorage,
    },
};

use super::{
    checker::{Checker, is_its_own_fate},
    samples::Samples,
    source_checks::present,
};

const WRITES: [Check; 6] = [
    Check::WriteTarget,
    Check::TagTarget,
    Check::ListUploads,
    Check::CopyPart,
    Check::ListParts,
    Check::AbortUpload,
];

/// Begins an upload as the run would, copies a sample into it, looks at it and aborts it. Returns how the object
/// would have been encrypted.
pub(super) async fn run<T: TargetBucket>(
    checker: &mut Checker<'_>,
    target: &T,
    samples: &Samples,
) -> Result<Encryption, Failure> {
    let Ok(key) = checker.spec.pair.target.prefix.join(&checker.probe_name()) else {
        for check in WRITES
            .into_iter()
            .chain([Check::ReadTarget, Check::DeleteTarget])
        {
            checker.table.not_checked(
                check,
                "the target prefix leaves no room for the key of a probe",
            );
        }
        return Ok(Encryption::Unknown);
    };
    let mut encryption = Encryption::Unknown;
    if let Some(upload) = begin(checker, target, &key).await? {
        let checked = check_upload(checker, target, &key, &upload, samples).await;
        // Whatever the checks found: nothing is left behind.
        abort(checker, target, &key, &upload.id).await?;
        checked?;
        encryption = upload.encryption;
    }
    read_and_delete(checker, target, &key).await?;
    Ok(encryption)
}

/// Begins an upload with all that the run writes: tags, key, storage class. Where S3 does not say that the tags are
/// refused, a second upload without them shows it.
async fn begin<T: TargetBucket>(
    checker: &mut Checker<'_>,
    target: &T,
    key: &ObjectKey,
) -> Result<Option<CreatedUpload>, Failure> {
    let full = upload_spec(checker, key);
    let fault = match target.create_upload(&full).await {
        Ok(upload) => {
            checker.table.works(Check::WriteTarget);
            note_tags(checker, &full);
            return Ok(Some(upload));
        }
        Err(fault) if fault.kind == FaultKind::AccessDenied => fault,
        Err(fault)
            if fault.kind == FaultKind::KeyUnusable && checker.spec.kms_key_arn.is_some() =>
        {
            return Err(unusable_key(&fault));
        }
        Err(fault) => return Err(fault.into()),
    };
    let untagged = UploadSpec {
        tags: TagSet::new(),
        ..full.clone()
    };
    if !full.tags.is_empty()
        && let Some(upload) = allowed(target.create_upload(&untagged).await)?
    {
        checker.table.works(Check::WriteTarget);
        let denial = MissingPermission::WriteTags.denial_on(checker.spec, key);
        checker.refuse(Check::TagTarget, &denial, &fault);
        return Ok(Some(upload));
    }
    let denial = MissingPermission::of_begun_write(checker.spec).denial_on(checker.spec, key);
    checker.refuse(Check::WriteTarget, &denial, &fault);
    let others = WRITES
        .into_iter()
        .filter(|&check| check != Check::WriteTarget);
    for check in others {
        checker
            .table
            .not_checked(check, "no object could be begun at the target");
    }
    Ok(None)
}

fn note_tags(checker: &mut Checker<'_>, upload: &UploadSpec) {
    if upload.tags.is_empty() {
        let why = "the run's tags may stay behind";
        checker.table.not_checked(Check::TagTarget, why);
    } else {
        checker.table.works(Check::TagTarget);
    }
}

fn upload_spec(checker: &Checker<'_>, key: &ObjectKey) -> UploadSpec {
    let mut tags = TagSet::new();
    if checker.spec.tags == TagPolicy::Preserve {
        tags.insert("shardlift".to_owned(), "preflight".to_owned());
    }
    UploadSpec {
        target_key: key.clone(),
        headers: BTreeMap::new(),
        metadata: BTreeMap::new(),
        tags,
        storage_class: checker
            .spec
            .storage_class
            .requested(ObjectStorage::default()),
        kms_key_arn: checker.spec.kms_key_arn.clone(),
        sse: checker.spec.sse,
        acl: checker.spec.acl,
        checksum_algorithm: None,
    }
}

/// The response, or nothing when the call was refused.
fn allowed<V>(response: Result<V, CallFault>) -> Result<Option<V>, Failure> {
    match response {
        Ok(value) => Ok(Some(value)),
        Err(fault) if fault.kind == FaultKind::AccessDenied => Ok(None),
        Err(fault) => Err(fault.into()),
    }
}

async fn check_upload<T: TargetBucket>(
    checker: &mut Checker<'_>,
    target: &T,
    key: &ObjectKey,
    upload: &CreatedUpload,
    samples: &Samples,
) -> Result<(), Failure> {
    // The whole key is a prefix too, so this finds the upload, and those of invocations that died.
    let uploads = match KeyPrefix::new(key.as_str()) {
        Ok(own) => target.list_uploads(&own).await,
        Err(_) => Ok(Vec::new()),
    };
    let list = MissingPermission::ListUploads;
    let found = checker.judge_permission(Check::ListUploads, list, key, uploads)?;
    for (stale_key, stale) in found.unwrap_or_default() {
        if stale_key == *key && stale != upload.id {
            abort_quietly(target, key, &stale).await?;
        }
    }
    copy_part(checker, target, key, upload, samples).await?;
    let parts = target.list_parts(key, &upload.id).await;
    checker.judge_permission(Check::ListParts, MissingPermission::ListParts, key, parts)?;
    Ok(())
}

/// The one call that reads the source's bytes and writes them at the target: it needs the keys of both sides. It is made
/// for the smallest sample, and for others as long as it is refused.
async fn copy_part<T: TargetBucket>(
    checker: &mut Checker<'_>,
    target: &T,
    key: &ObjectKey,
    upload: &CreatedUpload,
    samples: &Samples,
) -> Result<(), Failure> {
    let is_reading_refused = checker
        .table
        .refusals()
        .any(|(check, _)| check == Check::ReadSource);
    if is_reading_refused {
        let why = "no object of the source may be read";
        checker.table.not_checked(Check::CopyPart, why);
        return Ok(());
    }
    let (mut works, mut refused, mut tried) = (0, Vec::new(), 0);
    for sample in samples.smallest_first() {
        let layout = PartLayout::new(sample.size_bytes, checker.spec.part_bytes).ok();
        let Some(part) = layout.and_then(|layout| layout.parts().next()) else {
            continue;
        };
        let source = CopySource {
            version_id: sample.version_id.clone(),
            key: sample.key.clone(),
            etag: sample.etag.clone(),
            size_bytes: sample.size_bytes,
        };
        tried += 1;
        match target.copy_part(&source, key, &upload.id, &part).await {
            Ok(_) => {
                works = 1;
                break;
            }
            Err(fault) if fault.kind == FaultKind::AccessDenied => {
                let denial = checker.part_denial(&sample.key, upload.encryption, &fault);
                refused.push((denial, fault));
            }
            Err(fault) if is_its_own_fate(&fault) => {}
            Err(fault) => return Err(fault.into()),
        }
    }
    if tried == 0 {
        let why = "there is no sample with bytes in it";
        checker.table.not_checked(Check::CopyPart, why);
    } else {
        checker.note(Check::CopyPart, works, &refused);
    }
    Ok(())
}

async fn abort<T: TargetBucket>(
    checker: &mut Checker<'_>,
    target: &T,
    key: &ObjectKey,
    upload: &UploadId,
) -> Result<(), Failure> {
    let aborted = target.abort_upload(key, upload).await;
    let abort = MissingPermission::AbortUpload;
    checker.judge_permission(Check::AbortUpload, abort, key, aborted)?;
    Ok(())
}

/// Aborts an upload that is not in the table; a refusal shows at this preflight's own upload.
async fn abort_quietly<T: TargetBucket>(
    target: &T,
    key: &ObjectKey,
    upload: &UploadId,
) -> Result<(), Failure> {
    allowed(target.abort_upload(key, upload).await).map(drop)
}

async fn read_and_delete<T: TargetBucket>(
    checker: &mut Checker<'_>,
    target: &T,
    key: &ObjectKey,
) -> Result<(), Failure> {
    let found = present(target.head_target(key).await);
    let read = MissingPermission::ReadTargetObject;
    checker.judge_permission(Check::ReadTarget, read, key, found)?;
    if checker.spec.mode == Mode::Mirror {
        let deleted = target.probe(Probe::DeleteTarget(key)).await;
        let delete = MissingPermission::DeleteObject;
        checker.judge_permission(Check::DeleteTarget, delete, key, deleted)?;
    } else {
        let why = "only a mirror deletes";
        checker.table.not_checked(Check::DeleteTarget, why);
    }
    Ok(())
}
