//! One object by one CopyObject.

use shardlift_core::{
    copy::{
        lost_response,
        proof::CopyWay,
        redirect::{self, Redirect},
    },
    documents::receipt::TargetVersion,
    failure::{
        Failure,
        fault::{Effect, FaultKind},
    },
    port::{CopyOptions, CopyReceipt, ObjectAttributes, TagSet, TargetBucket},
    run::option::TagPolicy,
    shard::note::Note,
};
use tokio::time::Instant;

use shardlift_worker::{
    pace::BudgetedRetries,
    work::{ObjectContext, PlannedObject},
};

use super::review::judge;

/// What a look at the source before its copy found.
#[derive(Default)]
struct Before {
    /// The redirect that the copy states.
    redirect: Option<String>,
    /// A note on one that it does not state.
    note: Option<Note>,
    /// The source, to prove the copy with. Boxed: each of the objects in flight has room for it.
    source: Option<Box<ObjectAttributes>>,
}

impl Before {
    fn unknown() -> Self {
        Self {
            note: Some(Note::RedirectUnknown),
            ..Self::default()
        }
    }
}

/// Copies one object in one call.
pub(super) struct SingleCopy<'a, T> {
    context: &'a ObjectContext<'a, T>,
    planned: &'a PlannedObject,
}

impl<'a, T: TargetBucket> SingleCopy<'a, T> {
    /// That of this object.
    pub(super) fn new(context: &'a ObjectContext<'a, T>, planned: &'a PlannedObject) -> Self {
        Self { context, planned }
    }

    /// Copies the object, and returns what is at the target then and the notes on it.
    pub(super) async fn run(self) -> Result<(TargetVersion, Vec<Note>), Failure> {
        let Self { context, planned } = &self;
        let calls = context.calls;
        let is_looked_for =
            redirect::is_looked_for(calls.spec, &planned.source.key, planned.source.size_bytes);
        let before = if is_looked_for {
            Box::pin(self.look_before()).await?
        } else {
            Before::default()
        };
        let mut options = CopyOptions {
            storage_class: planned.storage_class,
            kms_key_arn: calls.spec.kms_key_arn.clone(),
            sse: calls.spec.sse,
            acl: calls.spec.acl,
            tags: (calls.spec.tags == TagPolicy::Ignore).then(TagSet::new),
            redirect: before.redirect,
        };
        let mut notes = Vec::from_iter(before.note);
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
        let at_source = before.source.as_deref();
        notes.extend(judge(
            calls.spec,
            planned,
            at_source,
            &receipt,
            CopyWay::Single,
        )?);
        Ok((planned.as_written(receipt), notes))
    }

    /// Looks at the source before it is copied. A look that fails for now leaves the object to the next round: without it,
    /// a redirect would stay behind. Any other is noted if the object can be copied all the same: what refuses a look is
    /// expected to refuse the copy too, and to say why.
    async fn look_before(&self) -> Result<Before, Failure> {
        let calls = self.context.calls;
        let planned = &self.planned.source;
        let source = match calls
            .read(|| calls.target.head_source(planned.into()))
            .await
        {
            Ok(source) => source,
            // A response that cannot be read once may never be readable.
            Err(fault) if fault.is_transient() && fault.kind != FaultKind::MalformedResponse => {
                return Err(fault.into());
            }
            Err(_) => return Ok(Before::unknown()),
        };
        // The copy is expected to be refused. If the source goes back to the planned version before, it shall not get what
        // another one had.
        if source.etag != self.planned.source.etag {
            return Ok(Before::unknown());
        }
        let (redirect, note) = match Redirect::of(&source.headers) {
            Redirect::Absent => (None, None),
            Redirect::Stated(redirect) => (Some(redirect), None),
            Redirect::Unsendable => (None, Some(Note::RedirectLeftBehind)),
        };
        Ok(Before {
            redirect,
            note,
            source: Some(Box::new(source)),
        })
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
        let at_source = calls.read(|| calls.target.head_source(source.into()));
        let at_source = at_source.await.ok()?;
        if !lost_response::is_copied(source, options, &at_source, &at_target, since_attempt) {
            return None;
        }
        // These do not show whether the target has the source's annotations too.
        let has_annotations = options.tags.is_none()
            && calls
                .read(|| calls.target.has_annotations(source.into()))
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
