//! Reruns do what an earlier run left undone, and nothing else.
//!
//! An object is undone if it failed or has no outcome. A rerun takes over the earlier run's spec, reads the undone objects
//! from its shards, and plans each in the version that the source has now.

use std::{collections::BTreeMap, time::Duration};

use crate::run::rerun::Rerun;
use crate::{
    failure::{Failure, FailureCode},
    plan::{
        KeptRecord,
        range::{RangeRecord, RangeState},
    },
    port::ExecutionState,
    report::settlement::Settlement,
    run::{
        invalid,
        record::{RunRecord, RunState},
        spec::RunSpec,
    },
    shard::{ShardRecord, ShardState, ShardWork},
    value::{
        id::{RunId, ShardId},
        set_sum::SetSum,
        tally::Count,
        time::Timestamp,
    },
    verify::{CarriedProof, ExpectedTarget},
};

/// A run whose records expire within this time is not rerun, because they may go while they are read.
const KEPT_MIN: Duration = Duration::from_secs(24 * 60 * 60);

/// What a shard of an ended run left undone: objects that failed, and objects without an outcome.
#[must_use]
pub fn undone(shard: &ShardRecord) -> Count {
    let tally = &shard.outcome.tally;
    let bytes = |count: Count| count.bytes;
    let settled_well = [tally.copied, tally.skipped.count(), tally.deleted];
    let objects: u64 = settled_well.iter().map(|count| count.objects).sum();
    let bytes: u64 = settled_well.into_iter().map(bytes).sum();
    Count {
        objects: shard.planned.objects.saturating_sub(objects),
        bytes: shard.planned.bytes.saturating_sub(bytes),
    }
}

/// The shard whose manifest lists a shard's objects. For a part shard, this is the shard of the whole object.
#[must_use]
pub fn whole_of(id: &ShardId) -> ShardId {
    id.whole().map_or_else(|| id.clone(), |(whole, _)| whole)
}

/// A run to rerun, checked against its plan before anything is written.
#[derive(Debug)]
pub struct EarlierRun {
    record: RunRecord,
    chosen: Option<Chosen>,
    /// Undone in shards that were not chosen: all objects, and those to copy in shards that did not end.
    not_chosen: Count,
    not_chosen_copies: Count,
    /// When the last lease of a copier ends, and the time now.
    leased_until: Option<Timestamp>,
    now: Timestamp,
    sums: Settlement,
    /// What the run vouches for.
    expected: ExpectedTarget,
}

/// The chosen shards as typed, and the work of each once its record was added.
#[derive(Debug)]
struct Chosen {
    typed: Vec<ShardId>,
    found: BTreeMap<ShardId, Option<ShardWork>>,
}

impl Chosen {
    fn work_of(&self, typed: &ShardId) -> Option<ShardWork> {
        self.found.get(&whole_of(typed)).copied().flatten()
    }

    /// The first chosen shard whose work matches.
    fn first(&self, matches: impl Fn(Option<ShardWork>) -> bool) -> Option<&ShardId> {
        self.typed.iter().find(|typed| matches(self.work_of(typed)))
    }
}

impl EarlierRun {
    /// An earlier run in the `state` of its execution, with the ranges of its plan.
    ///
    /// # Errors
    /// `RunOverlap` while it still runs. `InvalidRun`, naming the run: it was a dry run, has no finished plan, or is about to be forgotten.
    pub fn new(
        record: RunRecord,
        state: ExecutionState,
        ranges: &[RangeRecord],
        shards: Option<Vec<ShardId>>,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let run_id = &record.run_id;
        if state == ExecutionState::Running {
            return Err(waiting(&format!("run {run_id} is still under way")));
        }
        if record.spec.dry_run {
            return Err(refused(&format!(
                "run {run_id} was a dry run and left nothing undone: start an ordinary run"
            )));
        }
        if !record.spec.mode.writes() {
            return Err(refused(&format!(
                "run {run_id} was an audit, which leaves nothing undone: start another audit, or an ordinary run to copy what differs"
            )));
        }
        let is_listed = !ranges.is_empty() && ranges.iter().all(|r| r.state == RangeState::Done);
        if record.state == RunState::Planning || !is_listed {
            return Err(unplanned(run_id));
        }
        if record.expires_at <= now.plus(KEPT_MIN).as_epoch_seconds() {
            return Err(forgotten(run_id, "it is kept for less than another day"));
        }
        let chosen = shards.map(|typed| Chosen {
            found: typed.iter().map(|id| (whole_of(id), None)).collect(),
            typed,
        });
        Ok(Self {
            expected: ExpectedTarget::begin(
                record.spec.lists_target(),
                record.spec.rerun.as_ref().map(|rerun| &rerun.carried),
            ),
            record,
            chosen,
            not_chosen: Count::default(),
            not_chosen_copies: Count::default(),
            leased_until: None,
            now,
            sums: Settlement::default(),
        })
    }

    /// Adds a list of what the plan left as it stood. Each is added once.
    pub fn add_kept(&mut self, kept: &KeptRecord) {
        self.expected.add_kept(kept);
    }

    /// Adds a shard. Each shard of the run is added once.
    pub fn add(&mut self, shard: &ShardRecord) {
        self.sums.add(shard);
        // What was to be deleted and was not is planned again.
        let nothing = SetSum::default();
        self.expected.add_settled(&shard.outcome.vouched, &nothing);
        let lease_end = shard.lease.map(|lease| lease.expires_at);
        self.leased_until = self.leased_until.max(lease_end);
        let found = self.chosen.as_mut().map(|chosen| &mut chosen.found);
        match found.map(|found| found.get_mut(&shard.shard_id)) {
            None => {}
            Some(Some(work)) => *work = Some(shard.work),
            Some(None) => {
                self.not_chosen.add(undone(shard));
                if shard.work != ShardWork::DeleteObjects && shard.state != ShardState::Done {
                    self.not_chosen_copies.add(undone(shard));
                }
            }
        }
    }

    /// The spec of the rerun, once every shard was added.
    ///
    /// # Errors
    /// `RunOverlap` while a copier of a stopped run may still work. `InvalidRun`: the plan was not finished, the records do not add up to it, a
    /// chosen shard does not exist, or a chosen shard deletes while shards that were not chosen have undone copies.
    pub fn settle(mut self) -> Result<RunSpec, Failure> {
        let RunRecord {
            run_id,
            spec,
            started_at,
            ..
        } = self.record;
        // Copiers of two runs would each abort the uploads that the other opened.
        if let Some(until) = self.leased_until.filter(|until| *until > self.now) {
            return Err(waiting(&format!(
                "a copier of run {run_id} may still work until {until}"
            )));
        }
        self.sums.hold_against(&self.record.totals);
        if let Some(contradiction) = self.sums.contradiction() {
            // The totals are written last, and not at all when a mirror would delete too much.
            if self.record.totals.shards == 0 {
                return Err(unplanned(&run_id));
            }
            return Err(forgotten(
                &run_id,
                &format!(
                    "its records do not hold its whole plan ({})",
                    contradiction.detail
                ),
            ));
        }
        if let Some(chosen) = &self.chosen {
            check_chosen(&run_id, chosen, self.not_chosen_copies)?;
        }
        let of = run_id.clone();
        let (listed_by, listed_since, not_chosen_before) = match &spec.rerun {
            Some(earlier) => (
                earlier.listed_by.clone(),
                earlier.listed_since,
                earlier.not_chosen,
            ),
            None => (run_id, started_at, Count::default()),
        };
        let earlier = spec.rerun.as_ref();
        let carried = carried(&of, earlier, self.expected);
        let mut not_chosen = self.not_chosen;
        not_chosen.add(not_chosen_before);
        Ok(RunSpec {
            // What the earlier run left undone is what the rerun does, whatever started that.
            events: None,
            rerun: Some(Rerun {
                of,
                shards: self.chosen.map(|chosen| chosen.typed),
                not_chosen,
                not_chosen_before,
                deletions_held: self.record.totals.deletes_held,
                listed_by,
                listed_since,
                carried,
            }),
            ..spec
        })
    }
}

/// Deletions come after the copies, once every shard of these has ended. A choice of shards must keep that order.
fn check_chosen(run_id: &RunId, chosen: &Chosen, undone_copies: Count) -> Result<(), Failure> {
    if let Some(unknown) = chosen.first(|work| work.is_none()) {
        return Err(invalid(
            "shards",
            &format!("run {run_id} has no shard {unknown}; its shards.json has all of them"),
        ));
    }
    match chosen.first(|work| work == Some(ShardWork::DeleteObjects)) {
        Some(deleting) if undone_copies.objects > 0 => Err(invalid(
            "shards",
            &format!(
                "shard {deleting} deletes, and {} objects of unfinished shards that are not chosen are not copied: leave shards out for all",
                undone_copies.objects
            ),
        )),
        _ => Ok(()),
    }
}

/// What a rerun of this run, which vouches for `expected`, takes over.
fn carried(of: &RunId, earlier: Option<&Rerun>, expected: ExpectedTarget) -> CarriedProof {
    let mut runs = earlier.map_or_else(Vec::new, |earlier| earlier.carried.runs.clone());
    runs.push(of.clone());
    CarriedProof { expected, runs }
}

fn unplanned(run_id: &RunId) -> Failure {
    refused(&format!(
        "run {run_id} broke before its plan was finished, so what it left undone is not known: start it again with its own input (shardlift start --input-of {run_id})"
    ))
}

/// The ledger has no record of the run.
#[must_use]
pub fn unknown(run_id: &RunId) -> Failure {
    refused(&format!(
        "the ledger of this stack has no run {run_id}: its id is the name of its execution; an ordinary run copies what is missing without it"
    ))
}

/// Part of the run is no longer kept.
#[must_use]
pub fn forgotten(run_id: &RunId, what: &str) -> Failure {
    refused(&format!(
        "run {run_id} can no longer be rerun, {what}: start an ordinary run, in mode sync it copies what is missing"
    ))
}

/// The rerun is right, but comes too early.
fn waiting(problem: &str) -> Failure {
    Failure::new(
        FailureCode::RunOverlap,
        format!("{problem}. Nothing was changed; start the rerun after that"),
    )
}

fn refused(problem: &str) -> Failure {
    invalid("rerun_of", problem)
}
