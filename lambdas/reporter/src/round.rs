//! Another round of the Map for what is not done.

use futures::{TryStreamExt, future};
use shardlift_core::{
    documents::failure_list::FailedObject,
    failure::{Context, Failure, FailureCode},
    port::{Ledger, PutOutcome},
    report::settlement::RoundWork,
    run::event::IndexLocation,
    shard::{ShardEvent, ShardOutcome, ShardRecord, ShardState},
    value::id::ShardId,
};

use crate::{invocation::Invocation, ports::Ports};

/// How many shards are offered at once. Each is at most four calls, and the failures of one shard fit some 10 MB.
const OFFERS_AT_ONCE: usize = 8;

/// How often a shard is offered whose record changes meanwhile.
const OFFERS_PER_SHARD_MAX: u32 = 5;

/// A round that is offered.
pub(crate) struct Round<'a, P: Ports> {
    pub(crate) invocation: &'a Invocation<'a, P>,
    /// Its number.
    pub(crate) number: u32,
    /// Which shards it is for.
    pub(crate) work: RoundWork,
}

impl<P: Ports> Round<'_, P> {
    /// Offers every shard of this work that is not done or has failures that a retry may heal, and writes the round's
    /// index. Nothing when the deadline came first: what was offered until then stays offered.
    ///
    /// Settled successes and permanent failures stay settled. A second call offers nothing twice: a shard that waits in
    /// this round already is only listed.
    pub(crate) async fn offer(&self) -> Result<Option<IndexLocation>, Failure> {
        let invocation = self.invocation;
        let mut offered: Vec<ShardId> = invocation
            .shards()
            .try_filter(|shard| future::ready(self.work.includes(shard)))
            .map_ok(|shard| async {
                let may_offer = self.waits(&shard) || !invocation.is_ending();
                match may_offer {
                    true => self.offer_shard(shard).await.map(Some),
                    false => Ok(None),
                }
            })
            .try_buffer_unordered(OFFERS_AT_ONCE)
            .try_take_while(|offered| future::ready(Ok(offered.is_some())))
            .try_filter_map(|offered| future::ready(Ok(offered)))
            .try_collect()
            .await?;
        if invocation.is_ending() {
            return Ok(None);
        }
        // The same round always has the same index.
        offered.sort_unstable();
        let documents = invocation.documents();
        Ok(Some(documents.write_index(self.number, &offered).await?))
    }

    fn waits(&self, shard: &ShardRecord) -> bool {
        shard.round == self.number && shard.state == ShardState::Ready
    }

    /// Offers a shard. A copier whose child gave up on it may still live and write a checkpoint meanwhile: then the newer
    /// record is offered, and the copier is refused at its next write.
    async fn offer_shard(&self, shard: ShardRecord) -> Result<ShardId, Failure> {
        let shard_id = shard.shard_id.clone();
        self.offer_latest(shard)
            .await
            .context(format_args!("offering shard {shard_id}"))?;
        Ok(shard_id)
    }

    async fn offer_latest(&self, mut shard: ShardRecord) -> Result<(), Failure> {
        let ledger = self.invocation.ledger;
        for _ in 0..OFFERS_PER_SHARD_MAX {
            // A call that is delivered late finds shards of a later round: another call has gone on.
            if shard.round >= self.number || !self.work.includes(&shard) {
                return Ok(());
            }
            let event = ShardEvent::Reoffer {
                round: self.number,
                outcome: self.reopened(&shard).await?,
            };
            let next = shard
                .apply(event)
                .map_err(|illegal| Failure::invariant(illegal.to_string()))?;
            match ledger.replace_shard(&next).await? {
                PutOutcome::Written => return Ok(()),
                PutOutcome::Refused => {
                    let found = ledger.read_shard(&shard.run_id, &shard.shard_id).await?;
                    shard = found.ok_or_else(|| Failure::invariant("its record is gone"))?;
                }
            }
        }
        Err(Failure::new(
            FailureCode::LedgerConflict,
            "its record changes at every attempt to offer it",
        ))
    }

    /// What stays settled of a shard. The permanent failures are listed again, under a name that no copier's token can
    /// have: tokens are revisions, and this revision is the reporter's.
    async fn reopened(&self, shard: &ShardRecord) -> Result<ShardOutcome, Failure> {
        let mut outcome = shard.outcome.clone();
        if outcome.retryable == 0 {
            return Ok(outcome);
        }
        let documents = self.invocation.documents();
        let mut permanent: Vec<FailedObject> = Vec::new();
        documents
            .failures(shard)
            .await?
            .unpack(shard, FailureCode::ServiceFault, |object| {
                // Objects without an outcome are passed too, and are open already.
                let is_settled = shard.outcome.progress.is_settled(object.index);
                if is_settled && object.is_retryable() {
                    reopen(&mut outcome, &object)?;
                } else if is_settled {
                    permanent.push(object);
                }
                Ok(())
            })?;
        outcome.retryable = 0;
        outcome.failures_key = None;
        if !permanent.is_empty() {
            let token = shard.revision + 1;
            let written = documents.write_failures(&shard.shard_id, token, &permanent);
            outcome.failures_key = Some(written.await?);
        }
        Ok(outcome)
    }
}

fn reopen(outcome: &mut ShardOutcome, object: &FailedObject) -> Result<(), Failure> {
    let was_failed = outcome.tally.failed.remove_object(object.code, object.size);
    if was_failed && outcome.progress.reopen(object.index) {
        Ok(())
    } else {
        Err(Failure::invariant(format!(
            "the list has object {} as failed, the counts have not",
            object.index
        )))
    }
}
