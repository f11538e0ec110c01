//! The entries that are sorted together in memory.

use shardlift_core::failure::Failure;

use super::{
    block::{BlockWriter, SortedBlock},
    record::{RepeatedEntries, SortRecord, append, damaged},
};
use crate::entry::ListEntry;

/// A run has so many blocks at least, as far as these are not too small, so that as many ranges of it can be read at once.
const BLOCKS_MIN: usize = 64;

/// How much is sorted and stored together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SortBounds {
    /// How much is sorted in memory. A run is about as long.
    pub run_bytes_max: usize,
    /// The least and the most that a block has, before it is compressed.
    pub block_bytes: (usize, usize),
    /// How many runs are merged at once: of each, one block is in memory and one on its way.
    pub runs_at_once: usize,
}

impl Default for SortBounds {
    /// Some 600,000 entries a run, and 32 MB of blocks in a merge. 10^8 entries are some 170 runs, most of them merged twice.
    fn default() -> Self {
        Self {
            run_bytes_max: 64 << 20,
            block_bytes: (16 << 10, 1 << 20),
            runs_at_once: 32,
        }
    }
}

/// Takes entries in the order of their list, until there are enough to be sorted.
#[derive(Debug, Default)]
pub struct SortBuffer {
    records: Vec<u8>,
    /// Where each record begins.
    begins: Vec<u32>,
}

impl SortBuffer {
    /// Takes an entry of the `file`th file.
    ///
    /// # Errors
    /// `InvariantViolated` where the buffer holds more than it ever should.
    pub fn push(&mut self, entry: &ListEntry, file: u32) -> Result<(), Failure> {
        let begin = u32::try_from(self.records.len());
        self.begins
            .push(begin.map_err(|_| Failure::invariant("too much is sorted at once"))?);
        append(&mut self.records, entry, file)
    }

    /// How many bytes it holds.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.records.len()
    }

    /// The entries in key order. Sorting takes time: do it beside whatever else waits.
    ///
    /// # Errors
    /// `InvariantViolated` where a record is damaged, which is a mistake in this program.
    pub fn sorted(mut self, bounds: SortBounds) -> Result<SortedEntries, Failure> {
        let records = &self.records;
        let key = |begin: &u32| {
            let record = SortRecord::first_of(records.get(*begin as usize..).unwrap_or_default());
            record.ok().flatten().map_or(&[][..], |record| record.key)
        };
        // A stable sort: of entries with one key the first of the list stays the first.
        self.begins.sort_by(|one, other| key(one).cmp(key(other)));
        let (min, max) = bounds.block_bytes;
        let block = (self.records.len() / BLOCKS_MIN).clamp(min, max);
        Ok(SortedEntries {
            records: self.records,
            begins: self.begins.into_iter(),
            last: None,
            blocks: BlockWriter::new(block),
            repeated: RepeatedEntries::default(),
        })
    }
}

/// Sorted entries, given out in blocks.
#[derive(Debug)]
pub struct SortedEntries {
    records: Vec<u8>,
    begins: std::vec::IntoIter<u32>,
    /// Where the record before begins.
    last: Option<u32>,
    blocks: BlockWriter,
    repeated: RepeatedEntries,
}

impl SortedEntries {
    /// The next block; nothing at the end.
    ///
    /// # Errors
    /// `InvariantViolated` where a record is damaged, which is a mistake in this program.
    pub fn next_block(&mut self) -> Result<Option<SortedBlock>, Failure> {
        let at = |begin: u32| SortRecord::first_of(&self.records[begin as usize..]);
        for begin in self.begins.by_ref() {
            let record = at(begin)?.ok_or_else(damaged)?;
            let last = self.last.map(at).transpose()?.flatten();
            if last.is_some_and(|last| last.key == record.key) {
                self.repeated.add(record)?;
                continue;
            }
            self.last = Some(begin);
            if self.blocks.push(record) {
                return self.blocks.take();
            }
        }
        self.blocks.take()
    }

    /// The entries that name an object again, after the last block.
    #[must_use]
    pub fn into_repeated(self) -> RepeatedEntries {
        self.repeated
    }
}
