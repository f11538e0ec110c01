//! The last step of a run: its documents are written, people are notified, the run is closed.

use shardlift_aws::telemetry::field;
use shardlift_core::{
    access::preflight::Preflight,
    documents::RunDocument,
    failure::{Context, Failure, FailureCode},
    port::{Clock, ControlStore, Ledger, Notification, Notifier, PutOutcome},
    report::{Report, draft::ReportDraft, notice::Surroundings, settlement},
    run::{
        lock::LockedPrefix,
        record::{RunRecord, RunState},
    },
    value::tally::add_requests,
};

use crate::{
    details::Details,
    events,
    invocation::Invocation,
    metrics,
    page::{Charts, ReportPage},
    ports::Ports,
    progress::Progress,
};

/// Writes the documents of the report, notifies, and closes the run, in this order: whatever is cut short is done again.
/// Nothing where the draft is of the past: a copier that was believed dead wrote since the shards were added up, and the
/// lists of the documents would contradict the sums.
///
/// # Errors
/// What keeps one of them from being done.
pub(crate) async fn publish<P: Ports>(
    invocation: &Invocation<'_, P>,
    run: Option<&RunRecord>,
    mut draft: ReportDraft,
) -> Result<Option<Report>, Failure> {
    let (event, documents) = (invocation.event, invocation.documents());
    let ended_at = invocation.clock.now();
    add_requests(&mut draft.requests, &invocation.deadline.billed(ended_at));
    let charts = Charts::new(event.started_at, ended_at, draft.sums.shards.total);
    let settled = run.filter(|run| run.state != RunState::Planning && !run.spec.dry_run);
    let details = write_details(invocation, settled, charts).await?;
    if settled.is_some() && !details.sums.is_same_reading(&draft.sums) {
        Progress::sweep_again(invocation).await?;
        return Ok(None);
    }
    for contradiction in &details.contradictions {
        draft.sums.contradict(contradiction.clone());
    }
    let report = draft.into_report(event, run, invocation.control.bucket(), ended_at);
    if report.is_news() {
        write_page(invocation, run, &report, &details).await?;
    }
    let json = serde_json::to_vec_pretty(&report)
        .map_err(|error| Failure::invariant(format!("the report is no JSON: {error}")))?;
    documents.write(RunDocument::Report, json).await?;
    let around = Surroundings {
        execution: &event.execution_arn,
        pair: run.map(|run| &run.spec.pair),
        examples: &details.examples,
    };
    if report.is_news() {
        let notification = Notification::of_report(&report, around)?;
        let published = invocation.notifier.publish(&notification).await;
        published.context("publishing the report")?;
    }
    events::settle(invocation, run, &report).await?;
    if let Some(run) = run {
        close(invocation, run).await?;
    }
    note(invocation, run, &report);
    Ok(Some(report))
}

/// The page for people.
async fn write_page<P: Ports>(
    invocation: &Invocation<'_, P>,
    run: Option<&RunRecord>,
    report: &Report,
    details: &Details,
) -> Result<(), Failure> {
    let documents = invocation.documents();
    let made_trials = run.is_none_or(|run| !run.spec.is_light());
    let preflight: Option<Preflight> = if made_trials {
        documents.json_if_readable(RunDocument::Preflight).await?
    } else {
        None
    };
    let page = ReportPage {
        report,
        run,
        execution: &invocation.event.execution_arn,
        examples: &details.examples,
        failed: &details.failed,
        charts: &details.charts,
        preflight: preflight.as_ref(),
    };
    let page = page.render().into_bytes();
    documents.write(RunDocument::ReportPage, page).await?;
    Ok(())
}

/// The documents of all shards. Only a settled run has any.
async fn write_details<P: Ports>(
    invocation: &Invocation<'_, P>,
    settled: Option<&RunRecord>,
    charts: Charts,
) -> Result<Details, Failure> {
    match settled {
        Some(run) => {
            let unfinished = settlement::unfinished_code(invocation.event.problem.as_ref());
            Details::write(invocation, run, unfinished, charts).await
        }
        None => Details::write_empty(invocation, charts).await,
    }
}

/// Logs the report, and sends its metrics.
fn note<P: Ports>(invocation: &Invocation<'_, P>, run: Option<&RunRecord>, report: &Report) {
    tracing::info!(
        { field::RUN_ID } = %report.run_id,
        { field::RUN_VERDICT } = %report.verdict,
        { field::OBJECTS } = report.copied.objects,
        { field::BYTES } = report.copied.bytes,
        "run reported"
    );
    let pair = run.map(|run| &run.spec.pair);
    let elsewhere = pair.filter(|pair| invocation.is_elsewhere(pair));
    let target = elsewhere.map(|pair| &pair.target);
    for line in metrics::of_report(report, &invocation.event.execution_arn, target) {
        if let Err(error) = line.emit() {
            tracing::warn!({ field::ERROR_DETAIL } = %error, "the metrics of the run could not be printed");
        }
    }
}

/// Marks the run as reported and releases the lock of its target.
async fn close<P: Ports>(invocation: &Invocation<'_, P>, run: &RunRecord) -> Result<(), Failure> {
    const CLOSING: &str = "closing the run";
    let ledger = invocation.ledger;
    let mut reported = run.clone();
    reported.state = RunState::Reported;
    reported.revision += 1;
    let written = ledger.replace_run(&reported).await;
    if written.context(CLOSING)? == PutOutcome::Refused {
        let found = ledger.read_run(&run.run_id).await.context(CLOSING)?;
        if found.is_none_or(|found| found.state != RunState::Reported) {
            return Err(Failure::new(
                FailureCode::LedgerConflict,
                "the record of the run changed while the run was being reported",
            ));
        }
    }
    release_lock(invocation, run).await
}

/// Lets other runs to the target begin.
///
/// # Errors
/// When the ledger cannot be used.
pub(crate) async fn release_lock<P: Ports>(
    invocation: &Invocation<'_, P>,
    run: &RunRecord,
) -> Result<(), Failure> {
    let locked = LockedPrefix::of(&run.spec.pair);
    let deleted = invocation.ledger.delete_lock(&locked, &run.run_id).await;
    deleted.context("releasing the lock of the target")
}
