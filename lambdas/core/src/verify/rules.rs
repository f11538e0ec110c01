//! What verification expects of an object.

use crate::{
    failure::Failure,
    run::{
        filter::ObjectFilter,
        option::{ArchivedPolicy, Compare},
        pair::Pair,
        record::RunRecord,
    },
    value::{object::ListedObject, time::Timestamp},
    verify::{
        discrepancies::Discrepancy,
        doubts::{self, Doubt, DoubtfulFinding},
        replanned_objects::ReplannedObjects,
    },
};

/// What decides about an object, settled once for a run.
#[derive(Debug)]
pub struct VerifyRules {
    pair: Pair,
    compare: Compare,
    archived: ArchivedPolicy,
    filter: ObjectFilter,
    started_at: Timestamp,
    /// When the listing began that the plan goes back to: that of the run, or of a rerun's first run.
    listed_since: Timestamp,
    is_rerun: bool,
    replanned: ReplannedObjects,
}

/// What is wrong with an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judgment {
    /// This.
    Certain(Discrepancy),
    /// This, unless the manifests of the run show that it planned another version.
    Doubtful(Discrepancy, Doubt),
}

impl VerifyRules {
    /// The rules of a run; `replanned` is empty unless it is a rerun.
    ///
    /// # Errors
    /// `InvalidRun` when a stored filter cannot be compiled, which settling it already proved.
    pub fn new(run: &RunRecord, replanned: ReplannedObjects) -> Result<Self, Failure> {
        let spec = &run.spec;
        let rerun = spec.rerun.as_ref();
        Ok(Self {
            pair: spec.pair.clone(),
            compare: spec.compare,
            archived: spec.archived,
            filter: spec.filters.compile()?,
            started_at: run.started_at,
            listed_since: rerun.map_or(run.started_at, |rerun| rerun.listed_since),
            is_rerun: rerun.is_some(),
            replanned,
        })
    }

    /// The two sides.
    pub(super) fn pair(&self) -> &Pair {
        &self.pair
    }

    /// Whether the run is about this object of the source.
    pub(super) fn admits(&self, relative: &str, source: &ListedObject) -> bool {
        self.filter.admits(relative, source) && !self.pair.is_root_marker(relative)
    }

    /// What is wrong with an object of the source, whose key holds `target` at the target.
    pub(super) fn judge(
        &self,
        source: &ListedObject,
        target: Option<&ListedObject>,
    ) -> Option<Judgment> {
        let (found, finding) = match target {
            None => (Discrepancy::Missing, DoubtfulFinding::Missing),
            Some(target) if self.differs(source, target) => {
                let finding = if target.modified_at >= self.started_at {
                    DoubtfulFinding::DifferentSince
                } else {
                    DoubtfulFinding::DifferentBefore
                };
                (Discrepancy::Different, finding)
            }
            Some(_) => return None,
        };
        if !self.was_planned(source) {
            return Some(Judgment::Certain(Discrepancy::ChangedSinceStart));
        }
        let storage = source.storage;
        let may_be_skipped = storage.is_archived || storage.has_hidden_tiers();
        if self.archived == ArchivedPolicy::Skip && may_be_skipped {
            return Some(Judgment::Certain(Discrepancy::Archived));
        }
        // The manifests of a rerun do not show what the run planned that it goes back to.
        let is_doubtful =
            !self.is_rerun && doubts::may_have_appeared_since(source, self.listed_since);
        Some(if is_doubtful {
            let doubt = Doubt {
                key: source.key.clone(),
                etag: source.etag.clone(),
                finding,
            };
            Judgment::Doubtful(found, doubt)
        } else {
            Judgment::Certain(found)
        })
    }

    /// Whether a plan of this run, or the listing that a rerun goes back to, saw this version of the object.
    ///
    /// Listings give whole seconds, rounded down. What was written in the second in which the run began counts as
    /// planned: a false alarm is better than a loss that is explained away.
    fn was_planned(&self, source: &ListedObject) -> bool {
        source.modified_at < self.listed_since
            || (source.modified_at < self.started_at && self.replanned.contains(&source.key))
    }

    /// A copy is written after its source was. Unlike in [`compare`](crate::plan::compare), the same second is no reason
    /// to doubt: nothing would be copied again.
    fn differs(&self, source: &ListedObject, target: &ListedObject) -> bool {
        let is_older = target.modified_at < source.modified_at;
        source.size_bytes != target.size_bytes
            || match self.compare {
                Compare::Size => false,
                Compare::SizeAndMtime => is_older,
                Compare::Etag => is_older && source.etag != target.etag,
            }
    }
}
