//! A report while it is put together: what a run came to.

use crate::{
    documents::control_key,
    failure::Failure,
    plan::{AuditSums, RunEstimate},
    report::{
        CopySeconds, Cost, DeleteLimits, DeletedCount, NotPlanned, Proof, REPORT_VERSION, Report,
        ReportLocation, ReportedEvents, ReportedPair, ReportedProblem, SkippedObjects, StartedBy,
        Verdict, Verification,
        asked_input::AskedInput,
        prices::Prices,
        settlement::{self, Settlement},
        view::reported_warnings,
    },
    run::{
        event::ReporterEvent,
        input::RunInput,
        option::{Compare, Verify},
        record::{RunRecord, RunState},
        starter::Starter,
    },
    value::{
        bucket::BucketName,
        skips::SkippedCount,
        tally::{Count, RENDITION_WRITES, RequestCounts, add_requests},
        time::Timestamp,
    },
};

/// The state of the machine that the reporter is.
const OWN_STATE: &str = "ReportRun";

/// States that a run of no rounds passes: the three of planning, the two of reporting, its end.
const STATES_OF_A_RUN: u64 = 6;
/// States that a call of a copier or renderer passes in the Map (the choice of the function, the call, the choice after it),
/// and one more for the end of each child.
const STATES_OF_A_CALL: u64 = 3;

/// A report while it is put together.
#[derive(Debug, Default)]
pub struct ReportDraft {
    /// The ledger's sums.
    pub sums: Settlement,
    /// What the proof of the target found.
    pub verified: Option<Verification>,
    /// What the run vouches for.
    pub proof: Option<Proof>,
    /// What an audit compared.
    pub audit: Option<AuditSums>,
    /// Unfinished uploads that were aborted.
    pub uploads_aborted: u64,
    /// Requests of planning, copying, sweeping and verifying.
    pub requests: RequestCounts,
    problem: Option<ReportedProblem>,
}

impl ReportDraft {
    /// Of a run that was refused before it had a record.
    #[must_use]
    pub fn without_record(event: &ReporterEvent) -> Self {
        let mut draft = Self::default();
        match &event.problem {
            Some(problem) => draft.problem = Some(ReportedProblem::of_state(problem)),
            None => draft.note(&Failure::invariant(
                "nothing broke, and the ledger has no record of the run",
            )),
        }
        draft
    }

    /// Of a dry run, or of a run whose plan was never finished: what there is of it is not a plan.
    #[must_use]
    pub fn of_plan(event: &ReporterEvent, run: &RunRecord) -> Self {
        let mut draft = Self {
            problem: event.problem.as_ref().map(ReportedProblem::of_state),
            requests: run.totals.requests.clone(),
            ..Self::default()
        };
        if run.state != RunState::Planning {
            draft.sums.planned = run.totals.planned;
            draft.sums.deletes = run.totals.deletes;
            draft.sums.shards.total = run.totals.shards;
        } else if draft.problem.is_none() {
            draft.note(&Failure::invariant(
                "nothing broke, and the plan is not finished",
            ));
        }
        draft
    }

    /// Of a run that was planned.
    #[must_use]
    pub fn settled(event: &ReporterEvent, run: &RunRecord, sums: Settlement) -> Self {
        let mut draft = Self {
            problem: event.problem.as_ref().map(ReportedProblem::of_state),
            requests: run.totals.requests.clone(),
            sums,
            ..Self::default()
        };
        add_requests(&mut draft.requests, &requests_of_shards(run, &draft.sums));
        draft
    }

    /// Notes what went wrong while reporting. The first problem leads, later ones follow it.
    pub fn note(&mut self, failure: &Failure) {
        let problem = ReportedProblem::of_failure(OWN_STATE, failure);
        self.problem = Some(match self.problem.take() {
            Some(first) => first.and(&problem),
            None => problem,
        });
    }

    fn copy_seconds(&self, estimate: &RunEstimate) -> CopySeconds {
        let (shortest, longest) = (estimate.copy_seconds, estimate.copy_seconds_max);
        CopySeconds {
            estimated: shortest,
            estimated_max: Some(longest).filter(|&seconds| seconds > shortest),
            counted: self.sums.copying_time().map(|time| time.as_secs()),
        }
    }

    /// The report, which lies in the bucket `control`.
    #[must_use]
    pub fn into_report(
        mut self,
        event: &ReporterEvent,
        run: Option<&RunRecord>,
        control: &BucketName,
        ended_at: Timestamp,
    ) -> Report {
        if let Some(contradiction) = self.sums.contradiction() {
            self.note(&contradiction);
        }
        let is_dry = run.is_some_and(|run| run.spec.dry_run);
        let unfinished = settlement::unfinished_code(event.problem.as_ref());
        let tally = self.sums.final_tally(unfinished);
        let skipped = skipped(tally.skipped, run);
        let transitions = STATES_OF_A_RUN + self.sums.attempts * STATES_OF_A_CALL + self.sums.begun;
        self.requests
            .insert("states:Transition".to_owned(), transitions);
        let plan = run.filter(|run| run.state != RunState::Planning);
        let estimate = plan.map(|run| &run.totals.estimate);
        let copy_seconds = estimate.map(|estimate| self.copy_seconds(estimate));
        let report = Report {
            schema_version: REPORT_VERSION,
            run_id: event.run_id.clone(),
            verdict: Verdict::Incomplete,
            mode: run.map(|run| run.spec.mode),
            compare: run.and_then(compare),
            transform: run.and_then(|run| run.spec.transform),
            pair: run.map(ReportedPair::of),
            input: asked(event, run),
            rerun_of: run.and_then(|run| Some(run.spec.rerun.as_ref()?.of.clone())),
            not_planned: run.and_then(not_planned),
            list: plan.and_then(|run| run.totals.list.clone()),
            as_of: plan.and_then(|run| Some(run.spec.as_of?.to_string())),
            started_by: started_by(event),
            events: reported_events(event, run),
            rest_of: run.and_then(|run| run.spec.rerun.as_ref()?.rest_of().cloned()),
            planned: self.sums.planned,
            copied: self.sums.newer.applied_to(tally.copied),
            skipped,
            copied_newer: self.sums.newer,
            class_changed: plan.map_or(0, |run| run.totals.classes.changed),
            filtered: Some(run.map_or_else(Count::default, |run| run.totals.filtered)),
            beside_prefix: run.map_or(0, |run| run.totals.beside_prefix),
            deleted: DeletedCount {
                exceeds: plan.and_then(exceeded_limits),
                ..self.sums.deleted_count(unfinished)
            },
            failed: tally.failed,
            rounds: rounds(event, &self.sums),
            shards: self.sums.shards,
            verified: self
                .verified
                .unwrap_or_else(|| Verification::clean(Verify::None)),
            proof: self.proof,
            audit: self.audit,
            notes: self.sums.notes,
            uploads_aborted: self.uploads_aborted,
            cost_usd: Cost::of(
                self.requests,
                estimate.map_or_else(RequestCounts::new, |estimate| estimate.requests.clone()),
                run.map_or_else(Prices::default, prices),
            ),
            copy_seconds,
            started_at: event.started_at,
            ended_at,
            report: ReportLocation {
                bucket: control.clone(),
                prefix: control_key::run_folder(&event.run_id),
            },
            warnings: Vec::new(),
            problem: self.problem,
        };
        warned(balanced(report.judged(is_dry), is_dry))
    }
}

/// How the run compared, where it compared anything but times.
fn compare(run: &RunRecord) -> Option<Compare> {
    run.spec.transform.is_none().then_some(run.spec.compare)
}

/// The requests of the shards, with those that wrote renditions under a name of their own: they are all that a renderer
/// puts, apart from documents in the control bucket, which no shard counts.
fn requests_of_shards(run: &RunRecord, sums: &Settlement) -> RequestCounts {
    let mut requests = sums.requests.clone();
    if run.spec.transform.is_some()
        && let Some(puts) = requests.remove("s3:PutObject")
    {
        requests.insert(RENDITION_WRITES.to_owned(), puts);
    }
    requests
}

fn asked(event: &ReporterEvent, run: Option<&RunRecord>) -> Option<AskedInput> {
    match run {
        // One that was refused may hold anything.
        None => AskedInput::if_empty(&event.input),
        Some(run) if run.spec.rerun.is_some() => AskedInput::of_spec(&run.spec),
        Some(run) => AskedInput::of(&event.input, run.spec.pair.target.external_id.as_ref()),
    }
}

/// How many rounds there were: none where no copier began.
fn rounds(event: &ReporterEvent, sums: &Settlement) -> u32 {
    if sums.attempts > 0 { event.round } else { 0 }
}

/// What was skipped after it was planned, and what the plan skipped.
fn skipped(after_planning: SkippedCount, run: Option<&RunRecord>) -> SkippedObjects {
    let mut skipped = SkippedObjects {
        after_planning: after_planning.count(),
        count: after_planning,
    };
    if let Some(run) = run {
        skipped.count.add(&run.totals.skipped());
    }
    skipped
}

/// A report whose sums do not add up says so before anything else.
fn balanced(mut report: Report, is_dry: bool) -> Report {
    let Some(imbalance) = report.imbalance(is_dry) else {
        return report;
    };
    let found = ReportedProblem::of_failure(OWN_STATE, &imbalance);
    report.problem = Some(match report.problem.take() {
        Some(first) => found.and(&first),
        None => found,
    });
    report.judged(is_dry)
}

fn prices(run: &RunRecord) -> Prices {
    let (region, choice) = (&run.target.region, run.spec.storage_class);
    Prices::of(Some(region), choice, &run.totals.classes)
}

fn warned(mut report: Report) -> Report {
    report.warnings = reported_warnings(&report);
    report
}

fn exceeded_limits(run: &RunRecord) -> Option<DeleteLimits> {
    let totals = &run.totals;
    (totals.deletes_held && totals.deletes > 0).then_some(DeleteLimits {
        deletable: totals.deletable,
        delete_max_percent: run.spec.delete_max_percent,
        delete_max_objects: run.spec.delete_max_objects,
        empty_source: run.spec.rerun.is_none()
            && run.spec.events.is_none()
            && !run.spec.allow_empty_source
            && [totals.planned, totals.same, totals.archived]
                .iter()
                .all(|count| count.objects == 0),
    })
}

/// What events told of. A run that was refused before it had a record says it in its input.
/// A rerun is started by a person, whatever started the run that it goes on with.
fn started_by(event: &ReporterEvent) -> Option<StartedBy> {
    let input = RunInput::parse(&event.input.json().ok()?).ok()?;
    Some(match (input.events, input.started_by) {
        (Some(_), _) => StartedBy::Events,
        (None, Some(Starter::Schedule)) => StartedBy::Schedule,
        (None, None) => StartedBy::Person,
    })
}

fn reported_events(event: &ReporterEvent, run: Option<&RunRecord>) -> Option<ReportedEvents> {
    let events = match run {
        Some(run) => run.spec.events.clone(),
        None => RunInput::parse(&event.input.json().ok()?).ok()?.events,
    };
    events.map(|events| ReportedEvents {
        objects: events.objects,
        oldest_at: events.oldest_at,
    })
}

fn not_planned(run: &RunRecord) -> Option<NotPlanned> {
    let rerun = run.spec.rerun.as_ref()?;
    Some(NotPlanned {
        gone: run.totals.gone,
        filtered: run.totals.filtered,
        not_chosen: rerun.not_chosen,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        shard::{ShardRecord, ShardWork},
        value::id::{RunId, ShardId},
    };

    fn event() -> ReporterEvent {
        serde_json::from_str(include_str!(
            "../../../../statemachine/fixtures/reporter-event.json"
        ))
        .unwrap()
    }

    fn transitions(sums: Settlement) -> u64 {
        let draft = ReportDraft {
            sums,
            ..ReportDraft::default()
        };
        let control = BucketName::new("control").unwrap();
        let report = draft.into_report(&event(), None, &control, Timestamp::default());
        report.cost_usd.requests["states:Transition"]
    }

    #[test]
    fn a_shard_that_no_copier_began_costs_no_transitions() {
        let mut planned = Settlement::default();
        planned.shards.total = 1_000;
        assert_eq!(transitions(planned), STATES_OF_A_RUN);
        let mut sums = Settlement::default();
        for (number, attempts) in [(0, 2), (1, 0)] {
            let mut shard = ShardRecord::ready(
                RunId::new("run").unwrap(),
                ShardId::new(format!("1-{number}")).unwrap(),
                ShardWork::CopyObjects,
                Count::default(),
                0,
            );
            shard.attempts = attempts;
            sums.add(&shard);
        }
        assert_eq!(
            transitions(sums),
            STATES_OF_A_RUN + 2 * STATES_OF_A_CALL + 1
        );
    }
}
