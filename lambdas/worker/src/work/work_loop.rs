//! Many steps of work in flight, until every object is settled or the deadline is near.

use std::{future::Future, pin::pin, sync::Arc};

use futures::{StreamExt, stream::FuturesUnordered};
use shardlift_core::{
    documents::manifest::Manifest, failure::Failure, shard::settled_objects::ObjectOutcome,
};

use super::object_work::ObjectWork;
use crate::{
    ports::Ports,
    session::{SessionEnd, ShardSession},
};

/// Works on the open objects of the session's shard until every one is settled or no time is left; records progress every
/// few seconds.
///
/// # Errors
/// What concerns more than one object: the session holds what was settled before.
pub async fn settle_all<P: Ports, W: ObjectWork>(
    session: &mut ShardSession<'_, P>,
    manifest: &Manifest,
    work: &W,
) -> Result<SessionEnd, Failure> {
    let count = u32::try_from(manifest.objects.len())
        .map_err(|_| Failure::invariant("a manifest holds more than 2^32 objects"))?;
    let open = session.open_objects(count);
    let mut steps = open.chunks(W::OBJECTS_PER_STEP);
    let (deadline, uploads) = (session.deadline(), Arc::clone(session.uploads()));
    let mut in_flight = FuturesUnordered::new();
    let mut drain_ends = None;
    loop {
        let now = session.now();
        let is_taking = !deadline.is_near(now);
        if !is_taking {
            drain_ends.get_or_insert_with(|| now.plus(deadline.drain_left(now)));
        }
        while is_taking && in_flight.len() < W::STEPS_IN_FLIGHT_MAX {
            match steps.next() {
                Some(indices) => in_flight.push(work.take_step(indices)),
                None => break,
            }
        }
        if in_flight.is_empty() {
            break;
        }
        // Until no more steps are taken, or the drain ends; at the latest until the next checkpoint.
        let time_left = drain_ends.map_or_else(|| deadline.work_left(now), |end| end.since(now));
        let wait = time_left.min(session.checkpoint_due_at().since(now));
        tokio::select! {
            biased;
            Some(outcomes) = in_flight.next() => settle(session, manifest, outcomes?)?,
            () = uploads.changed() => session.hasten_checkpoint(now),
            () = tokio::time::sleep(wait) => {}
        }
        if drain_ends.is_some_and(|end| session.now() >= end) {
            break;
        }
        if session.now() >= session.checkpoint_due_at() {
            let (written, meanwhile) = during(session.checkpoint(), &mut in_flight).await;
            // Also when the write failed: the last one may still be taken.
            for outcomes in meanwhile {
                settle(session, manifest, outcomes?)?;
            }
            written?;
        }
    }
    Ok(if session.settled_count() == u64::from(count) {
        SessionEnd::Settled
    } else {
        SessionEnd::OutOfTime
    })
}

fn settle<P: Ports>(
    session: &mut ShardSession<'_, P>,
    manifest: &Manifest,
    outcomes: impl IntoIterator<Item = (u32, ObjectOutcome)>,
) -> Result<(), Failure> {
    for (index, outcome) in outcomes {
        session.settle(manifest, index, outcome)?;
    }
    Ok(())
}

/// Drives what is in flight while the record is written, and returns the result of the write and what was settled meanwhile.
async fn during<F: Future>(
    write: impl Future<Output = Result<(), Failure>>,
    in_flight: &mut FuturesUnordered<F>,
) -> (Result<(), Failure>, Vec<F::Output>) {
    let mut write = pin!(write);
    let mut meanwhile = Vec::new();
    loop {
        tokio::select! {
            biased;
            written = &mut write => return (written, meanwhile),
            Some(outcomes) = in_flight.next() => meanwhile.push(outcomes),
        }
    }
}
