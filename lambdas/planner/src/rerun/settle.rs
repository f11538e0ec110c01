//! Settling a rerun: the earlier run is checked, and its spec taken over, before anything is written.

use shardlift_core::{
    failure::Failure,
    plan::rerun::{self, EarlierRun},
    port::{Clock, Executions, Ledger},
    run::spec::RunSpec,
    value::id::{RunId, ShardId},
};

use crate::{planner::Planner, ports::Ports};

impl<P: Ports> Planner<P> {
    /// The spec of a rerun of the run `of`: the earlier run's, and what it is of. Nothing is written.
    ///
    /// # Errors
    /// `InvalidRun` for a run that cannot be rerun and for a shard that it does not have, see [`EarlierRun`].
    pub(crate) async fn settle_rerun(
        &self,
        of: RunId,
        chosen: Option<Vec<ShardId>>,
    ) -> Result<RunSpec, Failure> {
        let record = self.ledger.read_run(&of).await?;
        let record = record.ok_or_else(|| rerun::unknown(&of))?;
        let state = self.executions.state(&record.execution_arn).await?;
        let ranges = self.ledger.read_ranges(&of).await?;
        let mut earlier = EarlierRun::new(record, state, &ranges, chosen, self.clock.now())?;
        let mut shards = self.ledger.shards(&of);
        while let Some(shard) = shards.next().await? {
            earlier.add(&shard);
        }
        let mut lists = self.ledger.kept(&of);
        while let Some(kept) = lists.next().await? {
            earlier.add_kept(&kept);
        }
        earlier.settle()
    }
}
