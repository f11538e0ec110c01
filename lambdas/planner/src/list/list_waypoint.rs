//! How far a list is planned.

use shardlift_core::{
    failure::Failure,
    plan::{
        ListCheckpoint, ListCounts,
        range::{Checkpoint, ListingTally},
    },
    value::object::ETag,
};

use crate::picked::Waypoint;

/// How far a list is planned.
#[derive(Debug, Default)]
pub(super) struct ListWaypoint {
    /// The version of the list and where its scan goes on; nothing at the beginning.
    mark: Option<(ETag, String)>,
    /// How many lines behind the mark are planned, too.
    passed: u64,
    /// The counts up to there.
    pub(super) counts: ListCounts,
}

impl ListWaypoint {
    pub(super) fn etag(&self) -> Option<&ETag> {
        self.mark.as_ref().map(|(etag, _)| etag)
    }

    pub(super) fn mark(&self) -> Option<&str> {
        self.mark.as_ref().map(|(_, mark)| mark.as_str())
    }

    pub(super) fn passed(&self) -> u64 {
        self.passed
    }

    /// Goes on from a mark of a scan, which is where this stands already.
    pub(super) fn begin(&mut self, etag: ETag, mark: String) {
        self.mark = Some((etag, mark));
        self.passed = 0;
    }

    /// Moves behind another line.
    pub(super) fn pass(&mut self) {
        self.passed += 1;
    }
}

impl Waypoint for ListWaypoint {
    fn read(checkpoint: Option<&Checkpoint>) -> Result<Self, Failure> {
        let list = checkpoint.and_then(|checkpoint| checkpoint.list.clone());
        Ok(list.map_or_else(Self::default, |list| Self {
            mark: Some((list.etag, list.position)),
            passed: list.passed,
            counts: list.counts,
        }))
    }

    fn checkpoint(&self, tally: ListingTally) -> Result<Checkpoint, Failure> {
        let list = self.mark.as_ref().map(|(etag, mark)| ListCheckpoint {
            etag: etag.clone(),
            position: mark.clone(),
            passed: self.passed,
            counts: self.counts.clone(),
        });
        Ok(Checkpoint {
            through: None,
            tally,
            list,
        })
    }
}
