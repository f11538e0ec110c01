//! Writes the shards of picked objects, and how far the picking got.

use shardlift_core::{
    failure::Failure,
    plan::{
        PlannedWork,
        range::{ListingTally, RangeRecord, RangeState},
    },
    port::PutOutcome,
    run::{filter::ObjectFilter, option::ArchivedPolicy, record::RunRecord},
    shard::ShardRecord,
    value::{id::ShardId, object::ListedObject},
};

use super::{open_shards::OpenShards, picked_action::PickedAction, waypoint::Waypoint};
use crate::{
    invocation_end::{InvocationEnd, SmallPlan},
    planner::Planner,
    ports::Ports,
    records::{commit, first_range, load_or_create, put_lists},
};

/// So many shards are named in the run's record: reading each of them takes less than looking for all of them.
const FEW_SHARDS_MAX: usize = 4;

/// Puts the actions of one invocation into shards.
///
/// The run has one range, which covers all keys. One transaction writes it and the shards that it now covers. So a
/// planner that dies is resumed where its last transaction ended, and one that was only believed dead is refused.
pub(crate) struct ShardWriter<'a, P: Ports, W> {
    planner: &'a Planner<P>,
    run: &'a RunRecord,
    filter: ObjectFilter,
    open: OpenShards,
    /// The counts up to `waypoint`.
    tally: ListingTally,
    /// Everything up to here is planned.
    waypoint: W,
    /// The record of the one range in the ledger.
    range: RangeRecord,
    /// Whether the ledger has the range. That of a small plan is written with its shards.
    is_range_written: bool,
    shards_begun: u64,
    manifests: u64,
    /// The shards of a plan that began in this invocation, while they are few.
    few_shards: Option<Vec<ShardRecord>>,
}

impl<'a, P: Ports, W: Waypoint> ShardWriter<'a, P, W> {
    /// Continues from the checkpoint in the ledger. Nothing when another invocation was faster.
    pub(crate) async fn resume(
        planner: &'a Planner<P>,
        run: &'a RunRecord,
    ) -> Result<Option<Self>, Failure> {
        let is_new = run.revision == 1 && run.spec.is_light();
        let range = if is_new {
            Some(first_range(run))
        } else {
            let ranges = load_or_create(&planner.ledger, run).await?;
            ranges.and_then(|ranges| ranges.into_iter().next())
        };
        let Some(range) = range else {
            return Ok(None);
        };
        let checkpoint = range.checkpoint.as_ref();
        Ok(Some(Self {
            planner,
            run,
            filter: run.spec.filters.compile()?,
            open: OpenShards::new(planner.settings.shard_bounds),
            tally: checkpoint
                .map_or_else(ListingTally::default, |checkpoint| checkpoint.tally.clone()),
            waypoint: W::read(checkpoint)?,
            few_shards: (checkpoint.is_none() && run.spec.is_light()).then(Vec::new),
            range,
            is_range_written: !is_new,
            shards_begun: 0,
            manifests: 0,
        }))
    }

    /// How far the picking got.
    pub(crate) fn waypoint(&self) -> &W {
        &self.waypoint
    }

    /// How far the picking got, to move it behind what was planned.
    pub(crate) fn waypoint_mut(&mut self) -> &mut W {
        &mut self.waypoint
    }

    /// Whether everything is planned.
    pub(crate) fn is_done(&self) -> bool {
        self.range.state == RangeState::Done
    }

    /// Plans the action for an object; the waypoint still lies before it. Refused when another invocation was faster.
    pub(crate) async fn plan(&mut self, action: PickedAction) -> Result<PutOutcome, Failure> {
        match action {
            PickedAction::Copy(source) => {
                if self.counts_apart(&source) {
                    return Ok(PutOutcome::Written);
                }
                if source.storage.is_archived && self.run.spec.archived == ArchivedPolicy::Skip {
                    self.tally.archived.add_object(source.size_bytes);
                    return Ok(PutOutcome::Written);
                }
                self.plan_copy(source).await
            }
            PickedAction::Keep { source, target } => {
                if self.counts_apart(&source) {
                    return Ok(PutOutcome::Written);
                }
                let kept = ListedObject {
                    version_id: source.version_id,
                    ..target
                };
                self.keep(source.size_bytes, kept).await
            }
            PickedAction::Delete(object) => self.plan_deletion(object).await,
            PickedAction::Nothing { size_bytes } => {
                self.tally.gone.add_object(size_bytes);
                Ok(PutOutcome::Written)
            }
        }
    }

    /// Counts an object that takes no part; whether it is one.
    fn counts_apart(&mut self, source: &ListedObject) -> bool {
        let count = if !self.admits(source) {
            &mut self.tally.filtered
        } else if self.is_root_marker(source) {
            &mut self.tally.root_markers
        } else {
            return false;
        };
        count.add_object(source.size_bytes);
        true
    }

    async fn keep(&mut self, size_bytes: u64, target: ListedObject) -> Result<PutOutcome, Failure> {
        let mut outcome = PutOutcome::Written;
        if !self.open.has_room_for_kept() {
            outcome = self.write(RangeState::Listing).await?;
        }
        self.tally.same.add_object(size_bytes);
        self.open.add_kept(target);
        Ok(outcome)
    }

    async fn plan_copy(&mut self, object: ListedObject) -> Result<PutOutcome, Failure> {
        let spec = &self.run.spec;
        let work = PlannedWork::of_object(&object, spec);
        let mut outcome = PutOutcome::Written;
        if !self.open.has_room_for_copy(work) {
            outcome = self.write(RangeState::Listing).await?;
        }
        let (storage, choice) = (object.storage, spec.storage_class);
        self.tally
            .plan_copy((work.count, work.effort), storage, choice);
        self.open.add_copy(object, work);
        Ok(outcome)
    }

    async fn plan_deletion(&mut self, object: ListedObject) -> Result<PutOutcome, Failure> {
        let mut outcome = PutOutcome::Written;
        if !self.open.has_room_for_deletion() {
            outcome = self.write(RangeState::Listing).await?;
        }
        self.tally.deletes.add_object(object.size_bytes);
        self.open.add_deletion(object);
        Ok(outcome)
    }

    fn is_root_marker(&self, object: &ListedObject) -> bool {
        let pair = &self.run.spec.pair;
        let relative = object.key.relative_to(&pair.source.prefix);
        relative.is_some_and(|relative| pair.is_root_marker(relative))
    }

    /// Of a rerun, too: the object may have changed since the earlier run planned it.
    fn admits(&self, object: &ListedObject) -> bool {
        let relative = object.key.relative_to(&self.run.spec.pair.source.prefix);
        relative.is_some_and(|relative| self.filter.admits(relative, object))
    }

    /// Writes the open shards and the checkpoint: the end, or as far as this invocation gets.
    pub(crate) async fn finish(mut self, state: RangeState) -> Result<InvocationEnd, Failure> {
        let outcome = self.write(state).await?;
        let manifests = self.manifests;
        let range = self.range;
        let small = self
            .few_shards
            .map(|shards| Box::new(SmallPlan { range, shards }));
        Ok(match (outcome, state) {
            (PutOutcome::Refused, _) => InvocationEnd::Superseded,
            (PutOutcome::Written, RangeState::Done) => InvocationEnd::Complete { manifests, small },
            (PutOutcome::Written, RangeState::Listing) => InvocationEnd::Yielded { manifests },
        })
    }

    fn note_shards(&mut self, shards: &[ShardRecord]) {
        if let Some(few) = &mut self.few_shards {
            few.extend_from_slice(shards);
            if few.len() > FEW_SHARDS_MAX {
                self.few_shards = None;
            }
        }
    }

    /// Writes the open shards and how far the picking got.
    pub(crate) async fn write(&mut self, state: RangeState) -> Result<PutOutcome, Failure> {
        let record = RangeRecord {
            checkpoint: Some(self.waypoint.checkpoint(self.tally.clone())?),
            state,
            revision: self.range.revision + u64::from(self.is_range_written),
            ..self.range.clone()
        };
        let (run, begun) = (self.run, &mut self.shards_begun);
        let (mut step, lists) = self.open.take(run, || {
            *begun += 1;
            ShardId::new(format!("{}-{begun}", run.revision))
                .map_err(|error| Failure::invariant(error.to_string()))
        })?;
        if self.is_range_written {
            step.ranges = vec![record.clone()];
        } else {
            step.new_ranges = vec![record.clone()];
        }
        self.note_shards(&step.shards);
        self.manifests += lists.len() as u64;
        put_lists(&self.planner.control, &run.run_id, lists).await?;
        let committed = commit(&self.planner.ledger, step).await?;
        self.range = record;
        self.is_range_written = true;
        Ok(committed.outcome)
    }
}
