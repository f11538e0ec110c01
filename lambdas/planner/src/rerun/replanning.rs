//! The plan of a rerun: the undone objects of the earlier run, each in the version that there is now.

use futures::{StreamExt, stream};
use shardlift_core::{
    failure::Failure,
    plan::range::RangeState,
    port::{Clock, PutOutcome},
    run::{record::RunRecord, rerun::Rerun},
    value::deadline::Deadline,
};

use super::{
    action::Actions,
    earlier_documents::{EarlierDocuments, UndoneShard},
    position::RerunWaypoint,
    undone_object::lookup_groups,
};
use crate::{
    invocation_end::InvocationEnd,
    picked::ShardWriter,
    planner::Planner,
    ports::{Ports, SourceListingOf, TargetOf},
    run::RequestMeter,
};

/// How many lookups are in flight at once: 32 in 40 ms are 800 per second.
const LOOKUPS_IN_FLIGHT_MAX: usize = 32;

/// The planning of a rerun in one invocation.
pub(crate) struct Replanning<'a, P: Ports> {
    planner: &'a Planner<P>,
    actions: Actions<'a, P>,
    documents: EarlierDocuments<'a, P::Ledger, P::Control>,
    run: &'a RunRecord,
}

/// Why an invocation ends before everything is planned.
enum Stop {
    Deadline,
    Superseded,
}

impl<'a, P: Ports> Replanning<'a, P> {
    /// The planning of `run`, a rerun, in the invocation with the number `run.revision`.
    pub(crate) fn new(
        planner: &'a Planner<P>,
        source: &'a SourceListingOf<'a, P>,
        target: &'a TargetOf<P>,
        run: &'a RunRecord,
        rerun: &'a Rerun,
    ) -> Self {
        Self {
            planner,
            actions: Actions::new(source, target, &run.spec.pair),
            documents: EarlierDocuments {
                ledger: &planner.ledger,
                control: &planner.control,
                rerun,
            },
            run,
        }
    }

    /// Plans until every undone object is planned or the deadline is near. Even a short invocation makes progress.
    ///
    /// # Errors
    /// `InvalidRun` when documents of the earlier run are gone, `AccessDenied`, `ListingIncomplete` and what else makes a
    /// lookup end; what was written before stands.
    pub(crate) async fn run(
        &self,
        deadline: Deadline,
        meter: &mut RequestMeter,
    ) -> Result<InvocationEnd, Failure> {
        let resumed = ShardWriter::<_, RerunWaypoint>::resume(self.planner, self.run);
        let Some(mut writer) = resumed.await? else {
            return Ok(InvocationEnd::Superseded);
        };
        if writer.is_done() {
            return Ok(InvocationEnd::Complete {
                manifests: 0,
                small: None,
            });
        }
        for shard_id in self.documents.undone_shards().await? {
            if writer.waypoint().is_past(&shard_id) {
                continue;
            }
            let shard = self.documents.read(&shard_id).await?;
            meter.add("s3:GetObject", shard.documents_read);
            match self.plan_shard(shard, &mut writer, deadline).await? {
                Some(Stop::Superseded) => return Ok(InvocationEnd::Superseded),
                Some(Stop::Deadline) => return writer.finish(RangeState::Listing).await,
                None => {}
            }
        }
        writer.finish(RangeState::Done).await
    }

    async fn plan_shard(
        &self,
        shard: UndoneShard,
        writer: &mut ShardWriter<'_, P, RerunWaypoint>,
        deadline: Deadline,
    ) -> Result<Option<Stop>, Failure> {
        if shard
            .objects
            .iter()
            .any(|object| object.version_id.is_some())
        {
            let allowed = self.planner.settings.ceilings.check_versions("rerun_of");
            allowed.map_err(|refused| refused.within("the earlier run named versions"))?;
        }
        let work = shard.work;
        let left = shard.objects.into_iter();
        let left = left.filter(|object| !writer.waypoint().has_planned(&object.position));
        let mut lookups = stream::iter(lookup_groups(left))
            .map(|objects| async move {
                let actions = self.actions.of(work, &objects).await;
                (objects, actions)
            })
            .buffered(LOOKUPS_IN_FLIGHT_MAX);
        while let Some((objects, actions)) = lookups.next().await {
            for (object, action) in objects.into_iter().zip(actions?) {
                if writer.plan(action).await? == PutOutcome::Refused {
                    return Ok(Some(Stop::Superseded));
                }
                *writer.waypoint_mut() = RerunWaypoint(Some(object.position));
            }
            if deadline.is_near(self.planner.clock.now()) {
                return Ok(Some(Stop::Deadline));
            }
        }
        Ok(None)
    }
}
