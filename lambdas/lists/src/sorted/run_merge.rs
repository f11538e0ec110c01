//! Makes one run of several, a block at a time.

use serde::{Deserialize, Serialize};
use shardlift_core::{failure::Failure, value::key::ObjectKey};

use super::{
    block::{BlockWriter, OpenBlock, SortedBlock},
    record::{RepeatedEntries, damaged, key_of},
};

/// How far a run is merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RunCursor {
    /// The block that is read, by its place in the run.
    pub block: usize,
    /// How many bytes of it are merged.
    pub at: usize,
}

/// What a merge needs or has.
#[derive(Debug)]
pub enum RunMergeStep {
    /// The block at the cursor of this run, or that there is none: [`feed`](RunMerge::feed) it.
    NeedsBlock(usize),
    /// The next block.
    Block(SortedBlock),
    /// Nothing any more.
    End,
}

/// Merges runs in key order: those that come first in the list first, since of two entries with one key the first stays.
#[derive(Debug)]
pub struct RunMerge {
    inputs: Vec<Input>,
    /// The runs that have a record at hand, as a heap: the one with the smallest is the first.
    heap: Vec<usize>,
    /// A run that has no record at hand and has not ended.
    waiting: Vec<usize>,
    last: Vec<u8>,
    blocks: BlockWriter,
    repeated: RepeatedEntries,
}

#[derive(Debug, Default)]
struct Input {
    block: OpenBlock,
    cursor: RunCursor,
    has_ended: bool,
}

impl RunMerge {
    /// A merge of runs from these cursors on, behind `last`, which was given out before.
    #[must_use]
    pub fn resume(cursors: &[RunCursor], last: Option<&ObjectKey>, block_bytes_max: usize) -> Self {
        let input = |cursor: &RunCursor| Input {
            cursor: *cursor,
            ..Input::default()
        };
        Self {
            inputs: cursors.iter().map(input).collect(),
            heap: Vec::with_capacity(cursors.len()),
            waiting: (0..cursors.len()).rev().collect(),
            last: last.map_or_else(Vec::new, |key| key.as_str().as_bytes().to_vec()),
            blocks: BlockWriter::new(block_bytes_max),
            repeated: RepeatedEntries::default(),
        }
    }

    /// Where each run is read on. After [`RunMergeStep::Block`] and [`RunMergeStep::End`] everything before is given out.
    #[must_use]
    pub fn cursors(&self) -> Vec<RunCursor> {
        let cursor = |input: &Input| input.cursor;
        self.inputs.iter().map(cursor).collect()
    }

    /// The key that was merged last.
    ///
    /// # Errors
    /// `InvariantViolated` where a block is damaged.
    pub fn last(&self) -> Result<Option<ObjectKey>, Failure> {
        if self.last.is_empty() {
            return Ok(None);
        }
        key_of(&self.last).map(Some)
    }

    /// Where this run is read on.
    #[must_use]
    pub fn cursor(&self, run: usize) -> RunCursor {
        self.inputs
            .get(run)
            .map_or_else(RunCursor::default, |input| input.cursor)
    }

    /// Ends the block at hand, so that everything before the cursors is given out.
    ///
    /// # Errors
    /// `InvariantViolated` where a block is damaged.
    pub fn cut(&mut self) -> Result<Option<SortedBlock>, Failure> {
        self.blocks.take()
    }

    /// The entries so far that name an object again; they are told once.
    pub fn take_repeated(&mut self) -> RepeatedEntries {
        std::mem::take(&mut self.repeated)
    }

    /// Takes the block at the cursor of a run; nothing behind its last one.
    ///
    /// # Errors
    /// `InvariantViolated` where the block is damaged.
    pub fn feed(&mut self, run: usize, block: Option<OpenBlock>) -> Result<(), Failure> {
        let input = self.inputs.get_mut(run).ok_or_else(damaged)?;
        match block {
            Some(block) => input.block = block.from(input.cursor.at)?,
            None => input.has_ended = true,
        }
        self.waiting.retain(|waiting| *waiting != run);
        self.enter(run)
    }

    /// Goes on to the next block.
    ///
    /// # Errors
    /// `InvariantViolated` where a block is damaged.
    pub fn step(&mut self) -> Result<RunMergeStep, Failure> {
        loop {
            if let Some(run) = self.waiting.last() {
                return Ok(RunMergeStep::NeedsBlock(*run));
            }
            let Some(run) = self.heap.first().copied() else {
                let rest = self.blocks.take()?;
                return Ok(rest.map_or(RunMergeStep::End, RunMergeStep::Block));
            };
            let record = self.inputs[run].block.record()?.ok_or_else(damaged)?;
            let mut is_full = false;
            if record.key == self.last {
                self.repeated.add(record)?;
            } else {
                self.last.clear();
                self.last.extend_from_slice(record.key);
                is_full = self.blocks.push(record);
            }
            self.advance(run)?;
            if is_full && let Some(block) = self.blocks.take()? {
                return Ok(RunMergeStep::Block(block));
            }
        }
    }

    /// Moves the first run of the heap behind its record.
    fn advance(&mut self, run: usize) -> Result<(), Failure> {
        let input = &mut self.inputs[run];
        input.block.pass()?;
        input.cursor.at = input.block.at();
        if input.block.record()?.is_some() {
            return self.sink(0);
        }
        self.heap.swap_remove(0);
        self.sink(0)?;
        self.enter(run)
    }

    /// Puts a run where it belongs: into the heap with its next record, or to those that wait for a block.
    fn enter(&mut self, run: usize) -> Result<(), Failure> {
        let input = &mut self.inputs[run];
        if input.block.record()?.is_some() {
            self.heap.push(run);
            return self.rise();
        }
        if input.has_ended {
            return Ok(());
        }
        if input.block.at() > 0 {
            input.cursor = RunCursor {
                block: input.cursor.block + 1,
                at: 0,
            };
            input.block = OpenBlock::default();
        }
        self.waiting.push(run);
        Ok(())
    }

    fn is_before(&self, one: usize, other: usize) -> Result<bool, Failure> {
        let (one, other) = (self.heap[one], self.heap[other]);
        let key = |run: usize| self.inputs[run].block.record();
        let keys = (key(one)?, key(other)?);
        let (Some(of_one), Some(of_other)) = keys else {
            return Err(damaged());
        };
        Ok((of_one.key, one) < (of_other.key, other))
    }

    /// Moves the last run of the heap up to its place.
    fn rise(&mut self) -> Result<(), Failure> {
        let mut at = self.heap.len() - 1;
        while at > 0 {
            let parent = (at - 1) / 2;
            if !self.is_before(at, parent)? {
                break;
            }
            self.heap.swap(at, parent);
            at = parent;
        }
        Ok(())
    }

    /// Moves a run of the heap down to its place.
    fn sink(&mut self, mut at: usize) -> Result<(), Failure> {
        loop {
            let mut least = at;
            for child in [2 * at + 1, 2 * at + 2] {
                if child < self.heap.len() && self.is_before(child, least)? {
                    least = child;
                }
            }
            if least == at {
                return Ok(());
            }
            self.heap.swap(at, least);
            at = least;
        }
    }
}
