//! Many objects in flight, until all are settled or the deadline is near.

use std::{future::Future, pin::pin, time::Duration};

use futures::{StreamExt, stream::FuturesUnordered};
use shardlift_core::{
    documents::manifest::Manifest,
    failure::Failure,
    port::{Clock, ControlStore, Ledger, TargetBucket},
    shard::settled_objects::{ObjectOutcome, SettledObjects},
    value::{deadline::Deadline, time::Timestamp},
};

use crate::{
    checkpoints::Checkpoints,
    held_shard::{Footnotes, HeldShard},
    object_copy::ObjectCopy,
    object_log,
};

/// Objects begun and not ended. The gate bounds the calls; this bounds the memory of those that wait for it.
const OBJECTS_IN_FLIGHT_MAX: usize = 512;
/// How copying ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Every object is settled.
    Settled,
    /// The deadline came first.
    OutOfTime,
}

/// Copies the open objects of one shard.
pub(crate) struct ShardCopy<'a, T, K> {
    pub(crate) objects: ObjectCopy<'a, T>,
    pub(crate) manifest: &'a Manifest,
    pub(crate) clock: &'a K,
    pub(crate) deadline: Deadline,
}

type Settled = (u32, Result<ObjectOutcome, Failure>);

impl<T: TargetBucket, K: Clock> ShardCopy<'_, T, K> {
    /// Copies until every object is settled or no time is left; notes progress every few seconds.
    ///
    /// # Errors
    /// What concerns more than one object: the account holds what was settled before.
    pub(crate) async fn run<L: Ledger, C: ControlStore>(
        &self,
        held: &mut HeldShard<'_, L, C>,
        account: &mut SettledObjects,
        footnotes: &(impl Fn() -> Footnotes + Sync),
    ) -> Result<End, Failure> {
        let count = u32::try_from(self.manifest.objects.len())
            .map_err(|_| Failure::invariant("a manifest holds more than 2^32 objects"))?;
        let open: Vec<u32> = account.outcome().progress.open(count).collect();
        let mut open = open.into_iter();
        let mut in_flight = FuturesUnordered::new();
        let mut checkpoints = Checkpoints::begin(self.clock.now(), settled_count(account));
        let mut drain_ends = None;
        loop {
            let now = self.clock.now();
            let is_taking = !self.deadline.is_near(now);
            if !is_taking {
                drain_ends.get_or_insert_with(|| now.plus(self.deadline.drain_left(now)));
            }
            while is_taking && in_flight.len() < OBJECTS_IN_FLIGHT_MAX {
                match open.next() {
                    Some(index) => in_flight.push(self.copy(index)),
                    None => break,
                }
            }
            if in_flight.is_empty() {
                break;
            }
            let checkpoint_in = checkpoints.due_at(settled_count(account)).since(now);
            let patience = self.patience(now, drain_ends).min(checkpoint_in);
            tokio::select! {
                biased;
                Some(settled) = in_flight.next() => self.settle(account, settled)?,
                () = self.objects.uploads.changed() => checkpoints.hasten(now),
                () = tokio::time::sleep(patience) => {}
            }
            if drain_ends.is_some_and(|end| self.clock.now() >= end) {
                break;
            }
            let settled = settled_count(account);
            if self.clock.now() >= checkpoints.due_at(settled) {
                let (written, meanwhile) = {
                    let write = held.checkpoint(account, footnotes());
                    during(write, &mut in_flight).await
                };
                // Also when the write failed: the last one may still be taken.
                for settled in meanwhile {
                    self.settle(account, settled)?;
                }
                written?;
                checkpoints.written(self.clock.now(), settled);
            }
        }
        Ok(if settled_count(account) == u64::from(count) {
            End::Settled
        } else {
            End::OutOfTime
        })
    }

    async fn copy(&self, index: u32) -> Settled {
        let object = &self.manifest.objects[index as usize];
        (index, self.objects.copy(index, object).await)
    }

    fn settle(&self, account: &mut SettledObjects, settled: Settled) -> Result<(), Failure> {
        let (index, outcome) = settled;
        let object = &self.manifest.objects[index as usize];
        let outcome = outcome?;
        object_log::log(self.manifest, object, &outcome);
        account.settle(index, object, outcome);
        Ok(())
    }

    /// How long the loop may wait before it looks at the clock again: until the reserve begins, or the drain ends.
    fn patience(&self, now: Timestamp, drain_ends: Option<Timestamp>) -> Duration {
        drain_ends.map_or_else(|| self.deadline.work_left(now), |end| end.since(now))
    }
}

fn settled_count(account: &SettledObjects) -> u64 {
    account.outcome().progress.settled_count()
}

/// Drives what is in flight while the ledger writes, and returns what it answered and what was settled meanwhile.
async fn during<F: Future<Output = Settled>>(
    write: impl Future<Output = Result<(), Failure>>,
    in_flight: &mut FuturesUnordered<F>,
) -> (Result<(), Failure>, Vec<Settled>) {
    let mut write = pin!(write);
    let mut meanwhile = Vec::new();
    loop {
        tokio::select! {
            biased;
            written = &mut write => return (written, meanwhile),
            Some(settled) = in_flight.next() => meanwhile.push(settled),
        }
    }
}
