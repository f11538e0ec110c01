//! Reruns: what an earlier run left undone is planned again, from its ledger and its documents.
//!
//! Settling checks the earlier run before anything is written. [`Replan`] then takes the place of the survey: it reads
//! the undone objects shard by shard, looks each of them up as it is now, and writes shards of its own.

mod account;
mod draft;
mod earlier_documents;
mod errand;
mod lookup;
mod position;
mod replan;
mod undone_object;

use shardlift_core::{
    failure::{Failure, fault::CallFault},
    plan::rerun::{self, EarlierRun},
    port::{Accounts, Clock, ControlStore, Executions, Ledger},
    run::spec::RunSpec,
    value::id::{RunId, ShardId},
};

pub(crate) use self::replan::Replan;
use crate::Planner;

impl<A, L, C, E, K> Planner<A, L, C, E, K>
where
    A: Accounts,
    L: Ledger,
    C: ControlStore,
    E: Executions,
    K: Clock,
{
    /// The spec of a rerun of the run `of`: the earlier run's, and what it is of. Nothing is written.
    ///
    /// # Errors
    /// `InvalidRun` for a run that cannot be rerun and for a shard that it does not have, see [`EarlierRun`].
    pub(crate) async fn settle_rerun(
        &self,
        of: RunId,
        chosen: Option<Vec<ShardId>>,
    ) -> Result<RunSpec, Failure> {
        let record = self.ledger.read_run(&of).await;
        let record = record
            .map_err(CallFault::into_failure)?
            .ok_or_else(|| rerun::unknown(&of))?;
        let state = self.executions.state(&record.execution_arn).await;
        let state = state.map_err(CallFault::into_failure)?;
        let ranges = self.ledger.read_ranges(&of).await;
        let ranges = ranges.map_err(CallFault::into_failure)?;
        let mut earlier = EarlierRun::new(record, state, &ranges, chosen, self.clock.now())?;
        let mut shards = self.ledger.shards(&of);
        while let Some(shard) = shards.next().await? {
            earlier.add(&shard);
        }
        earlier.settle()
    }
}
