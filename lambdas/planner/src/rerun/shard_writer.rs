//! Writes the shards of a rerun, and how far it got through the earlier run.

use shardlift_core::{
    failure::Failure,
    plan::{
        PlannedWork,
        range::{Checkpoint, ListingTally, RangeRecord, RangeState},
    },
    port::{PlanStep, PutOutcome},
    run::{filter::ObjectFilter, option::ArchivedPolicy, record::RunRecord},
    value::{id::ShardId, object::ListedObject},
};

use super::{
    action::RerunAction, open_shards::OpenShards, position::Position, undone_object::UndoneObject,
};
use crate::{
    invocation_end::InvocationEnd,
    planner::Planner,
    ports::Ports,
    records::{commit, load_or_create, put_lists},
};

/// Puts the actions of one invocation into shards.
///
/// The rerun has one range, which covers all keys. One transaction writes it and the shards that it now covers. So a
/// planner that dies is resumed where its last transaction ended, and one that was only believed dead is refused.
pub(super) struct ShardWriter<'a, P: Ports> {
    planner: &'a Planner<P>,
    run: &'a RunRecord,
    filter: ObjectFilter,
    open: OpenShards,
    /// The counts up to `position`.
    tally: ListingTally,
    /// The last planned object of the earlier run.
    position: Option<Position>,
    /// The record of the one range in the ledger.
    range: RangeRecord,
    shards_begun: u64,
    manifests: u64,
}

impl<'a, P: Ports> ShardWriter<'a, P> {
    /// Continues from the checkpoint in the ledger. Nothing when another invocation was faster.
    pub(super) async fn resume(
        planner: &'a Planner<P>,
        run: &'a RunRecord,
    ) -> Result<Option<Self>, Failure> {
        let ranges = load_or_create(&planner.ledger, run).await?;
        let Some(range) = ranges.and_then(|ranges| ranges.into_iter().next()) else {
            return Ok(None);
        };
        let checkpoint = range.checkpoint.as_ref();
        let through = checkpoint.and_then(|checkpoint| checkpoint.through.as_ref());
        Ok(Some(Self {
            planner,
            run,
            filter: run.spec.filters.compile()?,
            open: OpenShards::new(planner.settings.shard_bounds),
            tally: checkpoint
                .map_or_else(ListingTally::default, |checkpoint| checkpoint.tally.clone()),
            position: through.map(Position::parse).transpose()?,
            range,
            shards_begun: 0,
            manifests: 0,
        }))
    }

    /// Whether the undone object at `position` is planned.
    pub(super) fn has_planned(&self, position: &Position) -> bool {
        self.position.as_ref() >= Some(position)
    }

    /// Whether every undone object of this shard is planned, since one of a later shard is.
    pub(super) fn is_past(&self, shard_id: &ShardId) -> bool {
        let reached = self.position.as_ref().map(|position| &position.shard_id);
        reached > Some(shard_id)
    }

    /// Whether everything is planned.
    pub(super) fn is_done(&self) -> bool {
        self.range.state == RangeState::Done
    }

    /// Plans the action for an undone object. Refused when another invocation was faster.
    pub(super) async fn plan(
        &mut self,
        undone: UndoneObject,
        action: RerunAction,
    ) -> Result<PutOutcome, Failure> {
        let outcome = match action {
            RerunAction::Nothing => {
                self.tally.gone.add_object(undone.size_bytes);
                PutOutcome::Written
            }
            RerunAction::Copy(object) if !self.admits(&object) => {
                self.tally.filtered.add_object(object.size_bytes);
                PutOutcome::Written
            }
            RerunAction::Copy(object) if self.is_root_marker(&object) => {
                self.tally.root_markers.add_object(object.size_bytes);
                PutOutcome::Written
            }
            RerunAction::Copy(object) if self.leaves_out(&object) => {
                self.tally.archived.add_object(object.size_bytes);
                PutOutcome::Written
            }
            RerunAction::Copy(object) => self.plan_copy(object).await?,
            RerunAction::Delete(object) => self.plan_deletion(object).await?,
        };
        self.position = Some(undone.position);
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

    /// The object may have changed since the earlier run planned it.
    fn admits(&self, object: &ListedObject) -> bool {
        let relative = object.key.relative_to(&self.run.spec.pair.source.prefix);
        relative.is_some_and(|relative| self.filter.admits(relative, object))
    }

    fn leaves_out(&self, object: &ListedObject) -> bool {
        object.storage.is_archived && self.run.spec.archived == ArchivedPolicy::Skip
    }

    /// Writes the open shards and the checkpoint: the end, or as far as this invocation gets.
    pub(super) async fn finish(mut self, state: RangeState) -> Result<InvocationEnd, Failure> {
        let outcome = self.write(state).await?;
        let manifests = self.manifests;
        Ok(match (outcome, state) {
            (PutOutcome::Refused, _) => InvocationEnd::Superseded,
            (PutOutcome::Written, RangeState::Done) => InvocationEnd::Complete { manifests },
            (PutOutcome::Written, RangeState::Listing) => InvocationEnd::Yielded { manifests },
        })
    }

    async fn write(&mut self, state: RangeState) -> Result<PutOutcome, Failure> {
        let record = RangeRecord {
            checkpoint: Some(Checkpoint {
                through: self.position.as_ref().map(Position::to_text).transpose()?,
                tally: self.tally.clone(),
            }),
            state,
            revision: self.range.revision + 1,
            ..self.range.clone()
        };
        let (run, begun) = (self.run, &mut self.shards_begun);
        let (shards, manifests) = self.open.take(run, || {
            *begun += 1;
            ShardId::new(format!("{}-{begun}", run.revision))
                .map_err(|error| Failure::invariant(error.to_string()))
        })?;
        let step = PlanStep {
            shards,
            kept: Vec::new(),
            new_ranges: Vec::new(),
            ranges: vec![record.clone()],
        };
        self.manifests += manifests.len() as u64;
        put_lists(&self.planner.control, &run.run_id, manifests).await?;
        let committed = commit(&self.planner.ledger, step).await?;
        self.range = record;
        Ok(committed.outcome)
    }
}
