//! The steps of a report.

use futures::TryFutureExt;
use shardlift_core::{
    control_key, cost,
    deadline::Deadline,
    event::{EVENT_VERSION, IndexLocation, ReporterEvent, ReporterResult, ReporterStatus},
    failure::{Failure, FailureCode},
    fault::CallFault,
    notice::Surroundings,
    port::{
        Accounts, Clock, ControlStore, Ledger, Notification, Notifier, PutOutcome, SessionName,
        SourceBucket, TargetBucket,
    },
    range::RangeRecord,
    report::{
        Cost, DeletedCount, REPORT_VERSION, Report, ReportLocation, ReportedProblem, Verdict,
        Verification,
    },
    run::{RunRecord, RunState},
    settlement::{self, Settlement},
    spec::Verify,
    tally::{Count, RequestCounts, Tally},
};

use crate::{
    documents::Documents,
    relist::{self, Relisting},
    rounds, settle,
};

/// The state of the machine that the reporter is.
const OWN_STATE: &str = "ReportRun";

/// The reporter over its ports.
#[derive(Debug, Clone)]
pub struct Reporter<A, L, C, N, K> {
    /// Opens the two sides for the proof.
    pub accounts: A,
    /// The ledger.
    pub ledger: L,
    /// The control bucket.
    pub control: C,
    /// The topic.
    pub notifier: N,
    /// The time.
    pub clock: K,
    /// The most copiers at once in another round.
    pub max_concurrency: u32,
}

/// What the report is made of.
struct Findings {
    sums: Settlement,
    final_tally: Tally,
    verified: Verification,
    requests: RequestCounts,
    problem: Option<ReportedProblem>,
}

impl<A, L, C, N, K> Reporter<A, L, C, N, K>
where
    A: Accounts,
    L: Ledger,
    C: ControlStore,
    N: Notifier,
    K: Clock,
{
    /// Settles the run and says what comes next.
    ///
    /// May run twice. A second call for a round that was offered gives the same index. A second call for a run that was
    /// reported gives the same answer and notifies nobody again; one for a run whose report was cut short writes it
    /// anew, and may notify again, which is better than never.
    ///
    /// # Errors
    /// What keeps a report from being written or sent: the state machine then sends a plain notice.
    pub async fn report(
        &self,
        event: &ReporterEvent,
        _deadline: Deadline,
    ) -> Result<ReporterResult, Failure> {
        let run = self
            .ledger
            .read_run(&event.run_id)
            .await
            .map_err(|fault| fault.into_failure().within("reading the record of the run"))?;
        let Some(run) = run else {
            let findings = Findings::without_run(event);
            return self
                .publish(event, None, findings, Documents::empty()?)
                .await;
        };
        if run.state == RunState::Reported
            && let Some(report) = self.written_report(event).await?
        {
            self.release_lock(&run).await?;
            return Ok(self.result(event, &report));
        }
        if run.state == RunState::Planning || run.spec.dry_run {
            let findings = Findings::of_plan(event, &run);
            return self
                .publish(event, Some(&run), findings, Documents::empty()?)
                .await;
        }
        let sums = settle::settle(&self.ledger, &run).await?;
        match self.next_round(event, &run, &sums).await {
            Ok(Some(index)) => Ok(self.round(event, index)),
            Ok(None) => self.conclude(event, &run, sums).await,
            Err(failure) if failure.code == FailureCode::InvariantViolated => {
                let mut sums = sums;
                sums.contradict(failure.detail);
                self.conclude(event, &run, sums).await
            }
            Err(failure) => Err(failure),
        }
    }

    /// Offers another round where one is due: something is not done, nothing contradicts itself, rounds are left.
    async fn next_round(
        &self,
        event: &ReporterEvent,
        run: &RunRecord,
        sums: &Settlement,
    ) -> Result<Option<IndexLocation>, Failure> {
        let is_due = event.problem.is_none()
            && sums.contradiction().is_none()
            && sums.wants_round()
            && event.round < run.spec.rounds_max;
        if !is_due {
            return Ok(None);
        }
        rounds::offer(&self.ledger, &self.control, &run.run_id, event.round + 1)
            .await
            .map(Some)
    }

    async fn conclude(
        &self,
        event: &ReporterEvent,
        run: &RunRecord,
        mut sums: Settlement,
    ) -> Result<ReporterResult, Failure> {
        let unfinished = settlement::unfinished_code(event.problem.as_ref());
        let documents = match Documents::of_run(&self.ledger, &self.control, run, unfinished).await
        {
            Err(failure) if failure.code == FailureCode::InvariantViolated => {
                sums.contradict(failure.detail);
                Documents::empty()?
            }
            other => other?,
        };
        let mut problems: Vec<ReportedProblem> = Vec::new();
        problems.extend(event.problem.as_ref().map(ReportedProblem::of_state));
        let contradiction = sums.contradiction();
        problems.extend(
            contradiction
                .as_ref()
                .map(|failure| ReportedProblem::of_failure(OWN_STATE, failure)),
        );
        let mut requests = RequestCounts::new();
        let verified = match self.verify(event, run, &mut requests).await {
            Ok(verified) => verified,
            Err(failure) => {
                problems.push(ReportedProblem::of_failure(
                    OWN_STATE,
                    &failure.within("the target could not be proven complete"),
                ));
                Verification::clean(Verify::None)
            }
        };
        add(&mut requests, &run.totals.requests);
        add(&mut requests, &sums.requests);
        let findings = Findings {
            final_tally: sums.final_tally(unfinished),
            sums,
            verified,
            requests,
            problem: problems
                .into_iter()
                .reduce(|first, other| first.and(&other)),
        };
        self.publish(event, Some(run), findings, documents).await
    }

    /// Lists both sides again, unless that was not asked for or cannot tell anything: when the Map broke, what is
    /// missing is known.
    async fn verify(
        &self,
        event: &ReporterEvent,
        run: &RunRecord,
        requests: &mut RequestCounts,
    ) -> Result<Verification, Failure> {
        if run.spec.verify == Verify::None || event.problem.is_some() {
            return Ok(Verification::clean(Verify::None));
        }
        let pair = &run.spec.pair;
        let session = SessionName::of_step("report", &run.run_id);
        let ranges = self.ledger.read_ranges(&run.run_id);
        let ranges = ranges.map_err(CallFault::into_failure).await?;
        let bounds = ranges
            .into_iter()
            .map(|range: RangeRecord| range.bounds)
            .collect();
        let source = self.accounts.open_source(&pair.source);
        let source = source.map_err(CallFault::into_failure).await?;
        let target = self
            .accounts
            .reopen_target(
                &pair.target,
                &run.target,
                &pair.source,
                &run.source,
                &session,
            )
            .map_err(CallFault::into_failure)
            .await?;
        let relisting = Relisting::new(&run.spec, run.started_at)?;
        let verified = relisting
            .verify(&source, &target, relist::tiling(bounds))
            .await;
        add(requests, &source.requests());
        add(requests, &target.requests());
        verified
    }

    /// Writes the report's documents, notifies, and closes the run, in this order: whatever is cut short is done again.
    async fn publish(
        &self,
        event: &ReporterEvent,
        run: Option<&RunRecord>,
        findings: Findings,
        documents: Documents,
    ) -> Result<ReporterResult, Failure> {
        let report = self.compose(event, run, findings);
        let json = serde_json::to_vec_pretty(&report)
            .map_err(|error| Failure::invariant(format!("the report is no JSON: {error}")))?;
        for (name, content_type, body) in [
            (
                "failures.csv",
                "text/csv; charset=utf-8",
                documents.failures_csv,
            ),
            ("shards.json", "application/json", documents.shards_json),
            ("report.json", "application/json", json),
        ] {
            let key = control_key::report_document(&event.run_id, name);
            let put = self.control.put(&key, content_type, body).await;
            put.map_err(|fault| fault.into_failure().within(format!("writing {key}")))?;
        }
        let around = Surroundings {
            execution: &event.execution_arn,
            pair: run.map(|run| &run.spec.pair),
            examples: &documents.examples,
        };
        let notification = Notification::of_report(&report, around)?;
        let published = self.notifier.publish(&notification).await;
        published.map_err(|fault| fault.into_failure().within("publishing the report"))?;
        if let Some(run) = run {
            self.close(run).await?;
        }
        Ok(self.result(event, &report))
    }

    fn compose(
        &self,
        event: &ReporterEvent,
        run: Option<&RunRecord>,
        findings: Findings,
    ) -> Report {
        let Findings {
            sums,
            final_tally,
            verified,
            requests,
            problem,
        } = findings;
        let mut skipped = final_tally.skipped;
        skipped.add(run.map_or_else(Count::default, |run| run.totals.same));
        Report {
            schema_version: REPORT_VERSION,
            run_id: event.run_id.clone(),
            verdict: Verdict::Incomplete,
            mode: run.map(|run| run.spec.mode),
            planned: sums.planned,
            copied: final_tally.copied,
            skipped,
            deleted: DeletedCount {
                objects: final_tally.deleted.objects,
            },
            failed: final_tally.failed,
            rounds: if sums.attempts > 0 { event.round } else { 0 },
            shards: sums.shards,
            verified,
            cost_usd: Cost {
                estimated: cost::total_usd(&requests),
                requests,
            },
            started_at: event.started_at,
            ended_at: self.clock.now(),
            report: ReportLocation {
                bucket: self.control.bucket().clone(),
                prefix: control_key::run_folder(&event.run_id),
            },
            problem,
        }
        .judged(run.is_some_and(|run| run.spec.dry_run))
    }

    /// Marks the run as reported and gives the pair free.
    async fn close(&self, run: &RunRecord) -> Result<(), Failure> {
        let mut reported = run.clone();
        reported.state = RunState::Reported;
        reported.revision += 1;
        let told = |fault: CallFault| fault.into_failure().within("closing the run");
        if self.ledger.replace_run(&reported).await.map_err(told)? == PutOutcome::Refused {
            let found = self.ledger.read_run(&run.run_id).await.map_err(told)?;
            if found.is_none_or(|found| found.state != RunState::Reported) {
                return Err(Failure::new(
                    FailureCode::LedgerConflict,
                    "the record of the run was changed by somebody else while it was reported",
                ));
            }
        }
        self.release_lock(run).await
    }

    async fn release_lock(&self, run: &RunRecord) -> Result<(), Failure> {
        let pair = run.spec.pair.lock_name();
        let deleted = self.ledger.delete_lock(&pair, &run.run_id).await;
        deleted.map_err(|fault| fault.into_failure().within("giving the pair free"))
    }

    async fn written_report(&self, event: &ReporterEvent) -> Result<Option<Report>, Failure> {
        let key = control_key::report_document(&event.run_id, "report.json");
        let body = self.control.get(&key).await;
        let body = body.map_err(|fault| fault.into_failure().within(format!("reading {key}")))?;
        Ok(body.and_then(|body| serde_json::from_slice(&body).ok()))
    }

    fn result(&self, event: &ReporterEvent, report: &Report) -> ReporterResult {
        ReporterResult {
            schema_version: EVENT_VERSION,
            status: report.status(event.problem.is_some()),
            round: event.round,
            index: None,
            max_concurrency: self.max_concurrency,
            code: report.leading_code(),
            summary: summary(report),
        }
    }

    fn round(&self, event: &ReporterEvent, index: IndexLocation) -> ReporterResult {
        ReporterResult {
            schema_version: EVENT_VERSION,
            status: ReporterStatus::Round,
            round: event.round + 1,
            index: Some(index),
            max_concurrency: self.max_concurrency,
            code: String::new(),
            summary: format!("round {} offers what is not done again", event.round + 1),
        }
    }
}

impl Findings {
    /// Of a run that was refused before it had a record.
    fn without_run(event: &ReporterEvent) -> Self {
        let problem = event.problem.as_ref().map_or_else(
            || {
                ReportedProblem::of_failure(
                    OWN_STATE,
                    &Failure::invariant("nothing broke, and the ledger has no record of the run"),
                )
            },
            ReportedProblem::of_state,
        );
        Self::bare(Some(problem))
    }

    /// Of a dry run, or of a run whose plan was never finished: what there is of it is not a plan.
    fn of_plan(event: &ReporterEvent, run: &RunRecord) -> Self {
        let mut problem = event.problem.as_ref().map(ReportedProblem::of_state);
        if problem.is_none() && run.state == RunState::Planning {
            let unfinished = Failure::invariant("nothing broke, and the plan is not finished");
            problem = Some(ReportedProblem::of_failure(OWN_STATE, &unfinished));
        }
        let mut findings = Self::bare(problem);
        if run.state != RunState::Planning {
            findings.sums.planned = run.totals.planned;
            findings.sums.shards.total = run.totals.shards;
        }
        findings.requests = run.totals.requests.clone();
        findings
    }

    fn bare(problem: Option<ReportedProblem>) -> Self {
        Self {
            sums: Settlement::default(),
            final_tally: Tally::default(),
            verified: Verification::clean(Verify::None),
            requests: RequestCounts::new(),
            problem,
        }
    }
}

/// The headline, and for what broke the message behind it: this is all that the console's execution page shows.
fn summary(report: &Report) -> String {
    let location = format!(
        "s3://{}/{}report.html",
        report.report.bucket, report.report.prefix
    );
    match &report.problem {
        Some(problem) => format!(
            "{}. {} {} Report: {location}",
            report.headline(),
            problem.message,
            problem.action
        ),
        None => format!("{}. Report: {location}", report.headline()),
    }
}

fn add(sum: &mut RequestCounts, more: &RequestCounts) {
    for (operation, count) in more {
        *sum.entry(operation.clone()).or_default() += count;
    }
}
