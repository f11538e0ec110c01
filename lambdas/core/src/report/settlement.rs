//! The ledger of a run, added up and held against the plan (P4).

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, time::Duration};

use crate::{
    failure::{Failure, FailureCode},
    report::{DeletedCount, NOT_DONE_SHOWN_MAX, ShardSummary},
    run::{event::Problem, record::PlanTotals},
    shard::{ShardRecord, ShardState, ShardWork},
    value::{
        set_sum::SetSum,
        skips::NewerCopies,
        tally::{Count, FailedCount, RequestCounts, Tally, add_requests},
        time::Timestamp,
    },
};

/// The operation that creates an upload, among the counted requests.
pub const CREATE_UPLOAD: &str = "s3:CreateMultipartUpload";

/// How many contradictions are reported; the first ones say what there is to say.
const CONTRADICTIONS_SHOWN_MAX: usize = 10;

/// The sums over all shards of a run. Its size does not depend on their number.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Settlement {
    /// Objects and bytes that shards were to copy.
    pub planned: Count,
    /// Objects that shards were to delete.
    pub deletes: u64,
    /// The outcomes of the objects to copy that the copiers noted, and how many objects were deleted.
    pub tally: Tally,
    /// The objects that were copied, as they are at the target.
    pub vouched: SetSum,
    /// The objects that were to be deleted and still stand at the target.
    pub beside: SetSum,
    /// The copied objects that were copied in a newer version than the planned one.
    pub newer: NewerCopies,
    /// Objects to copy without an outcome: those of shards that are not done.
    open: Open,
    /// Objects that were to be deleted and were held back: their shards were never begun.
    pub open_deletes: u64,
    /// Objects that were to be deleted and were not, because the source has them again.
    pub back_at_source: u64,
    /// Objects that were to be deleted and failed, or have no outcome although their shard was begun.
    failed_deletes: FailedCount,
    open_failed_deletes: Open,
    /// The shards.
    pub shards: ShardSummary,
    /// Invocations of copiers.
    pub attempts: u64,
    /// Shards that a copier claimed.
    pub begun: u64,
    /// Requests that copying made.
    pub requests: RequestCounts,
    /// What the copiers had to say of copied objects, for example `unproven`.
    pub notes: BTreeMap<String, u64>,
    /// When the first shard was begun, and when the last one that is done was done.
    copying_time: (Option<Timestamp>, Option<Timestamp>),
    copying: Standing,
    deleting: Standing,
    contradictions: Vec<String>,
}

/// Objects without an outcome.
#[derive(Debug, Clone, PartialEq, Default)]
struct Open {
    /// Those of shards that say why they are not done.
    explained: BTreeMap<FailureCode, Count>,
    /// The others.
    unexplained: Count,
}

impl Open {
    fn add(&mut self, open: Count, problem: Option<&Failure>) {
        match problem {
            Some(problem) => self.explained.entry(problem.code).or_default().add(open),
            None => self.unexplained.add(open),
        }
    }

    /// Adds these to the failed ones: under the code of their shard's problem, or else under `code` (P4).
    fn fail_into(&self, failed: &mut FailedCount, code: FailureCode) {
        for (&code, &open) in &self.explained {
            failed.add_count(code, open);
        }
        failed.add_count(code, self.unexplained);
    }
}

/// How far the shards of one kind are.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Standing {
    unfinished: bool,
    latest_round: u32,
    retryable: bool,
}

/// Which shards the next round is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundWork {
    /// Those that copy.
    Copying,
    /// Those that delete: only once every shard that copies has ended.
    Deleting,
}

impl Settlement {
    /// Adds a shard. Each shard of the run is added once.
    pub fn add(&mut self, shard: &ShardRecord) {
        let work = work_of(shard);
        let open = settled(shard).map(|settled| Count {
            objects: shard.planned.objects - settled.objects,
            bytes: shard.planned.bytes - settled.bytes,
        });
        let open = open.unwrap_or_else(|contradiction| {
            self.contradict(contradiction);
            Count::default()
        });
        let standing = match work {
            RoundWork::Copying => {
                self.planned.add(shard.planned);
                &mut self.copying
            }
            RoundWork::Deleting => {
                self.deletes += shard.planned.objects;
                &mut self.deleting
            }
        };
        standing.unfinished |= shard.state != ShardState::Done;
        standing.latest_round = standing.latest_round.max(shard.round);
        standing.retryable |= shard.outcome.retryable > 0;
        match work {
            RoundWork::Copying => self.open.add(open, shard.problem.as_ref()),
            RoundWork::Deleting if is_held_back(shard) => self.open_deletes += open.objects,
            RoundWork::Deleting => self.open_failed_deletes.add(open, shard.problem.as_ref()),
        }
        let (begun_at, ended_at) = &mut self.copying_time;
        *begun_at = [*begun_at, shard.begun_at].into_iter().flatten().min();
        *ended_at = (*ended_at).max(shard.ended_at);
        self.attempts += u64::from(shard.attempts);
        self.begun += u64::from(shard.attempts > 0);
        let mut tally = shard.outcome.tally.clone();
        if work == RoundWork::Deleting {
            self.back_at_source += std::mem::take(&mut tally.skipped).objects;
            self.failed_deletes.add(&std::mem::take(&mut tally.failed));
        }
        self.tally.add(&tally);
        self.vouched.add(&shard.outcome.vouched);
        self.beside.add(&shard.outcome.beside);
        self.newer.add(shard.outcome.newer);
        add_requests(&mut self.requests, &shard.outcome.requests);
        for (note, count) in &shard.outcome.notes {
            *self.notes.entry(note.clone()).or_default() += count;
        }
        self.shards.total += 1;
        if shard.state == ShardState::Done {
            self.shards.done += 1;
        } else if self.shards.not_done.len() < NOT_DONE_SHOWN_MAX {
            self.shards.not_done.push(shard.shard_id.clone());
        }
    }

    /// Whether objects that were to be copied were not: an older one may stand at the target in the place of each.
    #[must_use]
    pub fn may_leave_older(&self) -> bool {
        self.tally.copied.objects < self.planned.objects
    }

    /// Holds the sums against the finished plan.
    pub fn hold_against(&mut self, totals: &PlanTotals) {
        let claims = [
            ("shards", totals.shards, self.shards.total),
            ("objects", totals.planned.objects, self.planned.objects),
            ("bytes", totals.planned.bytes, self.planned.bytes),
            ("deletions", totals.deletes, self.deletes),
        ];
        for (what, planned, found) in claims {
            if planned != found {
                self.contradict(format!(
                    "the plan has {planned} {what}, its shards have {found}"
                ));
            }
        }
    }

    /// What became of the deletions, whatever limits they exceed. What was begun and has no outcome has failed under `code`,
    /// unless its shard says why.
    #[must_use]
    pub fn deleted_count(&self, code: FailureCode) -> DeletedCount {
        let mut failed = self.failed_deletes.clone();
        self.open_failed_deletes.fail_into(&mut failed, code);
        DeletedCount {
            objects: self.tally.deleted.objects,
            planned: self.deletes,
            held: self.open_deletes,
            back_at_source: self.back_at_source,
            failed: failed.objects,
            failed_by_reason: failed.by_reason,
            exceeds: None,
        }
    }

    /// Whether copiers may have left unfinished uploads, though the plan had no object in parts: a newer version may be larger
    /// than the planned one. A copier that records what it did counts its requests; one that was killed did not end its
    /// shard, or another one claimed it.
    #[must_use]
    pub fn may_have_left_uploads(&self) -> bool {
        self.requests.contains_key(CREATE_UPLOAD)
            || self.attempts > self.begun
            || self.copying.unfinished
    }

    /// How long copying took: from the first shard's begin to the last one's end. Nothing when none is done.
    #[must_use]
    pub fn copying_time(&self) -> Option<Duration> {
        let (begun_at, ended_at) = self.copying_time;
        Some(ended_at?.since(begun_at?))
    }

    /// Whether another reading of the shards came to the same: no copier wrote meanwhile. Contradictions are left aside, which
    /// may be found elsewhere.
    #[must_use]
    pub fn is_same_reading(&self, other: &Self) -> bool {
        let without_contradictions = |sums: &Self| Self {
            contradictions: Vec::new(),
            ..sums.clone()
        };
        without_contradictions(self) == without_contradictions(other)
    }

    /// Notes a contradiction that was found elsewhere.
    pub fn contradict(&mut self, contradiction: String) {
        if self.contradictions.len() < CONTRADICTIONS_SHOWN_MAX {
            self.contradictions.push(contradiction);
        }
    }

    /// The contradictions as one failure, or nothing when the ledger agrees with itself.
    #[must_use]
    pub fn contradiction(&self) -> Option<Failure> {
        (!self.contradictions.is_empty())
            .then(|| Failure::invariant(self.contradictions.join("; ")))
    }

    /// Which shards a round after round `round` of `rounds_max` would be for, or nothing when none is due.
    ///
    /// The first round of deleting comes when copying is through, however many rounds that took. An object that failed holds
    /// no deletion back: what is deleted has another key, which the source lacks. A shard without an end does, since nobody
    /// knows what it would have found.
    #[must_use]
    pub fn next_round(&self, round: u32, rounds_max: u32) -> Option<RoundWork> {
        let rounds_are_left = round < rounds_max;
        if rounds_are_left && (self.copying.unfinished || self.copying.retryable) {
            return Some(RoundWork::Copying);
        }
        let wants_deleting = self.deleting.unfinished || self.deleting.retryable;
        // Offered at this very moment counts as not yet offered: a repeated call offers the same round again.
        let is_first_offer =
            self.deleting.latest_round <= 1 || self.deleting.latest_round == round + 1;
        let may_delete = !self.copying.unfinished && (rounds_are_left || is_first_offer);
        (wants_deleting && may_delete).then_some(RoundWork::Deleting)
    }

    /// The final outcomes of the objects to copy: what no copier settled has failed, under the code of its shard's problem or
    /// else under `code` (P4). Failed deletions are not among them.
    #[must_use]
    pub fn final_tally(&self, code: FailureCode) -> Tally {
        let mut tally = self.tally.clone();
        self.open.fail_into(&mut tally.failed, code);
        tally
    }
}

impl RoundWork {
    /// Whether a shard belongs to a round of this work.
    #[must_use]
    pub fn includes(self, shard: &ShardRecord) -> bool {
        work_of(shard) == self && (shard.state != ShardState::Done || shard.outcome.retryable > 0)
    }
}

/// Whether a shard deletes and was never offered, because a shard that copies has no end or the deletions are beyond the
/// run's limits: nothing of it has failed.
#[must_use]
pub fn is_held_back(shard: &ShardRecord) -> bool {
    work_of(shard) == RoundWork::Deleting && shard.attempts == 0 && shard.round <= 1
}

fn work_of(shard: &ShardRecord) -> RoundWork {
    match shard.work {
        ShardWork::DeleteObjects => RoundWork::Deleting,
        ShardWork::CopyObjects | ShardWork::CopyParts { .. } | ShardWork::AssembleObject { .. } => {
            RoundWork::Copying
        }
    }
}

/// The code under which objects without an outcome are reported: why the Map broke, or that their copiers did.
#[must_use]
pub fn unfinished_code(problem: Option<&Problem>) -> FailureCode {
    problem
        .and_then(|problem| FailureCode::from_name(&problem.error))
        .unwrap_or(FailureCode::ServiceFault)
}

/// What a shard settled, or how its record contradicts itself.
fn settled(shard: &ShardRecord) -> Result<Count, String> {
    let tally = &shard.outcome.tally;
    let mut settled = tally.copied;
    settled.add(tally.skipped.count());
    settled.add(tally.deleted);
    settled.add(Count {
        objects: tally.failed.objects,
        bytes: tally.failed.bytes,
    });
    let by_reason: u64 = tally.failed.by_reason.values().sum();
    let problem = if settled.objects != shard.outcome.progress.settled_count() {
        "its counts disagree with its progress map"
    } else if by_reason != tally.failed.objects {
        "its failures by reason do not add up to its failures"
    } else if !are_skips_explained(shard) {
        "its skips by reason do not add up to its skips"
    } else if shard.outcome.newer.objects > tally.copied.objects {
        "more objects were copied newer than were copied"
    } else if shard.outcome.retryable > tally.failed.objects {
        "more failures are retryable than there are"
    } else if tally.failed.objects > 0 && shard.outcome.failures_key.is_none() {
        "it has failures and no list of them"
    } else if settled.objects > shard.planned.objects || settled.bytes > shard.planned.bytes {
        "it settled more than was planned"
    } else if shard.state == ShardState::Done && settled != shard.planned {
        "it is done, and not everything planned has an outcome"
    } else {
        return Ok(settled);
    };
    Err(format!(
        "shard {}: {problem} (planned {} objects, {} bytes; settled {} objects, {} bytes)",
        shard.shard_id, shard.planned.objects, shard.planned.bytes, settled.objects, settled.bytes
    ))
}

/// Records from before skips had reasons have none; there, deletions alone were skipped.
fn are_skips_explained(shard: &ShardRecord) -> bool {
    let skipped = &shard.outcome.tally.skipped;
    let explained: u64 = skipped.by_reason.values().sum();
    explained == skipped.objects || (explained == 0 && work_of(shard) == RoundWork::Deleting)
}
