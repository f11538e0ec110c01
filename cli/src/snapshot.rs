//! How far a run is, read from the ledger.

use shardlift_core::{
    fault::CallFault,
    id::RunId,
    port::Ledger,
    range::{ListingTally, RangeRecord, RangeState},
    run::RunState,
    shard::{ShardRecord, ShardState},
    tally::Count,
};

/// What a run does at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The planner checks the pair; there is nothing in the ledger yet.
    Starting,
    /// The planner lists and compares.
    Planning,
    /// The copiers work.
    Copying,
    /// The reporter settles the ledger.
    Reporting,
}

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) phase: Phase,
    /// Objects of the source that the planner has looked at.
    pub(crate) listed: u64,
    /// Ranges of the key space that are done, and all of them.
    pub(crate) ranges_done: u64,
    pub(crate) ranges: u64,
    /// What is to be copied, as far as it is known.
    pub(crate) planned: Count,
    /// What has an outcome.
    pub(crate) settled: u64,
    pub(crate) copied: Count,
    pub(crate) failed: u64,
    pub(crate) shards_done: u64,
    pub(crate) shards: u64,
    /// The greatest round in which a shard was offered.
    pub(crate) round: u32,
}

impl Snapshot {
    /// Reads the ledger: the run, its ranges while it is planned, its shards.
    pub(crate) async fn read(ledger: &impl Ledger, run: &RunId) -> Result<Self, CallFault> {
        let mut snapshot = Self {
            phase: Phase::Starting,
            listed: 0,
            ranges_done: 0,
            ranges: 0,
            planned: Count::default(),
            settled: 0,
            copied: Count::default(),
            failed: 0,
            shards_done: 0,
            shards: 0,
            round: 0,
        };
        let Some(record) = ledger.read_run(run).await? else {
            return Ok(snapshot);
        };
        if record.state == RunState::Planning {
            for range in ledger.read_ranges(run).await? {
                snapshot.add_range(&range);
            }
        }
        let mut from = None;
        loop {
            let page = ledger.read_shards(run, from.as_deref()).await?;
            for shard in &page.items {
                snapshot.add_shard(shard);
            }
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        snapshot.phase = match record.state {
            RunState::Planning => Phase::Planning,
            RunState::Planned if snapshot.shards_done < snapshot.shards => Phase::Copying,
            RunState::Planned | RunState::Reported => Phase::Reporting,
        };
        Ok(snapshot)
    }

    fn add_range(&mut self, range: &RangeRecord) {
        self.ranges += 1;
        self.ranges_done += u64::from(range.state == RangeState::Done);
        if let Some(checkpoint) = &range.checkpoint {
            let ListingTally {
                filtered,
                same,
                planned,
                ..
            } = checkpoint.tally;
            self.listed += filtered.objects + same.objects + planned.objects;
        }
    }

    fn add_shard(&mut self, shard: &ShardRecord) {
        self.shards += 1;
        self.shards_done += u64::from(shard.state == ShardState::Done);
        self.round = self.round.max(shard.round);
        self.planned.add(shard.planned);
        self.settled += shard.outcome.tally.settled_objects();
        self.copied.add(shard.outcome.tally.copied);
        self.failed += shard.outcome.tally.failed.objects;
    }
}
