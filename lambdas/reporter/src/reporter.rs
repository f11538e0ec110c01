//! The steps of a report.

use std::sync::atomic::AtomicU64;

use shardlift_aws::telemetry::field;
use shardlift_core::{
    access::preflight::{PREFLIGHT_DOCUMENT, Preflight},
    documents::control_key,
    failure::{Failure, FailureCode, Retry, fault::CallFault},
    port::{
        Accounts, Clock, ControlStore, Ledger, Notification, Notifier, PutOutcome, SessionName,
        TargetBucket,
    },
    report::{
        Report,
        notice::Surroundings,
        settlement::{self, Settlement},
    },
    run::{
        event::{EVENT_VERSION, IndexLocation, ReporterEvent, ReporterResult, ReporterStatus},
        option::Verify,
        record::{RunRecord, RunState},
    },
    value::{deadline::Deadline, tally::add_requests},
};

use crate::{
    documents::Documents,
    findings::Findings,
    metrics,
    page::{Charts, Page},
    proof::{Proof, Prover},
    relist::Progress,
    rounds::Round,
    settle,
    uploads::{Sweep, Sweeper},
};

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

/// What is left to do for a run whose Map has ended.
enum Step {
    /// The copiers again.
    Round(IndexLocation),
    /// The reporter again.
    Continue,
    /// The report.
    Conclude,
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
        deadline: Deadline,
    ) -> Result<ReporterResult, Failure> {
        let run = self.ledger.read_run(&event.run_id).await;
        let run =
            run.map_err(|fault| fault.into_failure().within("reading the record of the run"))?;
        let Some(run) = run else {
            return self
                .publish(event, None, Findings::without_run(event))
                .await;
        };
        if run.state == RunState::Reported
            && let Some(report) = self.written_report(event).await?
        {
            self.release_lock(&run).await?;
            return Ok(self.concluded(event, &report));
        }
        if run.state == RunState::Planning || run.spec.dry_run {
            let mut findings = Findings::of_plan(event, &run);
            self.sweep_trial(&run, deadline, &mut findings).await;
            return self.publish(event, Some(&run), findings).await;
        }
        let mut sums = settle::settle(&self.ledger, &run).await?;
        let step = match self.next_round(event, &run, &sums, deadline).await {
            Err(failure) if failure.code == FailureCode::InvariantViolated => {
                sums.contradict(failure.detail);
                Step::Conclude
            }
            step => step?,
        };
        match step {
            Step::Round(index) => Ok(self.round(event, index)),
            Step::Continue => Ok(self.again(event, "offering another round")),
            Step::Conclude => self.conclude(event, &run, sums, deadline).await,
        }
    }

    /// Offers another round where one is due: something is not done, nothing contradicts itself, rounds are left.
    async fn next_round(
        &self,
        event: &ReporterEvent,
        run: &RunRecord,
        sums: &Settlement,
        deadline: Deadline,
    ) -> Result<Step, Failure> {
        if event.problem.is_some() || sums.contradiction().is_some() {
            return Ok(Step::Conclude);
        }
        let Some(work) = sums.next_round(event.round, run.spec.rounds_max) else {
            return Ok(Step::Conclude);
        };
        let round = Round {
            ledger: &self.ledger,
            control: &self.control,
            clock: &self.clock,
            run_id: &run.run_id,
            number: event.round + 1,
            work,
        };
        Ok(round
            .offer(deadline)
            .await?
            .map_or(Step::Continue, Step::Round))
    }

    async fn conclude(
        &self,
        event: &ReporterEvent,
        run: &RunRecord,
        sums: Settlement,
        deadline: Deadline,
    ) -> Result<ReporterResult, Failure> {
        let mut findings = Findings::settled(event, run, sums);
        let prover = Prover {
            accounts: &self.accounts,
            ledger: &self.ledger,
            control: &self.control,
            clock: &self.clock,
            deadline,
        };
        let mut progress = prover.load(run).await?;
        if !progress.sweep.is_over() {
            let (began_at, aborted_before) = (self.clock.now(), progress.uploads_aborted);
            self.sweep(run, deadline, &mut progress).await;
            let goes_on = !progress.sweep.is_over() || !prover.is_time_left(began_at);
            // What was aborted is told, whatever becomes of this invocation.
            if goes_on || progress.uploads_aborted > aborted_before {
                prover.save(run, &progress).await?;
            }
            if goes_on {
                return Ok(self.again(event, "looking for unfinished uploads"));
            }
        }
        if let Sweep::Impossible(failure) = &progress.sweep {
            let told = failure.clone();
            findings.note(&told.within("unfinished uploads may be left behind"));
        }
        // When the Map broke, what is missing is known.
        if run.spec.verify != Verify::None && event.problem.is_none() {
            match prover.advance(run, &mut progress).await? {
                Proof::Unfinished => return Ok(self.again(event, "listing both sides again")),
                Proof::Impossible(failure) => {
                    findings.note(&failure.within("the target could not be proven complete"));
                }
                Proof::Made(found) => findings.verified = Some(found),
            }
        }
        findings.uploads_aborted = progress.uploads_aborted;
        add_requests(&mut findings.requests, &progress.requests);
        self.publish(event, Some(run), findings).await
    }

    /// Sweeps what the trials left of a run that came to no copying.
    async fn sweep_trial(&self, run: &RunRecord, deadline: Deadline, findings: &mut Findings) {
        let swept = async {
            let target = self.enter_target(run).await?;
            let sweeper = self.sweeper(&target, deadline);
            let swept = sweeper.sweep_trial(run).await;
            findings.uploads_aborted = sweeper.aborted.into_inner();
            add_requests(&mut findings.requests, &target.requests());
            swept
        };
        match swept.await {
            Ok(()) => {}
            // An empty upload of a trial is no reason to call a plan incomplete: the lifecycle rule ends it.
            Err(failure) if failure.code.retry() == Retry::Later => tracing::warn!(
                { field::RUN_ID } = %run.run_id,
                { field::ERROR_CODE } = failure.code.name(),
                { field::ERROR_DETAIL } = failure.detail,
                "an upload of the trials may be left behind"
            ),
            Err(failure) => {
                findings.note(&failure.within("an upload of the trials may be left behind"));
            }
        }
    }

    /// Goes on with the sweep. A few faults that may pass are survived, like those of the proof.
    async fn sweep(&self, run: &RunRecord, deadline: Deadline, progress: &mut Progress) {
        let Err(failure) = self.abort_uploads(run, deadline, progress).await else {
            return;
        };
        if progress.survives(&failure) {
            tracing::warn!(
                { field::RUN_ID } = %run.run_id,
                { field::ERROR_CODE } = failure.code.name(),
                { field::ERROR_DETAIL } = failure.detail,
                "the sweep goes on in another invocation"
            );
        } else {
            progress.sweep = Sweep::Impossible(failure);
        }
    }

    async fn abort_uploads(
        &self,
        run: &RunRecord,
        deadline: Deadline,
        progress: &mut Progress,
    ) -> Result<(), Failure> {
        let target = self.enter_target(run).await?;
        let sweeper = self.sweeper(&target, deadline);
        let swept = sweeper.advance(run, &mut progress.sweep).await;
        progress.uploads_aborted += sweeper.aborted.into_inner();
        add_requests(&mut progress.requests, &target.requests());
        swept
    }

    async fn enter_target(&self, run: &RunRecord) -> Result<A::Target, Failure> {
        let session = SessionName::of_step("report", &run.run_id);
        let target = self.accounts.reopen_target(run, &session, None).await;
        target.map_err(|fault| fault.into_failure().within("entering the target account"))
    }

    fn sweeper<'a, T>(&'a self, target: &'a T, deadline: Deadline) -> Sweeper<'a, L, C, T, K> {
        Sweeper {
            ledger: &self.ledger,
            control: &self.control,
            target,
            clock: &self.clock,
            deadline,
            aborted: AtomicU64::new(0),
        }
    }

    /// Writes the report's documents, notifies, and closes the run, in this order: whatever is cut short is done again.
    async fn publish(
        &self,
        event: &ReporterEvent,
        run: Option<&RunRecord>,
        mut findings: Findings,
    ) -> Result<ReporterResult, Failure> {
        let ended_at = self.clock.now();
        let charts = Charts::new(event.started_at, ended_at, findings.sums.shards.total);
        // Only a settled run has shards to tell of.
        let documents = match run {
            Some(run) if run.state != RunState::Planning && !run.spec.dry_run => {
                let unfinished = settlement::unfinished_code(event.problem.as_ref());
                Documents::write(&self.ledger, &self.control, run, unfinished, charts).await?
            }
            _ => Documents::write_empty(&self.control, &event.run_id, charts).await?,
        };
        for contradiction in &documents.contradictions {
            findings.sums.contradict(contradiction.clone());
        }
        let report = findings.into_report(event, run, &self.control, ended_at);
        let around = Surroundings {
            execution: &event.execution_arn,
            pair: run.map(|run| &run.spec.pair),
            examples: &documents.examples,
        };
        let json = serde_json::to_vec_pretty(&report)
            .map_err(|error| Failure::invariant(format!("the report is no JSON: {error}")))?;
        let preflight = self.preflight(event).await?;
        let page = Page {
            report: &report,
            run,
            execution: &event.execution_arn,
            examples: &documents.examples,
            charts: &documents.charts,
            preflight: preflight.as_ref(),
        };
        let page = page.render().into_bytes();
        self.put(event, "report.html", "text/html; charset=utf-8", page)
            .await?;
        self.put(event, "report.json", "application/json", json)
            .await?;
        let notification = Notification::of_report(&report, around)?;
        let published = self.notifier.publish(&notification).await;
        published.map_err(|fault| fault.into_failure().within("publishing the report"))?;
        if let Some(run) = run {
            self.close(run).await?;
        }
        tracing::info!(
            { field::RUN_ID } = %report.run_id,
            { field::RUN_VERDICT } = %report.verdict,
            { field::OBJECTS } = report.copied.objects,
            { field::BYTES } = report.copied.bytes,
            "run reported"
        );
        if let Err(error) = metrics::of_report(&report, &event.execution_arn).emit() {
            tracing::warn!({ field::ERROR_DETAIL } = %error, "the metrics of the run could not be printed");
        }
        Ok(self.concluded(event, &report))
    }

    async fn put(
        &self,
        event: &ReporterEvent,
        name: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<(), Failure> {
        let key = control_key::report_document(&event.run_id, name);
        let put = self.control.put(&key, content_type, body).await;
        put.map_err(|fault| fault.into_failure().within(format!("writing {key}")))
    }

    /// What was tried before the run; nothing when it did not come to that. A table that cannot be read is not shown: it
    /// is no part of the account.
    async fn preflight(&self, event: &ReporterEvent) -> Result<Option<Preflight>, Failure> {
        let key = control_key::report_document(&event.run_id, PREFLIGHT_DOCUMENT);
        let body = self.control.get(&key).await;
        let body = body.map_err(|fault| fault.into_failure().within(format!("reading {key}")))?;
        Ok(body.and_then(|body| serde_json::from_slice(&body).ok()))
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

    fn concluded(&self, event: &ReporterEvent, report: &Report) -> ReporterResult {
        ReporterResult {
            status: report.status(event.problem.is_some()),
            code: report.leading_code(),
            summary: summary(report),
            ..self.again(event, "")
        }
    }

    fn round(&self, event: &ReporterEvent, index: IndexLocation) -> ReporterResult {
        let round = event.round + 1;
        ReporterResult {
            status: ReporterStatus::Round,
            round,
            index: Some(index),
            summary: format!("round {round} offers what is not done"),
            ..self.again(event, "")
        }
    }

    fn again(&self, event: &ReporterEvent, doing: &str) -> ReporterResult {
        ReporterResult {
            schema_version: EVENT_VERSION,
            status: ReporterStatus::Continue,
            round: event.round,
            index: None,
            max_concurrency: self.max_concurrency,
            code: String::new(),
            summary: doing.to_owned(),
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
