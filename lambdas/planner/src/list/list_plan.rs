//! The plan of what the list of a run of events names.

use std::time::Duration;

use shardlift_core::{
    failure::Failure,
    plan::{ListCounts, ListLooks, ListedLook, WalkRules, range::RangeState},
    port::{Clock, PutOutcome},
    run::{list::SourceList, record::RunRecord},
    value::deadline::Deadline,
};
use shardlift_lists::{ListEntry, ListScope};

use super::{
    entry_lookup::{EntryAction, EntryLookup},
    list_catalog::ListPlace,
    list_rules,
    list_scan::{ListScan, ScannedLine},
    list_waypoint::ListWaypoint,
};
use crate::{
    invocation_end::InvocationEnd,
    picked::ShardWriter,
    planner::Planner,
    ports::{Ports, SourceListingOf, TargetOf},
    run::RequestMeter,
};

/// How many lines are looked at together at most: enough to keep the lookups busy.
const BATCH_LINES_MAX: usize = 4_096;
/// How long a planner that is killed works in vain.
const WRITE_EVERY: Duration = Duration::from_secs(60);

type ListWriter<'a, P> = ShardWriter<'a, P, ListWaypoint>;
type Scan<'a, P> = ListScan<'a, <P as Ports>::Lists>;

/// The planning of what a list names, in one invocation.
pub(crate) struct ListPlan<'a, P: Ports> {
    planner: &'a Planner<P>,
    lookup: EntryLookup<'a, P>,
    run: &'a RunRecord,
    list: &'a SourceList,
}

impl<'a, P: Ports> ListPlan<'a, P> {
    /// That of `run`, which takes its objects from `list`.
    pub(crate) fn new(
        planner: &'a Planner<P>,
        (source, target): (&'a SourceListingOf<'a, P>, &'a TargetOf<P>),
        rules: &'a WalkRules,
        run: &'a RunRecord,
        list: &'a SourceList,
    ) -> Self {
        Self {
            planner,
            lookup: EntryLookup::new(source, target, rules, run),
            run,
            list,
        }
    }

    /// Plans until the list ends or the deadline is near. Even a short invocation makes progress.
    ///
    /// # Errors
    /// `InvalidRun` when the list is none, names nothing, has too many wrong lines, or changed since it was begun;
    /// `ListingIncomplete` and what else makes a lookup end. What was written before stands, and nothing is copied.
    pub(crate) async fn run(
        &self,
        deadline: Deadline,
        meter: &mut RequestMeter,
    ) -> Result<InvocationEnd, Failure> {
        let resumed = ListWriter::<P>::resume(self.planner, self.run);
        let Some(mut writer) = resumed.await? else {
            return Ok(InvocationEnd::Superseded);
        };
        if writer.is_done() {
            return Ok(InvocationEnd::Complete {
                manifests: 0,
                small: None,
            });
        }
        let mut scan = self.open(writer.waypoint()).await?;
        let planned = self.plan_rest(&mut scan, &mut writer, deadline).await;
        scan.reader().requests().count_in(meter);
        match planned? {
            Some(state) => writer.finish(state).await,
            None => Ok(InvocationEnd::Superseded),
        }
    }

    async fn open(&self, waypoint: &ListWaypoint) -> Result<Scan<'a, P>, Failure> {
        let pair = &self.run.spec.pair;
        let place = ListPlace {
            files: &self.planner.lists,
            list: self.list,
            scope: ListScope {
                bucket: pair.source.bucket.clone(),
                prefix: pair.source.prefix.clone(),
            },
            ceilings: &self.planner.settings.ceilings,
        };
        let (etag, mark) = (waypoint.etag(), waypoint.mark());
        ListScan::resume(place, etag, mark, waypoint.passed()).await
    }

    /// Plans what is left; whether that is everything. Nothing when another invocation was faster.
    async fn plan_rest(
        &self,
        scan: &mut Scan<'a, P>,
        writer: &mut ListWriter<'_, P>,
        deadline: Deadline,
    ) -> Result<Option<RangeState>, Failure> {
        let clock = &self.planner.clock;
        let mut written_at = clock.now();
        let shard = usize::try_from(self.planner.settings.shard_bounds.objects_max);
        let lines_max = shard.unwrap_or(usize::MAX).clamp(1, BATCH_LINES_MAX);
        loop {
            let (etag, mark) = (scan.reader().etag().clone(), scan.mark()?);
            writer.waypoint_mut().begin(etag, mark);
            let mut lines = Vec::with_capacity(lines_max);
            while lines.len() < lines_max
                && let Some(line) = scan.next().await?
            {
                lines.push(line);
            }
            if lines.is_empty() {
                list_rules::check_whole(self.list, &writer.waypoint().counts)?;
                return Ok(Some(RangeState::Done));
            }
            if self.plan_lines(lines, writer).await? == PutOutcome::Refused {
                return Ok(None);
            }
            list_rules::check_begin(self.list, &writer.waypoint().counts)?;
            let now = clock.now();
            if deadline.is_near(now) {
                return Ok(Some(RangeState::Listing));
            }
            if now.since(written_at) >= WRITE_EVERY {
                written_at = now;
                if writer.write(RangeState::Listing).await? == PutOutcome::Refused {
                    return Ok(None);
                }
            }
        }
    }

    async fn plan_lines(
        &self,
        lines: Vec<ScannedLine>,
        writer: &mut ListWriter<'_, P>,
    ) -> Result<PutOutcome, Failure> {
        let objects = lines.iter().filter_map(|line| match line {
            ScannedLine::Object(entry) => Some(entry),
            _ => None,
        });
        let objects: Vec<&ListEntry> = objects.collect();
        let mut actions = self.lookup.actions(&objects).await?.into_iter();
        for line in lines {
            match line {
                ScannedLine::Object(_) => {
                    let EntryAction { action, look } = actions
                        .next()
                        .ok_or_else(|| Failure::invariant("each object has its action"))?;
                    if writer.plan(action).await? == PutOutcome::Refused {
                        return Ok(PutOutcome::Refused);
                    }
                    count_object(&mut writer.waypoint_mut().counts, look);
                }
                ScannedLine::LeftOut => writer.waypoint_mut().counts.add_left_out(false),
                ScannedLine::Wrong(line) => writer.waypoint_mut().counts.add_wrong(&line),
            }
            writer.waypoint_mut().pass();
        }
        Ok(PutOutcome::Written)
    }
}

fn count_object(counts: &mut ListCounts, look: ListedLook) {
    let mut looks = ListLooks {
        looked_up: counts.looked_up,
        gone: counts.gone,
        changed: counts.changed,
    };
    looks.note(look);
    counts.objects += 1;
    *counts = std::mem::take(counts).with_looks(&looks);
}
