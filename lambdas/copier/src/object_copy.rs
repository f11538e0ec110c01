//! One object: from the manifest to its outcome.

use std::future::Future;

use shardlift_core::{
    copy::{
        lost_response,
        method::CopyMethod,
        proof::{self, Comparison, CopyWay},
    },
    failure::{
        Failure, FailureCode, Scope,
        fault::{CallFault, Effect, FaultKind},
    },
    port::{CopyOptions, CopyReceipt, CopySource, ObjectAttributes, TagSet, TargetBucket},
    run::{
        option::{TagPolicy, Verify},
        spec::RunSpec,
    },
    shard::{note::Note, settled_objects::ObjectOutcome},
    value::{
        key::ObjectKey,
        object::{ETag, ListedObject},
    },
};

use tokio::time::Instant;

use crate::{
    denials::{Denials, Finding},
    gate::Gate,
    retries::{self, Retries},
    uploads::Uploads,
};

/// Copies objects of one shard; shared by all that are in flight.
pub(crate) struct ObjectCopy<'a, T> {
    pub(crate) target: &'a T,
    pub(crate) spec: &'a RunSpec,
    pub(crate) gate: &'a Gate,
    pub(crate) denials: &'a Denials,
    pub(crate) uploads: &'a Uploads,
    /// Whether a copier had the shard before, who may have died without a word.
    pub(crate) is_resumed: bool,
    /// Whether other copiers copy, or copied, parts of the same object.
    pub(crate) has_part_shards: bool,
}

/// The two keys of an object, and the version that was planned.
pub(crate) struct Planned {
    pub(crate) index: u32,
    pub(crate) source: CopySource,
    pub(crate) target_key: ObjectKey,
}

impl<T: TargetBucket> ObjectCopy<'_, T> {
    /// Copies the object at `index` of the manifest.
    ///
    /// # Errors
    /// Only what concerns more than this object, for example a role that can no longer be assumed.
    pub(crate) async fn copy(
        &self,
        index: u32,
        object: &ListedObject,
    ) -> Result<ObjectOutcome, Failure> {
        match self.try_copy(index, object).await {
            Ok(notes) => Ok(ObjectOutcome::Copied(notes)),
            Err(failure) if failure.code.scope() == Scope::Run => {
                Err(failure.within(format_args!("object {:?}", object.key.as_str())))
            }
            Err(failure) => Ok(ObjectOutcome::Failed(failure)),
        }
    }

    async fn try_copy(&self, index: u32, object: &ListedObject) -> Result<Vec<Note>, Failure> {
        let planned = self.planned(index, object)?;
        let method = CopyMethod::choose(
            object.size_bytes,
            self.spec.multipart_threshold_bytes,
            self.spec.part_bytes,
        )
        .map_err(|too_large| unsupported(too_large.to_string()))?;
        match method {
            CopyMethod::Single => self.copy_single(&planned).await,
            // Boxed: hundreds of objects are in flight, and hardly one of them needs this much larger state.
            CopyMethod::Multipart { layout } => {
                Box::pin(self.copy_in_parts(&planned, &layout)).await
            }
        }
    }

    /// Where the object at `index` of the manifest goes.
    pub(crate) fn planned(&self, index: u32, object: &ListedObject) -> Result<Planned, Failure> {
        let target_key = self
            .spec
            .pair
            .target_key(&object.key)
            .ok_or_else(|| Failure::invariant("the key lies outside the source prefix"))?
            .map_err(|invalid| unsupported(format!("the key at the target: {invalid}")))?;
        Ok(Planned {
            index,
            source: CopySource {
                key: object.key.clone(),
                etag: object.etag.clone(),
                size_bytes: object.size_bytes,
            },
            target_key,
        })
    }

    async fn copy_single(&self, planned: &Planned) -> Result<Vec<Note>, Failure> {
        let Planned {
            source, target_key, ..
        } = planned;
        let mut options = CopyOptions {
            storage_class: self.spec.storage_class,
            kms_key_arn: self.spec.kms_key_arn.clone(),
            tags: (self.spec.tags == TagPolicy::Ignore).then(TagSet::new),
        };
        let mut notes = Vec::new();
        let mut retries = Retries::new(self.gate);
        let began_at = Instant::now();
        // What follows a call is boxed where it is rare: hundreds of objects are in flight, and each would have room for it.
        loop {
            let call = self.target.copy_object(source, target_key, &options);
            let fault = match self.gate.write(call).await {
                Ok(receipt) => {
                    notes.extend(self.look_back(planned, &receipt, CopyWay::Single).await?);
                    return Ok(notes);
                }
                Err(fault) => fault,
            };
            if fault.kind == FaultKind::AccessDenied && self.may_go_without_tags(&options) {
                options.tags = Some(TagSet::new());
                notes.push(Note::TagsLeftBehind);
                continue;
            }
            if fault.effect == Effect::Unknown
                && let Some(receipt) =
                    Box::pin(self.found_copied(planned, &options, began_at)).await
            {
                notes.extend(self.look_back(planned, &receipt, CopyWay::Single).await?);
                return Ok(notes);
            }
            let Some(delay) = retries.delay_after(&fault) else {
                return Err(Box::pin(self.explain(fault, planned)).await);
            };
            tokio::time::sleep(delay).await;
        }
    }

    /// What there is to say of a finished copy: how it is proven, when the run asks for that, and what was left behind, as
    /// far as a HEAD of the source shows it. Of copies at once there are millions: one is made only to prove them. A look
    /// that fails shows nothing.
    pub(crate) async fn look_back(
        &self,
        planned: &Planned,
        receipt: &CopyReceipt,
        way: CopyWay<'_>,
    ) -> Result<Vec<Note>, Failure> {
        let is_proof_wanted = self.spec.verify == Verify::Checksum;
        if !is_proof_wanted && way == CopyWay::Single {
            return Ok(Vec::new());
        }
        let look = self.repeat(|| self.target.head_source(&planned.source.key));
        let Ok(at_source) = Box::pin(look).await else {
            let unproven = is_proof_wanted.then_some(Note::Unproven);
            return Ok(unproven.into_iter().collect());
        };
        let mut notes = proof::left_behind(&planned.source, &at_source, receipt, way);
        if is_proof_wanted {
            match proof::compare(&planned.source, &at_source, receipt, way) {
                Comparison::Noted(note) => notes.push(note),
                Comparison::Different => return Err(different(&at_source, receipt)),
            }
        }
        Ok(notes)
    }

    fn may_go_without_tags(&self, options: &CopyOptions) -> bool {
        self.spec.tags == TagPolicy::BestEffort && options.tags.is_none()
    }

    /// The answer that a copy whose own was lost would have given, if the target shows that it took effect since the first
    /// attempt. A look that fails shows nothing.
    async fn found_copied(
        &self,
        planned: &Planned,
        options: &CopyOptions,
        began_at: Instant,
    ) -> Option<CopyReceipt> {
        let since_attempt = began_at.elapsed();
        if !lost_response::can_be_shown(since_attempt) {
            return None;
        }
        let at_target = self.repeat(|| self.target.head_target(&planned.target_key));
        let at_target = at_target.await.ok()?;
        let at_source = self.repeat(|| self.target.head_source(&planned.source.key));
        let at_source = at_source.await.ok()?;
        let is_copied = lost_response::is_copied(
            &planned.source,
            options,
            &at_source,
            &at_target,
            since_attempt,
        );
        if !is_copied {
            return None;
        }
        // Whether the target has the source's annotations too is not shown by these.
        let has_annotations = options.tags.is_none()
            && self
                .repeat(|| self.target.has_annotations(&planned.source.key))
                .await
                .ok()?;
        (!has_annotations).then_some(CopyReceipt {
            etag: at_target.etag,
            version_id: None,
            checksums: at_target.checksums,
            checksum_type: at_target.checksum_type,
        })
    }

    /// Makes a call that reads, or that ends something, as often as it takes within reason.
    pub(crate) async fn repeat<V, F>(&self, call: impl FnMut() -> F) -> Result<V, CallFault>
    where
        F: Future<Output = Result<V, CallFault>>,
    {
        retries::repeat(self.gate, call).await
    }

    /// What a call of copying that failed for good means for its object.
    pub(crate) async fn explain(&self, fault: CallFault, planned: &Planned) -> Failure {
        match fault.kind {
            FaultKind::ConditionFailed => self.explain_condition(&fault, planned).await,
            FaultKind::NoSuchKey => source_missing(&fault),
            FaultKind::AccessDenied => {
                match self.denials.find(self, &planned.source.key, &fault).await {
                    Finding::SourceMissing => source_missing(&fault),
                    Finding::Missing(permission) => permission
                        .denial(self.spec, &planned.source.key, &planned.target_key)
                        .into_failure(&fault),
                }
            }
            _ => fault.into_failure(),
        }
    }

    /// A condition on the source and one on the target give the same answer: the source tells which it was.
    async fn explain_condition(&self, fault: &CallFault, planned: &Planned) -> Failure {
        let source = &planned.source;
        match self.repeat(|| self.target.head_source(&source.key)).await {
            Ok(found) if found.etag == source.etag && found.size_bytes == source.size_bytes => {
                Failure::new(
                    FailureCode::TargetConflict,
                    format!(
                        "the source is the planned version, so the target refused the write: {fault}"
                    ),
                )
            }
            Ok(found) => source_changed(source, &found.etag, found.size_bytes),
            Err(read) if read.kind == FaultKind::NoSuchKey => source_missing(&read),
            // What cannot be told now may be told in another round.
            Err(read) if read.is_transient() => read.into_failure().within(fault),
            Err(read) => Failure::new(
                FailureCode::SourceChanged,
                format!("{fault}; the source could not be read to see its new version: {read}"),
            ),
        }
    }
}

fn different(at_source: &ObjectAttributes, receipt: &CopyReceipt) -> Failure {
    Failure::new(
        FailureCode::IntegrityMismatch,
        format!(
            "the source has the checksums {:?}, the copy {:?}",
            at_source.checksums, receipt.checksums
        ),
    )
}

fn unsupported(problem: String) -> Failure {
    Failure::new(FailureCode::ObjectUnsupported, problem)
}

/// The failure of an object that is another version than the planned one (P7).
pub(crate) fn source_changed(planned: &CopySource, found_etag: &ETag, found_bytes: u64) -> Failure {
    Failure::new(
        FailureCode::SourceChanged,
        format!(
            "planned with ETag {} and {} bytes, found with ETag {found_etag} and {found_bytes} bytes",
            planned.etag, planned.size_bytes
        ),
    )
}

fn source_missing(fault: &CallFault) -> Failure {
    Failure::new(
        FailureCode::SourceMissing,
        format!("it was planned and is gone at the source: {fault}"),
    )
}
