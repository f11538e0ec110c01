//! The sweep of one invocation, and what becomes of its failures.

use shardlift_aws::telemetry::field;
use shardlift_core::{
    failure::{Failure, Retry},
    report::draft::ReportDraft,
    run::record::RunRecord,
    value::tally::add_requests,
};

use super::{sweep_progress::SweepProgress, sweeper::Sweeper};
use crate::{invocation::Invocation, ports::Ports, progress::Progress};

/// Continues the sweep. `may_have_left_uploads` says whether copiers may have left some that the plan does not expect. A few transient failures are survived, like those of the verification.
pub(crate) async fn sweep<P: Ports>(
    invocation: &Invocation<'_, P>,
    run: &RunRecord,
    progress: &mut Progress,
    may_have_left_uploads: bool,
) {
    let aborted = abort_uploads(invocation, run, progress, may_have_left_uploads).await;
    let Err(failure) = aborted else {
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
        progress.sweep = SweepProgress::Impossible(failure);
    }
}

async fn abort_uploads<P: Ports>(
    invocation: &Invocation<'_, P>,
    run: &RunRecord,
    progress: &mut Progress,
    may_have_left_uploads: bool,
) -> Result<(), Failure> {
    let sweeper = Sweeper::enter(invocation, run).await?;
    let swept = sweeper
        .advance(&mut progress.sweep, may_have_left_uploads)
        .await;
    progress.uploads_aborted += sweeper.aborted();
    add_requests(&mut progress.requests, &sweeper.requests());
    swept
}

/// Aborts what the permission probe left of a run that did not get as far as copying.
pub(crate) async fn sweep_probe<P: Ports>(
    invocation: &Invocation<'_, P>,
    run: &RunRecord,
    draft: &mut ReportDraft,
) {
    match abort_probe(invocation, run, draft).await {
        Ok(()) => {}
        // The empty upload of a probe is no reason to call a plan incomplete: the lifecycle rule ends it.
        Err(failure) if failure.code.retry() == Retry::Later => tracing::warn!(
            { field::RUN_ID } = %run.run_id,
            { field::ERROR_CODE } = failure.code.name(),
            { field::ERROR_DETAIL } = failure.detail,
            "an upload of the permission probe may be left behind"
        ),
        Err(failure) => {
            draft.note(&failure.within("an upload of the permission probe may be left behind"));
        }
    }
}

async fn abort_probe<P: Ports>(
    invocation: &Invocation<'_, P>,
    run: &RunRecord,
    draft: &mut ReportDraft,
) -> Result<(), Failure> {
    let sweeper = Sweeper::enter(invocation, run).await?;
    let swept = sweeper.sweep_probe().await;
    draft.uploads_aborted = sweeper.aborted();
    add_requests(&mut draft.requests, &sweeper.requests());
    swept
}
