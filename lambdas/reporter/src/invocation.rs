//! One invocation: what was asked, until when, and the ports that its steps share.

use futures::{Stream, StreamExt, stream};
use shardlift_core::{
    access::{
        ceilings::Ceilings,
        policy::session::{SessionWork, session_policy},
    },
    documents::RunDocuments,
    failure::{Context, Failure},
    port::{Accounts, Clock, Ledger, SessionName},
    run::{event::ReporterEvent, pair::Pair, record::RunRecord},
    shard::ShardRecord,
    value::{deadline::Deadline, id::RunId, time::Timestamp},
};

use crate::ports::{Ports, Target};

/// One invocation of the reporter.
pub(crate) struct Invocation<'a, P: Ports> {
    pub(crate) accounts: &'a P::Accounts,
    pub(crate) ledger: &'a P::Ledger,
    pub(crate) control: &'a P::Control,
    pub(crate) notifier: &'a P::Notifier,
    pub(crate) clock: &'a P::Clock,
    /// What a run may ask for; nothing where the stack's parameters cannot be read.
    pub(crate) ceilings: Option<&'a Ceilings>,
    pub(crate) event: &'a ReporterEvent,
    pub(crate) deadline: Deadline,
    /// All shards of the run, where its record names them: they are read once.
    pub(crate) few_shards: Vec<ShardRecord>,
}

impl<'a, P: Ports> Invocation<'a, P> {
    /// Whether the run writes to the place of a further pair.
    pub(crate) fn is_elsewhere(&self, pair: &Pair) -> bool {
        self.ceilings
            .is_some_and(|ceilings| ceilings.is_elsewhere(pair))
    }

    /// The documents of the run.
    pub(crate) fn documents(&self) -> RunDocuments<'a, P::Control> {
        RunDocuments::new(self.control, &self.event.run_id)
    }

    /// Every shard of the run, in the ledger's order, which is the same each time. One page is in memory at a time.
    pub(crate) fn shards(
        &self,
    ) -> impl Stream<Item = Result<ShardRecord, Failure>> + Send + use<'a, P> {
        if self.few_shards.is_empty() {
            self.shards_of(&self.event.run_id).left_stream()
        } else {
            let shards = self.few_shards.clone().into_iter().map(Ok);
            stream::iter(shards).right_stream()
        }
    }

    /// Reads the shards that the record of the run names.
    ///
    /// # Errors
    /// When the ledger cannot be read, or lacks one of them.
    pub(crate) async fn read_few_shards(&mut self, run: &RunRecord) -> Result<(), Failure> {
        for shard_id in &run.totals.few_shards {
            let read = self.ledger.read_shard(&run.run_id, shard_id).await;
            let read = read.context("reading the shards of the run")?;
            self.few_shards.push(read.ok_or_else(|| {
                Failure::invariant(format!("the ledger has no shard {shard_id}"))
            })?);
        }
        Ok(())
    }

    /// Every shard of this run.
    pub(crate) fn shards_of<'r>(
        &self,
        run_id: &'r RunId,
    ) -> impl Stream<Item = Result<ShardRecord, Failure>> + Send + use<'r, P>
    where
        'a: 'r,
    {
        let ledger: &'r P::Ledger = self.ledger;
        stream::try_unfold(ledger.shards(run_id), |mut shards| async {
            let shard = shards
                .next()
                .await
                .context("reading the shards of the run")?;
            Ok(shard.map(|shard| (shard, shards)))
        })
    }

    /// The target bucket, entered with the target role.
    pub(crate) async fn enter_target(&self, run: &RunRecord) -> Result<Target<P>, Failure> {
        let session = SessionName::of_step("report", &run.run_id);
        let policy = session_policy(&run.spec, SessionWork::Report);
        let target = self.accounts.reopen_target(run, &session, &policy).await;
        target.context("entering the target account")
    }

    /// Whether no new work may begin.
    pub(crate) fn is_ending(&self) -> bool {
        self.deadline.is_near(self.clock.now())
    }

    /// Whether this invocation has time for the step that follows work which began at `began_at`. The next step may take
    /// as long, so it gets an invocation of its own when this one is half over.
    pub(crate) fn has_time_after(&self, began_at: Timestamp) -> bool {
        let now = self.clock.now();
        now.since(began_at) <= self.deadline.work_left(now)
    }
}
