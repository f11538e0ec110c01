//! Chunks of many ranges become shards that are nearly full.

use std::collections::BTreeMap;

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

/// How many shards of objects may wait in all before open ranges share shards: at some 100 bytes an object, 32 MB. As
/// many as ranges are listed at once: shards that ranges share go to the ledger one after the other, at 30 ms each no
/// more than 330,000 objects a second, where those of single ranges go side by side.
const SHARDS_WAITING_MAX: usize = 32;

/// What goes to the ledger in one step: up to one shard of copies, up to one shard of deletions, and how far the ranges
/// are accounted for with them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShardDraft {
    chunks: Vec<Chunk>,
}

impl ShardDraft {
    fn of(chunks: Vec<Chunk>) -> Self {
        Self { chunks }
    }

    fn objects(&self) -> usize {
        self.chunks
            .iter()
            .map(|chunk| chunk.copies.objects() + chunk.deletes.objects())
            .sum()
    }

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

/// Chunks that wait for their shard to fill.
#[derive(Debug)]
pub struct Packer {
    bounds: ShardBounds,
    /// Per range that is being walked: less than one shard.
    open: BTreeMap<RangeId, Vec<Chunk>>,
    /// The ends of ranges that are listed: less than one shard.
    ends: Vec<Chunk>,
    /// How many objects wait in all.
    waiting: usize,
}

impl Packer {
    /// An empty packer.
    #[must_use]
    pub fn new(bounds: ShardBounds) -> Self {
        Self {
            bounds,
            open: BTreeMap::new(),
            ends: Vec::new(),
            waiting: 0,
        }
    }

    /// Takes the next chunk of a range. Gives the drafts that are full.
    pub fn add(&mut self, chunk: Chunk) -> Vec<ShardDraft> {
        let range_id = chunk.range_id.clone();
        let (ends_range, is_solo) = (chunk.ends_range, chunk.is_solo(self.bounds));
        let open = self.open.entry(range_id.clone()).or_default();
        let mut drafts = Vec::new();
        if !open.is_empty() && (is_solo || !fits(self.bounds, open, &chunk)) {
            drafts.push(ShardDraft::of(std::mem::take(open)));
        }
        self.waiting += chunk.copies.objects() + chunk.deletes.objects();
        open.push(chunk);
        if is_solo || is_full(self.bounds, open) {
            drafts.push(ShardDraft::of(std::mem::take(open)));
        }
        if ends_range && let Some(rest) = self.open.remove(&range_id) {
            drafts.extend(self.end(rest));
        }
        self.waiting -= drafts.iter().map(ShardDraft::objects).sum::<usize>();
        if self.waiting > self.waiting_max() {
            drafts.extend(self.end_all());
        }
        drafts
    }

    /// With many ranges open, each with nearly a shard, memory would grow with their number: from here on they share.
    fn waiting_max(&self) -> usize {
        usize::try_from(self.bounds.objects_max)
            .unwrap_or(usize::MAX)
            .saturating_mul(SHARDS_WAITING_MAX)
    }

    /// Everything that waits, in as few drafts as hold it.
    pub fn flush(&mut self) -> Vec<ShardDraft> {
        let mut drafts = self.end_all();
        if !self.ends.is_empty() {
            drafts.push(ShardDraft::of(std::mem::take(&mut self.ends)));
        }
        self.waiting = 0;
        drafts
    }

    /// Lets every open range share shards with the others; less than one shard waits then.
    fn end_all(&mut self) -> Vec<ShardDraft> {
        let mut drafts = Vec::new();
        for rest in std::mem::take(&mut self.open).into_values() {
            drafts.extend(self.end(rest));
        }
        self.waiting -= drafts.iter().map(ShardDraft::objects).sum::<usize>();
        drafts
    }

    fn end(&mut self, rest: Vec<Chunk>) -> Vec<ShardDraft> {
        let mut drafts = Vec::new();
        for chunk in rest {
            if !self.ends.is_empty() && !fits(self.bounds, &self.ends, &chunk) {
                drafts.push(ShardDraft::of(std::mem::take(&mut self.ends)));
            }
            self.ends.push(chunk);
        }
        drafts
    }
}

fn fits(bounds: ShardBounds, chunks: &[Chunk], chunk: &Chunk) -> bool {
    let copies = sum(chunks, |chunk| chunk.copy_work).plus(chunk.copy_work);
    let deletes = sum(chunks, |chunk| chunk.delete_work).plus(chunk.delete_work);
    let mut ranges: Vec<&RangeId> = chunks.iter().map(|chunk| &chunk.range_id).collect();
    ranges.dedup();
    bounds.hold(&copies)
        && deletes.count.objects <= bounds.objects_max
        && (ranges.len() < RANGES_MAX || ranges.contains(&&chunk.range_id))
}

fn is_full(bounds: ShardBounds, chunks: &[Chunk]) -> bool {
    let copies = sum(chunks, |chunk| chunk.copy_work);
    copies.count.objects >= bounds.objects_max
        || copies.count.bytes >= bounds.bytes_max
        || copies.effort.busy_us >= bounds.busy_us_max
}
