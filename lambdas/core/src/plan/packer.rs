//! Chunks of many ranges become shards that are nearly full.

use std::collections::{BTreeMap, BTreeSet};

use super::chunk::{Chunk, PlannedWork, ShardBounds};
use crate::{
    failure::Failure,
    id::{RangeId, RunId, ShardId},
    manifest::{ManifestLines, encode_lines},
    port::PLAN_STEP_RECORDS_MAX,
    range::Checkpoint,
};

/// A draft holds chunks of at most this many ranges: with its shards it fits one step of the ledger.
const RANGES_MAX: usize = PLAN_STEP_RECORDS_MAX - 2;

/// What goes to the ledger in one step: up to one shard of copies, up to one shard of deletions, and how far the ranges
/// are accounted for with them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShardDraft {
    chunks: Vec<Chunk>,
}

impl ShardDraft {
    /// The objects to copy.
    #[must_use]
    pub fn copy_work(&self) -> PlannedWork {
        sum(&self.chunks, |chunk| chunk.copy_work)
    }

    /// The objects to delete.
    #[must_use]
    pub fn delete_work(&self) -> PlannedWork {
        sum(&self.chunks, |chunk| chunk.delete_work)
    }

    /// The manifest of the shard of copies.
    ///
    /// # Errors
    /// As [`encode_lines`].
    pub fn encode_copies(&self, run_id: &RunId, shard_id: &ShardId) -> Result<Vec<u8>, Failure> {
        encode_lines(run_id, shard_id, self.lines(|chunk| &chunk.copies))
    }

    /// The manifest of the shard of deletions.
    ///
    /// # Errors
    /// As [`encode_lines`].
    pub fn encode_deletes(&self, run_id: &RunId, shard_id: &ShardId) -> Result<Vec<u8>, Failure> {
        encode_lines(run_id, shard_id, self.lines(|chunk| &chunk.deletes))
    }

    /// How far each range is accounted for with this draft, and whether it ends there.
    #[must_use]
    pub fn ranges(&self) -> BTreeMap<RangeId, (Checkpoint, bool)> {
        // Chunks of a range stand in order, so the last one wins.
        self.chunks
            .iter()
            .map(|chunk| {
                let end = (chunk.checkpoint.clone(), chunk.ends_range);
                (chunk.range_id.clone(), end)
            })
            .collect()
    }

    /// Key order over all ranges: chunks are stretches that do not overlap.
    fn lines<'a>(&'a self, of: impl Fn(&'a Chunk) -> &'a ManifestLines) -> Vec<&'a ManifestLines> {
        let mut chunks: Vec<&Chunk> = self.chunks.iter().collect();
        chunks.sort_by(|one, other| one.checkpoint.through.cmp(&other.checkpoint.through));
        chunks.into_iter().map(of).collect()
    }
}

fn sum(chunks: &[Chunk], of: impl Fn(&Chunk) -> PlannedWork) -> PlannedWork {
    chunks
        .iter()
        .fold(PlannedWork::default(), |all, chunk| all.plus(of(chunk)))
}

/// Chunks that wait for their shard to fill: less than one shard, whatever the number of ranges.
#[derive(Debug)]
pub struct Packer {
    bounds: ShardBounds,
    open: Vec<Chunk>,
}

impl Packer {
    /// An empty packer.
    #[must_use]
    pub fn new(bounds: ShardBounds) -> Self {
        Self {
            bounds,
            open: Vec::new(),
        }
    }

    /// Takes the next chunk of any range; those of one range come in order. Gives the drafts that are full.
    pub fn add(&mut self, chunk: Chunk) -> Vec<ShardDraft> {
        let is_solo = chunk.is_solo(self.bounds);
        let mut drafts = Vec::new();
        if is_solo || !self.fits(&chunk) {
            drafts.extend(self.flush());
        }
        self.open.push(chunk);
        if is_solo || self.is_full() {
            drafts.extend(self.flush());
        }
        drafts
    }

    /// Everything that waits.
    pub fn flush(&mut self) -> Option<ShardDraft> {
        let chunks = std::mem::take(&mut self.open);
        (!chunks.is_empty()).then_some(ShardDraft { chunks })
    }

    fn fits(&self, chunk: &Chunk) -> bool {
        let copies = sum(&self.open, |chunk| chunk.copy_work).plus(chunk.copy_work);
        let deletes = sum(&self.open, |chunk| chunk.delete_work).plus(chunk.delete_work);
        let mut ranges: BTreeSet<&RangeId> = self.open.iter().map(|open| &open.range_id).collect();
        ranges.insert(&chunk.range_id);
        self.bounds.hold(&copies)
            && deletes.count.objects <= self.bounds.objects_max
            && ranges.len() <= RANGES_MAX
    }

    fn is_full(&self) -> bool {
        let copies = sum(&self.open, |chunk| chunk.copy_work);
        copies.count.objects >= self.bounds.objects_max
            || copies.count.bytes >= self.bounds.bytes_max
            || copies.effort.busy_us >= self.bounds.busy_us_max
    }
}
