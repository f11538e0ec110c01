//! Some entries in key order, as they are stored.

use std::sync::Arc;

use shardlift_core::{failure::Failure, value::key::ObjectKey};

use super::record::{SortRecord, damaged, key_of};
use crate::entry::ListEntry;

/// zstd's fastest ordinary level, as of manifests.
const COMPRESSION_LEVEL: i32 = 1;

/// Some entries in key order, to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortedBlock {
    /// The last key.
    pub last: ObjectKey,
    records: Vec<u8>,
}

impl SortedBlock {
    /// The block as bytes. The same block always gives the same bytes (P5).
    ///
    /// # Errors
    /// `InvariantViolated` when the encoder fails, which memory alone cannot make it do.
    pub fn encode(&self) -> Result<Vec<u8>, Failure> {
        zstd::bulk::compress(&self.records, COMPRESSION_LEVEL)
            .map_err(|error| Failure::invariant(format!("a block of the sorted list: {error}")))
    }
}

/// Fills one block after the other.
#[derive(Debug)]
pub(super) struct BlockWriter {
    records: Vec<u8>,
    /// Where the last record begins.
    last: usize,
    bytes_max: usize,
}

impl BlockWriter {
    pub(super) const fn new(bytes_max: usize) -> Self {
        Self {
            records: Vec::new(),
            last: 0,
            bytes_max,
        }
    }

    /// Appends a record, whose key is greater than any before it; whether the block is full.
    pub(super) fn push(&mut self, record: SortRecord<'_>) -> bool {
        self.last = self.records.len();
        self.records.extend_from_slice(record.bytes);
        self.records.len() >= self.bytes_max
    }

    /// The block so far; nothing where it is empty.
    pub(super) fn take(&mut self) -> Result<Option<SortedBlock>, Failure> {
        let behind = self.records.get(self.last..).unwrap_or_default();
        let Some(last) = SortRecord::first_of(behind)? else {
            return Ok(None);
        };
        let last = key_of(last.key)?;
        let next = Vec::with_capacity(self.records.len());
        let records = std::mem::replace(&mut self.records, next);
        self.last = 0;
        Ok(Some(SortedBlock { last, records }))
    }
}

/// A block while it is read.
#[derive(Debug, Default)]
pub struct OpenBlock {
    records: Vec<u8>,
    at: usize,
}

impl OpenBlock {
    /// The block of these bytes.
    ///
    /// # Errors
    /// `InvariantViolated` where they are none.
    pub fn decode(bytes: &[u8]) -> Result<Self, Failure> {
        let records = zstd::stream::decode_all(bytes).map_err(|_| damaged())?;
        Ok(Self { records, at: 0 })
    }

    /// The next entries, up to `max`, of a list with files of these names; none at the end.
    ///
    /// # Errors
    /// `InvariantViolated` where the block is damaged.
    pub fn next_entries(
        &mut self,
        max: usize,
        names: &[Arc<str>],
    ) -> Result<Vec<ListEntry>, Failure> {
        let mut entries = Vec::with_capacity(max);
        while entries.len() < max
            && let Some(record) = self.record()?
        {
            entries.push(record.entry(names)?);
            self.at += record.bytes.len();
        }
        Ok(entries)
    }

    /// The next record; nothing at the end.
    pub(super) fn record(&self) -> Result<Option<SortRecord<'_>>, Failure> {
        SortRecord::first_of(&self.records[self.at..])
    }

    /// Moves behind the next record.
    pub(super) fn pass(&mut self) -> Result<(), Failure> {
        let bytes = self.record()?.ok_or_else(damaged)?.bytes.len();
        self.at += bytes;
        Ok(())
    }

    /// How many bytes lie behind.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// The same, read on from there.
    pub(super) fn from(self, at: usize) -> Result<Self, Failure> {
        if at > self.records.len() {
            return Err(damaged());
        }
        Ok(Self { at, ..self })
    }
}
