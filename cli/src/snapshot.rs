//! The progress of a run, read from the ledger.

use shardlift_core::{
    failure::fault::CallFault,
    plan::range::{ListingTally, RangeRecord, RangeState},
    port::Ledger,
    run::record::RunState,
    shard::{ShardRecord, ShardState},
    value::{id::RunId, tally::Count, time::Timestamp},
};

/// What a run is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The planner checks the pair; there is nothing in the ledger yet.
    #[default]
    Starting,
    /// The planner lists and compares.
    Planning,
    /// The copiers work.
    Copying,
    /// The reporter settles the ledger.
    Reporting,
}

impl Phase {
    /// Its name, as a JSON document says it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Planning => "planning",
            Self::Copying => "copying",
            Self::Reporting => "reporting",
        }
    }
}

/// The progress of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) phase: Phase,
    /// Source objects that the planner has listed.
    pub(crate) listed: u64,
    /// Ranges of the key space that are done, and all of them.
    pub(crate) ranges_done: u64,
    pub(crate) ranges: u64,
    /// What to copy, as far as planned.
    pub(crate) planned: Count,
    /// Objects with an outcome.
    pub(crate) settled: u64,
    pub(crate) copied: Count,
    pub(crate) failed: u64,
    pub(crate) shards_done: u64,
    pub(crate) shards: u64,
    /// The greatest round in which a shard was offered.
    pub(crate) round: u32,
    /// When the last lease of a copier ends.
    pub(crate) leased_until: Option<Timestamp>,
}

impl Snapshot {
    /// Reads the ledger: the run, its ranges while it is planned, its shards.
    pub(crate) async fn read(ledger: &impl Ledger, run: &RunId) -> Result<Self, CallFault> {
        let mut snapshot = Self::default();
        let Some(record) = ledger.read_run(run).await? else {
            return Ok(snapshot);
        };
        if record.state == RunState::Planning {
            for range in ledger.read_ranges(run).await? {
                snapshot.add_range(&range);
            }
        }
        let mut shards = ledger.shards(run);
        while let Some(shard) = shards.next().await? {
            snapshot.add_shard(&shard);
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
                archived,
                planned,
                gone,
                ..
            } = &checkpoint.tally;
            let listed = [filtered, same, archived, planned, gone];
            self.listed += listed.iter().map(|count| count.objects).sum::<u64>();
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
        let lease_end = shard.lease.as_ref().map(|lease| lease.expires_at);
        self.leased_until = self.leased_until.max(lease_end);
    }
}

#[cfg(test)]
mod tests {
    use shardlift_core::{
        failure::FailureCode,
        plan::range::Checkpoint,
        port::{PlanStep, PutOutcome},
        run::record::RunRecord,
        shard::ShardWork,
        value::id::ShardId,
    };
    use shardlift_testkit::{
        CallScript, MemoryLedger,
        conformance::{range_record, run_record},
    };

    use super::*;

    const RUN: &str = "nightly-1";

    fn run() -> RunId {
        RunId::new(RUN).unwrap()
    }

    async fn ledger(state: RunState) -> MemoryLedger {
        let ledger = MemoryLedger::new(CallScript::default());
        let record = RunRecord {
            state,
            ..run_record(RUN)
        };
        let created = ledger.create_run(&record).await.unwrap();
        assert_eq!(created, PutOutcome::Written);
        ledger
    }

    /// A shard of ten objects, one of which failed as soon as anything is settled.
    async fn add_shard(ledger: &MemoryLedger, number: u32, settled: u32) {
        let id = ShardId::new(format!("1-{number}")).unwrap();
        let planned = Count {
            objects: 10,
            bytes: 1_000,
        };
        let mut shard = ShardRecord::ready(run(), id, ShardWork::CopyObjects, planned, 0);
        for index in 0..settled {
            shard.outcome.progress.settle(index);
            match index {
                0 => shard
                    .outcome
                    .tally
                    .failed
                    .add_object(FailureCode::Throttled, 100),
                _ => shard.outcome.tally.copied.add_object(100),
            }
        }
        if settled == 10 {
            shard.state = ShardState::Done;
            shard.round = 2;
        }
        let created = ledger.create_shard(&shard).await.unwrap();
        assert_eq!(created, PutOutcome::Written);
    }

    #[tokio::test]
    async fn a_run_without_a_record_is_starting() {
        let ledger = MemoryLedger::new(CallScript::default());
        let seen = Snapshot::read(&ledger, &run()).await.unwrap();
        assert_eq!((seen.phase, seen.shards), (Phase::Starting, 0));
    }

    #[tokio::test]
    async fn a_run_that_is_being_planned_shows_what_its_ranges_listed() {
        let ledger = ledger(RunState::Planning).await;
        let mut ranges: Vec<RangeRecord> = (0..3).map(|number| range_record(RUN, number)).collect();
        for (listed, range) in (0_u64..).zip(&mut ranges) {
            range.state = RangeState::Listing;
            range.checkpoint = None;
            if listed > 0 {
                let mut tally = ListingTally::default();
                tally.filtered.objects = 1;
                tally.same.objects = 20 * listed;
                tally.planned.objects = 300 * listed;
                range.state = RangeState::Done;
                range.checkpoint = Some(Checkpoint {
                    through: None,
                    tally,
                    list: None,
                });
            }
        }
        let step = PlanStep {
            new_ranges: ranges,
            ..PlanStep::default()
        };
        let written = ledger.commit_plan(&step).await.unwrap();
        assert_eq!(written, PutOutcome::Written);
        let seen = Snapshot::read(&ledger, &run()).await.unwrap();
        assert_eq!(seen.phase, Phase::Planning);
        assert_eq!((seen.listed, seen.ranges_done, seen.ranges), (962, 2, 3));
    }

    #[tokio::test]
    async fn all_pages_of_shards_are_added_up_until_the_last_one_is_done() {
        let ledger = ledger(RunState::Planned).await;
        for number in 0..7 {
            add_shard(&ledger, number, 10).await;
        }
        add_shard(&ledger, 7, 4).await;
        let seen = Snapshot::read(&ledger, &run()).await.unwrap();
        assert_eq!(seen.phase, Phase::Copying);
        assert_eq!((seen.shards_done, seen.shards, seen.round), (7, 8, 2));
        assert_eq!((seen.planned.objects, seen.settled), (80, 74));
        assert_eq!((seen.copied.objects, seen.copied.bytes), (66, 6_600));
        assert_eq!(seen.failed, 8);
    }

    #[tokio::test]
    async fn a_run_whose_shards_are_done_is_reported() {
        let ledger = ledger(RunState::Planned).await;
        add_shard(&ledger, 0, 10).await;
        let seen = Snapshot::read(&ledger, &run()).await.unwrap();
        assert_eq!(seen.phase, Phase::Reporting);
    }

    #[tokio::test]
    async fn a_ledger_that_fails_is_no_empty_run() {
        let script = CallScript::default();
        script.deny("dynamodb:Query");
        let ledger = MemoryLedger::new(script);
        let created = ledger.create_run(&run_record(RUN)).await.unwrap();
        assert_eq!(created, PutOutcome::Written);
        assert!(Snapshot::read(&ledger, &run()).await.is_err());
    }
}
