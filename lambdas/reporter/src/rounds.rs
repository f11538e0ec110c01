//! Offers what is not done again, in another round of the Map.

use futures::{TryStreamExt, future};
use shardlift_core::{
    documents::{
        control_key,
        failure_list::{self, FailedObject},
    },
    failure::{Failure, FailureCode},
    port::{Clock, ControlStore, Ledger, PutOutcome},
    report::settlement::RoundWork,
    run::event::IndexLocation,
    shard::{ShardEvent, ShardOutcome, ShardRecord, ShardState},
    value::{
        deadline::Deadline,
        id::{RunId, ShardId},
    },
};

use crate::{failed_objects, settle};

/// How many shards are offered at once. Each is at most four calls, and the failures of one shard fit some 10 MB.
const OFFERS_AT_ONCE: usize = 8;

/// How often a shard is offered whose record changes meanwhile.
const OFFERS_PER_SHARD_MAX: u32 = 5;

/// The round that is offered.
pub(crate) struct Round<'a, L, C, K> {
    pub(crate) ledger: &'a L,
    pub(crate) control: &'a C,
    pub(crate) clock: &'a K,
    pub(crate) run_id: &'a RunId,
    /// Its number.
    pub(crate) number: u32,
    /// Which shards it is for.
    pub(crate) work: RoundWork,
}

impl<L: Ledger, C: ControlStore, K: Clock> Round<'_, L, C, K> {
    /// Offers every shard of this work that is not done, or has failures that may heal, and writes the round's index.
    /// Nothing when the deadline came first: what was offered until then stays offered.
    ///
    /// Settled successes and permanent failures stay settled. Repeating it offers nothing twice: a shard that waits in
    /// this round already is only listed.
    pub(crate) async fn offer(&self, deadline: Deadline) -> Result<Option<IndexLocation>, Failure> {
        let mut offered: Vec<ShardId> = settle::shards(self.ledger, self.run_id)
            .try_filter(|shard| future::ready(self.work.includes(shard)))
            .map_ok(|shard| async {
                let may_offer = self.waits(&shard) || !deadline.is_near(self.clock.now());
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
        if deadline.is_near(self.clock.now()) {
            return Ok(None);
        }
        // The same round always has the same index.
        offered.sort_unstable();
        let key = control_key::index(self.run_id, self.number);
        let body = serde_json::to_vec(&offered)
            .map_err(|error| Failure::invariant(format!("the index is no JSON: {error}")))?;
        let put = self.control.put(&key, "application/json", body).await;
        put.map_err(|fault| fault.into_failure().within(format!("writing {key}")))?;
        Ok(Some(IndexLocation {
            bucket: self.control.bucket().clone(),
            key,
        }))
    }

    fn waits(&self, shard: &ShardRecord) -> bool {
        shard.round == self.number && shard.state == ShardState::Ready
    }

    /// Offers a shard. A copier whose child gave up on it may still live and write a checkpoint meanwhile: then the newer
    /// record is offered, and the copier is refused at its next write.
    async fn offer_shard(&self, mut shard: ShardRecord) -> Result<ShardId, Failure> {
        let shard_id = shard.shard_id.clone();
        let told = |failure: Failure| failure.within(format!("offering shard {shard_id}"));
        for _ in 0..OFFERS_PER_SHARD_MAX {
            if shard.round == self.number || !self.work.includes(&shard) {
                return Ok(shard_id);
            }
            let event = ShardEvent::Reoffer {
                round: self.number,
                outcome: self.reopened(&shard).await.map_err(told)?,
            };
            let next = shard
                .apply(event)
                .map_err(|illegal| Failure::invariant(illegal.to_string()))?;
            let put = self.ledger.replace_shard(&next).await;
            match put.map_err(|fault| told(fault.into_failure()))? {
                PutOutcome::Written => return Ok(shard_id),
                PutOutcome::Refused => {
                    let found = self.ledger.read_shard(&shard.run_id, &shard_id).await;
                    shard = found
                        .map_err(|fault| told(fault.into_failure()))?
                        .ok_or_else(|| told(Failure::invariant("its record is gone")))?;
                }
            }
        }
        Err(told(Failure::new(
            FailureCode::LedgerConflict,
            "its record keeps being changed by somebody else",
        )))
    }

    /// What stays settled of a shard. The permanent failures are listed anew, under a name that no copier's token can
    /// have: tokens are revisions, and this revision is the reporter's.
    async fn reopened(&self, shard: &ShardRecord) -> Result<ShardOutcome, Failure> {
        let mut outcome = shard.outcome.clone();
        if outcome.retryable == 0 {
            return Ok(outcome);
        }
        let mut permanent: Vec<FailedObject> = Vec::new();
        failed_objects::fetch(self.control, shard).await?.unpack(
            shard,
            FailureCode::ServiceFault,
            |object| {
                // Objects without an outcome are handed over too, and are open already.
                let is_settled = shard.outcome.progress.is_settled(object.index);
                if is_settled && object.is_retryable() {
                    reopen(&mut outcome, &object)?;
                } else if is_settled {
                    permanent.push(object);
                }
                Ok(())
            },
        )?;
        outcome.retryable = 0;
        outcome.failures_key = None;
        if !permanent.is_empty() {
            let key = control_key::failures(&shard.run_id, &shard.shard_id, shard.revision + 1);
            let body = failure_list::encode(&permanent)?;
            let put = self.control.put(&key, "application/zstd", body).await;
            put.map_err(|fault| fault.into_failure().within(format!("writing {key}")))?;
            outcome.failures_key = Some(key);
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
