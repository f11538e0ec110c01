//! What a rerun has accounted for, on its way into the ledger.

use shardlift_core::{
    failure::{Failure, fault::CallFault},
    plan::{
        PlannedWork, ShardBounds,
        range::{Checkpoint, KeyRange, ListingTally, RangeRecord, RangeState},
    },
    port::{ControlStore, Ledger, PlanStep, PutOutcome},
    run::{filter::ObjectFilter, record::RunRecord},
    value::{
        id::{RangeId, ShardId},
        object::ListedObject,
    },
};

use super::{draft::Draft, errand::Errand, position::Position, undone_object::UndoneObject};
use crate::{
    commit,
    survey::{SurveyEnd, new_range},
};

/// The errands of one invocation, put into shards.
///
/// The rerun has one range, which covers all keys. It changes in the same transaction as the shards that account for
/// it, so a planner that dies is resumed where its last transaction ended, and one that was only believed dead is
/// refused.
pub(super) struct Account<'a, L, C> {
    ledger: &'a L,
    control: &'a C,
    run: &'a RunRecord,
    filter: ObjectFilter,
    draft: Draft,
    /// The counts up to `position`.
    tally: ListingTally,
    position: Option<Position>,
    /// The one range as it stands in the ledger.
    range: RangeRecord,
    shards_begun: u64,
    manifests: u64,
}

impl<'a, L: Ledger, C: ControlStore> Account<'a, L, C> {
    /// Goes on where the ledger says. Nothing when another invocation was faster.
    pub(super) async fn resume(
        ledger: &'a L,
        control: &'a C,
        run: &'a RunRecord,
        bounds: ShardBounds,
    ) -> Result<Option<Self>, Failure> {
        let Some(range) = load_range(ledger, run).await? else {
            return Ok(None);
        };
        let checkpoint = range.checkpoint.as_ref();
        let through = checkpoint.and_then(|checkpoint| checkpoint.through.as_ref());
        Ok(Some(Self {
            ledger,
            control,
            run,
            filter: run.spec.filters.compile()?,
            draft: Draft::new(bounds),
            tally: checkpoint.map_or_else(ListingTally::default, |checkpoint| checkpoint.tally),
            position: through.map(Position::parse).transpose()?,
            range,
            shards_begun: 0,
            manifests: 0,
        }))
    }

    /// Whether an undone object at `position` is accounted for.
    pub(super) fn holds(&self, position: &Position) -> bool {
        self.position.as_ref() >= Some(position)
    }

    /// Whether every undone object of this shard is accounted for, since one of a later shard is.
    pub(super) fn is_past(&self, shard_id: &ShardId) -> bool {
        let reached = self.position.as_ref().map(|position| &position.shard_id);
        reached > Some(shard_id)
    }

    /// Whether everything is accounted for.
    pub(super) fn is_done(&self) -> bool {
        self.range.state == RangeState::Done
    }

    /// Accounts for an undone object. Refused when another invocation was faster.
    pub(super) async fn take(
        &mut self,
        undone: UndoneObject,
        errand: Errand,
    ) -> Result<PutOutcome, Failure> {
        let outcome = match errand {
            Errand::Nothing => {
                self.tally.gone.add_object(undone.size_bytes);
                PutOutcome::Written
            }
            Errand::Copy(object) if !self.admits(&object) => {
                self.tally.filtered.add_object(object.size_bytes);
                PutOutcome::Written
            }
            Errand::Copy(object) => self.take_copy(object).await?,
            Errand::Delete(object) => self.take_deletion(object).await?,
        };
        self.position = Some(undone.position);
        Ok(outcome)
    }

    async fn take_copy(&mut self, object: ListedObject) -> Result<PutOutcome, Failure> {
        let spec = &self.run.spec;
        let work = PlannedWork::copy_of(
            object.size_bytes,
            spec.multipart_threshold_bytes,
            spec.part_bytes,
        );
        let mut outcome = PutOutcome::Written;
        if !self.draft.holds_copy(work) {
            outcome = self.write(RangeState::Listing).await?;
        }
        self.tally.planned.add(work.count);
        self.tally.effort.add(work.effort);
        self.draft.add_copy(object, work);
        Ok(outcome)
    }

    async fn take_deletion(&mut self, object: ListedObject) -> Result<PutOutcome, Failure> {
        let mut outcome = PutOutcome::Written;
        if !self.draft.holds_deletion() {
            outcome = self.write(RangeState::Listing).await?;
        }
        self.tally.deletes.add_object(object.size_bytes);
        self.draft.add_deletion(object);
        Ok(outcome)
    }

    /// The object may have changed since the earlier run planned it.
    fn admits(&self, object: &ListedObject) -> bool {
        let relative = object.key.relative_to(&self.run.spec.pair.source.prefix);
        relative.is_some_and(|relative| self.filter.admits(relative, object))
    }

    /// Writes what waits, and how far the earlier run is accounted for: all of it, or as far as this invocation goes.
    pub(super) async fn close(mut self, state: RangeState) -> Result<SurveyEnd, Failure> {
        let outcome = self.write(state).await?;
        let manifests = self.manifests;
        Ok(match (outcome, state) {
            (PutOutcome::Refused, _) => SurveyEnd::Overtaken,
            (PutOutcome::Written, RangeState::Done) => SurveyEnd::Listed { manifests },
            (PutOutcome::Written, RangeState::Listing) => SurveyEnd::Yielded { manifests },
        })
    }

    async fn write(&mut self, state: RangeState) -> Result<PutOutcome, Failure> {
        let record = RangeRecord {
            checkpoint: Some(Checkpoint {
                through: self.position.as_ref().map(Position::to_text).transpose()?,
                tally: self.tally,
            }),
            state,
            revision: self.range.revision + 1,
            ..self.range.clone()
        };
        let (run, begun) = (self.run, &mut self.shards_begun);
        let (shards, manifests) = self.draft.take(run, || {
            *begun += 1;
            ShardId::new(format!("{}-{begun}", run.revision))
                .map_err(|error| Failure::invariant(error.to_string()))
        })?;
        let step = PlanStep {
            shards,
            new_ranges: Vec::new(),
            ranges: vec![record.clone()],
        };
        self.manifests += manifests.len() as u64;
        commit::put_manifests(self.control, &run.run_id, manifests).await?;
        let end = commit::commit(self.ledger, step).await?;
        self.range = record;
        Ok(end.outcome)
    }
}

/// The one range, read or written. Nothing when another invocation was faster.
async fn load_range<L: Ledger>(
    ledger: &L,
    run: &RunRecord,
) -> Result<Option<RangeRecord>, Failure> {
    let stored = ledger.read_ranges(&run.run_id).await;
    if let Some(range) = stored.map_err(CallFault::into_failure)?.into_iter().next() {
        return Ok(Some(range));
    }
    let range = new_range(run, RangeId::numbered(0), KeyRange::default());
    let step = PlanStep {
        new_ranges: vec![range.clone()],
        ..PlanStep::default()
    };
    let written = ledger.commit_plan(&step).await;
    Ok(match written.map_err(CallFault::into_failure)? {
        PutOutcome::Written => Some(range),
        PutOutcome::Refused => None,
    })
}
