//! One object by one CopyObject.

use shardlift_core::{
    copy::{lost_response, proof::CopyWay},
    failure::{Failure, fault::Effect},
    port::{CopyOptions, CopyReceipt, TagSet, TargetBucket},
    run::option::TagPolicy,
    shard::note::Note,
};
use tokio::time::Instant;

use super::{copy_context::CopyContext, planned_object::PlannedObject};
use crate::pace::BudgetedRetries;

/// Copies one object in one call.
pub(super) struct SingleCopy<'a, T> {
    context: &'a CopyContext<'a, T>,
    planned: &'a PlannedObject,
}

impl<'a, T: TargetBucket> SingleCopy<'a, T> {
    /// That of this object.
    pub(super) fn new(context: &'a CopyContext<'a, T>, planned: &'a PlannedObject) -> Self {
        Self { context, planned }
    }

    /// Copies the object, and returns the notes on it.
    pub(super) async fn run(self) -> Result<Vec<Note>, Failure> {
        let Self { context, planned } = &self;
        let calls = context.calls;
        let mut options = CopyOptions {
            storage_class: planned.storage_class,
            kms_key_arn: calls.spec.kms_key_arn.clone(),
            sse: calls.spec.sse,
            acl: calls.spec.acl,
            tags: (calls.spec.tags == TagPolicy::Ignore).then(TagSet::new),
        };
        let mut notes = Vec::new();
        let mut retries = BudgetedRetries::new(calls.gate);
        let began_at = Instant::now();
        // What follows a call is boxed where it is rare: hundreds of objects are in flight, and each would have room for it.
        let receipt = loop {
            let call = calls
                .target
                .copy_object(&planned.source, &planned.target_key, &options);
            let fault = match calls.gate.write(call).await {
                Ok(receipt) => break receipt,
                Err(fault) => fault,
            };
            if options.tags.is_none() && context.may_drop_tags(&fault) {
                options.tags = Some(TagSet::new());
                notes.push(Note::TagsLeftBehind);
                continue;
            }
            if fault.effect == Effect::Unknown
                && let Some(receipt) = Box::pin(self.find_copied(&options, began_at)).await
            {
                break receipt;
            }
            if !retries.back_off(&fault).await {
                return Err(Box::pin(context.explain(fault, planned)).await);
            }
        };
        notes.extend(context.review(planned, &receipt, CopyWay::Single).await?);
        Ok(notes)
    }

    /// The receipt of a copy whose response was lost, if the target shows that it took effect since the first attempt. A read
    /// that fails shows nothing.
    async fn find_copied(&self, options: &CopyOptions, began_at: Instant) -> Option<CopyReceipt> {
        let PlannedObject {
            source, target_key, ..
        } = self.planned;
        let calls = self.context.calls;
        let since_attempt = began_at.elapsed();
        if !lost_response::can_be_shown(since_attempt) {
            return None;
        }
        let at_target = calls.read(|| calls.target.head_target(target_key));
        let at_target = at_target.await.ok()?;
        let at_source = calls.read(|| calls.target.head_source(&source.key));
        let at_source = at_source.await.ok()?;
        if !lost_response::is_copied(source, options, &at_source, &at_target, since_attempt) {
            return None;
        }
        // These do not show whether the target has the source's annotations too.
        let has_annotations = options.tags.is_none()
            && calls
                .read(|| calls.target.has_annotations(&source.key))
                .await
                .ok()?;
        (!has_annotations).then_some(CopyReceipt {
            etag: at_target.etag,
            version_id: None,
            checksums: at_target.checksums,
            checksum_type: at_target.checksum_type,
        })
    }
}
