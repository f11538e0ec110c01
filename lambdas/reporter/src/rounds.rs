//! Offers what is not done again, in another round of the Map.

use futures::{TryStreamExt, future};
use shardlift_core::{
    control_key,
    event::IndexLocation,
    failure::{Failure, FailureCode},
    failure_list,
    id::{RunId, ShardId},
    port::{ControlStore, Ledger, PutOutcome},
    settlement,
    shard::{ShardEvent, ShardOutcome, ShardRecord, ShardState},
};

use crate::{failed_objects, settle};

/// How many shards are offered at once: each is at most three calls, and a ledger partition takes 1,000 writes a second.
const OFFERS_AT_ONCE: usize = 32;

/// Offers every shard that is not done, or has failures that may heal, in `round`, and writes the round's index.
///
/// Settled successes and permanent failures stay settled. Repeating it offers nothing twice: a shard that waits in
/// `round` already is only listed.
pub(crate) async fn offer<L: Ledger, C: ControlStore>(
    ledger: &L,
    control: &C,
    run_id: &RunId,
    round: u32,
) -> Result<IndexLocation, Failure> {
    let mut offered: Vec<ShardId> = settle::shards(ledger, run_id)
        .try_filter(|shard| future::ready(settlement::wants_round(shard)))
        .map_ok(|shard| offer_shard(ledger, control, shard, round))
        .try_buffer_unordered(OFFERS_AT_ONCE)
        .try_collect()
        .await?;
    // The same round always has the same index.
    offered.sort_unstable();
    let key = control_key::index(run_id, round);
    let body = serde_json::to_vec(&offered)
        .map_err(|error| Failure::invariant(format!("the index is no JSON: {error}")))?;
    control
        .put(&key, "application/json", body)
        .await
        .map_err(|fault| {
            fault
                .into_failure()
                .within("writing the index of the next round")
        })?;
    Ok(IndexLocation {
        bucket: control.bucket().clone(),
        key,
    })
}

async fn offer_shard<L: Ledger, C: ControlStore>(
    ledger: &L,
    control: &C,
    shard: ShardRecord,
    round: u32,
) -> Result<ShardId, Failure> {
    if waits_in(&shard, round) {
        return Ok(shard.shard_id);
    }
    let outcome = reopened(control, &shard).await?;
    let next = shard
        .apply(ShardEvent::Reoffer { round, outcome })
        .map_err(|illegal| Failure::invariant(illegal.to_string()))?;
    let told =
        |failure: Failure| failure.within(format!("offering shard {} again", shard.shard_id));
    let put = ledger.replace_shard(&next).await;
    match put.map_err(|fault| told(fault.into_failure()))? {
        PutOutcome::Written => Ok(shard.shard_id),
        PutOutcome::Refused => {
            // Another invocation of the reporter may have been faster; anybody else has no business here.
            let found = ledger.read_shard(&shard.run_id, &shard.shard_id).await;
            match found.map_err(|fault| told(fault.into_failure()))? {
                Some(found) if found.round == round => Ok(shard.shard_id),
                _ => Err(told(Failure::new(
                    FailureCode::LedgerConflict,
                    "its record was changed by somebody else meanwhile",
                ))),
            }
        }
    }
}

fn waits_in(shard: &ShardRecord, round: u32) -> bool {
    shard.round == round && shard.state == ShardState::Ready
}

/// What stays settled of a shard. The permanent failures are listed anew, under a name that no copier's token can have:
/// tokens are revisions, and this revision is the reporter's.
async fn reopened<C: ControlStore>(
    control: &C,
    shard: &ShardRecord,
) -> Result<ShardOutcome, Failure> {
    let mut outcome = shard.outcome.clone();
    if outcome.retryable == 0 {
        return Ok(outcome);
    }
    let (retryable, permanent): (Vec<_>, Vec<_>) = failed_objects::read(control, shard)
        .await?
        .into_iter()
        .partition(failure_list::FailedObject::is_retryable);
    for object in &retryable {
        let was_failed = outcome.tally.failed.remove_object(object.code, object.size);
        if !(was_failed && outcome.progress.reopen(object.index)) {
            return Err(Failure::invariant(format!(
                "shard {}: its list has object {} as failed, its counts have not",
                shard.shard_id, object.index
            )));
        }
    }
    outcome.retryable = 0;
    outcome.failures_key = None;
    if !permanent.is_empty() {
        let key = control_key::failures(&shard.run_id, &shard.shard_id, shard.revision + 1);
        control
            .put(&key, "application/zstd", failure_list::encode(&permanent)?)
            .await
            .map_err(|fault| fault.into_failure().within("writing a failure list"))?;
        outcome.failures_key = Some(key);
    }
    Ok(outcome)
}
