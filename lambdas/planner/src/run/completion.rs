//! Completing a plan: the sums of the ledger must agree, then the index is written.

use shardlift_aws::telemetry::field;
use shardlift_core::{
    documents::RunDocuments,
    failure::Failure,
    plan::{
        EstimateBasis, ListCounts, RunEstimate,
        range::{self, ListingTally, RangeRecord, RangeState},
    },
    port::{Ledger, PutOutcome},
    run::{
        event::RunKind,
        record::{PlanTotals, RunRecord, RunState},
    },
    shard::{ShardRecord, ShardWork},
    value::{
        id::ShardId,
        tally::{Count, RequestCounts, add_requests},
    },
};
use tracing::info;

use crate::{invocation_end::SmallPlan, planner::Planner, ports::Ports};

/// The sums of all shards in the ledger.
#[derive(Debug, Default)]
struct ShardSums {
    copies: Count,
    deletes: Count,
    /// How many shards there are.
    shards: u64,
    /// The shards of the first round. Deletions wait until the reporter finds that every shard that copies has ended.
    first_round: Vec<ShardId>,
}

impl ShardSums {
    fn of(shards: Vec<ShardRecord>) -> Self {
        let mut sums = Self::default();
        shards.into_iter().for_each(|shard| sums.add(shard));
        sums.in_arbitrary_order()
    }

    fn add(&mut self, shard: ShardRecord) {
        self.shards += 1;
        match shard.work {
            ShardWork::CopyObjects | ShardWork::CopyParts { .. } => {
                self.copies.add(shard.planned);
                self.first_round.push(shard.shard_id);
            }
            // The copier of the last part shard assembles the object.
            ShardWork::AssembleObject { .. } => self.copies.add(shard.planned),
            ShardWork::DeleteObjects => self.deletes.add(shard.planned),
        }
    }

    /// Neighbors in key order share a partition of S3. Shards in an arbitrary order spread the copiers over all partitions.
    fn in_arbitrary_order(mut self) -> Self {
        self.first_round
            .sort_by_cached_key(|id| (id.partition(u32::MAX), id.clone()));
        self
    }
}

impl<P: Ports> Planner<P> {
    /// Writes the index of the first round and the totals of the plan, in this order: a planned run has its index.
    /// `surveyed` is what the list consists of, where the ranges do not tell.
    pub(crate) async fn complete_plan(
        &self,
        run: &mut RunRecord,
        requests: RequestCounts,
        surveyed: Option<ListCounts>,
        small: Option<Box<SmallPlan>>,
    ) -> Result<PutOutcome, Failure> {
        let few_shards = small.iter().flat_map(|small| &small.shards);
        let few_shards = few_shards.map(|shard| shard.shard_id.clone()).collect();
        let ((tally, list), sums) = match small.map(|small| *small) {
            Some(small) => (sum_of(run, vec![small.range])?, ShardSums::of(small.shards)),
            None => {
                let ranges = self.ledger.read_ranges(&run.run_id).await?;
                (sum_of(run, ranges)?, self.sum_shards(run).await?)
            }
        };
        let list = surveyed.map_or(list, |counts| Some(counts.with_looks(&tally.looks)));
        if (sums.copies, sums.deletes) != (tally.planned, tally.deletes) {
            return Err(Failure::invariant(format!(
                "the ranges of run {} planned {:?} to copy and {:?} to delete, its shards hold {:?} and {:?}",
                run.run_id, tally.planned, tally.deletes, sums.copies, sums.deletes
            )));
        }
        RunDocuments::new(&self.control, &run.run_id)
            .write_index(1, &sums.first_round)
            .await?;
        let mut all_requests = run.totals.requests.clone();
        add_requests(&mut all_requests, &requests);
        let deletes_held = holds_deletes(run, &tally);
        let mut made = tally.clone();
        if deletes_held {
            made.deletes = Count::default();
        }
        run.totals = PlanTotals {
            planned: tally.planned,
            deletes: tally.deletes.objects,
            deletable: tally.deletable.objects,
            deletes_held,
            same: tally.same,
            archived: tally.archived,
            classes: tally.classes,
            filtered: tally.filtered,
            beside_prefix: tally.beside_prefix,
            gone: tally.gone,
            root_markers: tally.root_markers,
            list,
            shards: sums.shards,
            few_shards,
            estimate: RunEstimate::of(&EstimateBasis {
                spec: &run.spec,
                tally: &made,
                shards: sums.shards,
                max_concurrency: self.settings.max_concurrency,
                worker_memory_mb: match run.spec.kind() {
                    RunKind::Copy => self.settings.copier_memory_mb,
                    RunKind::Render => self.settings.renderer_memory_mb,
                },
                writes_per_second_max: self.settings.writes_per_second_max,
                planning: &all_requests,
            }),
            requests: all_requests,
        };
        run.state = RunState::Planned;
        run.revision += 1;
        log_plan(run);
        Ok(self.ledger.replace_run(run).await?)
    }

    /// Adds the requests of an invocation that yields to the run's record. A refusal means that another invocation is at
    /// work, whose count then stands.
    pub(crate) async fn note_requests(
        &self,
        mut run: RunRecord,
        requests: RequestCounts,
    ) -> Result<(), Failure> {
        add_requests(&mut run.totals.requests, &requests);
        run.revision += 1;
        if self.ledger.replace_run(&run).await? == PutOutcome::Refused {
            info!({ field::RUN_ID } = %run.run_id, "the requests of this invocation are not counted because another one is at work");
        }
        Ok(())
    }

    async fn sum_shards(&self, run: &RunRecord) -> Result<ShardSums, Failure> {
        let mut sums = ShardSums::default();
        let mut shards = self.ledger.shards(&run.run_id);
        while let Some(shard) = shards.next().await? {
            sums.add(shard);
        }
        Ok(sums.in_arbitrary_order())
    }
}

/// The counts of all ranges, and what the list is made of, if one named the objects.
fn sum_of(
    run: &RunRecord,
    mut ranges: Vec<RangeRecord>,
) -> Result<(ListingTally, Option<ListCounts>), Failure> {
    ranges.sort_by(|one, other| one.bounds.after.cmp(&other.bounds.after));
    let bounds: Vec<_> = ranges.iter().map(|range| &range.bounds).collect();
    if !range::tiles(&bounds) {
        return Err(Failure::invariant(format!(
            "the {} ranges of run {} do not tile the key space",
            ranges.len(),
            run.run_id
        )));
    }
    let (mut tally, mut list) = (ListingTally::default(), None);
    for range in ranges {
        if range.state != RangeState::Done {
            return Err(Failure::invariant(format!(
                "range {} of run {} is not done although the listing ended",
                range.range_id, run.run_id
            )));
        }
        if let Some(checkpoint) = range.checkpoint {
            tally.add(&checkpoint.tally);
            list = list.or(checkpoint.list.map(|list| list.counts));
        }
    }
    Ok((tally, list))
}

/// Whether a mirror would delete more than its limits allow, so that it deletes nothing. Deletions within either limit are
/// made. Objects that the globs leave out do not make the share smaller.
///
/// A source of which no object takes part asks to delete every object of the target: a typo in a prefix or a filter looks
/// like this, so the input must say that it is meant (P11). A rerun does not list the target: it deletes only what the plan
/// of its earlier run did, which was checked.
fn holds_deletes(run: &RunRecord, tally: &ListingTally) -> bool {
    let spec = &run.spec;
    if let Some(rerun) = &spec.rerun {
        return rerun.deletions_held;
    }
    if !spec.mode.writes() {
        return false;
    }
    let (deletes, deletable) = (tally.deletes.objects, tally.deletable.objects);
    let share_max = u128::from(deletable) * u128::from(spec.delete_max_percent);
    let is_within_share = u128::from(deletes) * 100 <= share_max;
    let is_within_count = deletes <= spec.delete_max_objects;
    let taking_part = [tally.planned, tally.same, tally.archived];
    // Events that all tell of deletions say nothing about the rest of the source.
    let is_empty = spec.events.is_none() && taking_part.iter().all(|count| count.objects == 0);
    (is_empty && !spec.allow_empty_source) || (!is_within_share && !is_within_count)
}

fn log_plan(run: &RunRecord) {
    let totals = &run.totals;
    info!(
        { field::RUN_ID } = %run.run_id,
        planned.objects = totals.planned.objects,
        planned.bytes = totals.planned.bytes,
        deletes = totals.deletes,
        deletes.held = totals.deletes_held,
        same.objects = totals.same.objects,
        archived.objects = totals.archived.objects,
        class_changed.objects = totals.classes.changed,
        filtered.objects = totals.filtered.objects,
        shards = totals.shards,
        "the plan is complete"
    );
}
