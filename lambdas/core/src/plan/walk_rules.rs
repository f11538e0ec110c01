//! The rules that decide about objects.

use super::{
    chunk::ShardBounds,
    compare::{self, CopyReason},
};
use crate::{
    failure::Failure,
    run::{
        filter::ObjectFilter,
        option::{Compare, Mode},
        record::RunRecord,
        spec::RunSpec,
    },
    value::{object::ListedObject, time::Timestamp},
};

/// The rules that decide about objects, the same for a whole run.
#[derive(Debug, Clone)]
pub struct WalkRules {
    pub(super) spec: RunSpec,
    /// Whether unequal ETags of single-part objects mean different contents.
    etags_are_digests: bool,
    /// In a run with a transform: since when the target's objects are what this run makes.
    renditions_since: Option<Timestamp>,
    pub(super) filter: ObjectFilter,
    pub(super) chunk_bounds: ShardBounds,
}

impl WalkRules {
    /// The rules of a run.
    ///
    /// # Errors
    /// `InvalidRun` when a stored filter does not compile. Settling the run already checked that it does.
    pub fn new(run: &RunRecord, shard_bounds: ShardBounds) -> Result<Self, Failure> {
        let spec = &run.spec;
        Ok(Self {
            spec: spec.clone(),
            etags_are_digests: spec.kms_key_arn.is_none() && run.encryption.keeps_digests(),
            renditions_since: run.renditions_since,
            filter: spec.filters.compile()?,
            chunk_bounds: shard_bounds.chunk(),
        })
    }

    /// Whether the target is listed at all.
    #[must_use]
    pub fn needs_target(&self) -> bool {
        self.spec.mode != Mode::Copy
    }

    /// What distinguishes the target object, if any, from the source object.
    ///
    /// The ETag of an object under a KMS key is no digest of its content. Where either side has such objects, unequal ETags
    /// prove nothing and the times decide, so that no object is copied again and again.
    #[must_use]
    pub fn difference(
        &self,
        source: &ListedObject,
        target: Option<&ListedObject>,
    ) -> Option<CopyReason> {
        let Some(target) = target else {
            return Some(CopyReason::Missing);
        };
        if let Some(since) = self.renditions_since {
            return compare::outdated_rendition(source, target, since);
        }
        let found = compare::difference(self.spec.compare, source, target);
        let is_decided_by_time = source.version_id.is_none();
        if found == Some(CopyReason::ETag) && !self.etags_are_digests && is_decided_by_time {
            return compare::difference(Compare::SizeAndMtime, source, target);
        }
        found
    }

    /// Whether the run compares this key and writes nothing.
    pub(super) fn audits(&self, relative: &str) -> bool {
        self.spec.mode == Mode::Audit && self.filter.admits_key(relative)
    }

    /// Whether an object with this key may be deleted at the target. A run does not delete what its filters leave out.
    #[must_use]
    pub fn may_delete(&self, relative: &str) -> bool {
        self.spec.mode == Mode::Mirror && self.filter.admits_key(relative)
    }
    /// Whether what stands at the target beside the source's objects matters. A list says what to copy, and not what else
    /// there is.
    pub(super) fn lists_beside(&self) -> bool {
        self.spec.lists_target()
    }
}
