//! The verification of one invocation.

use shardlift_aws::telemetry::field;
use shardlift_core::{
    access::denial::listing_failure,
    failure::Failure,
    port::{Accounts, Clock, SourceBucket, TargetBucket},
    report::Verification,
    run::{option::Verify, pair::Side, record::RunRecord},
    value::tally::add_requests,
    verify::VerifyRules,
};

use super::{planned_versions, relisting::Relisting, replanned};
use crate::{invocation::Invocation, ports::Ports, progress::Progress};

/// What an invocation made of the verification.
pub(crate) enum Outcome {
    /// Both sides were compared to their ends.
    Verified(Verification),
    /// The deadline, or a transient failure, came first; the next invocation goes on.
    Unfinished,
    /// It is not possible.
    Impossible(Failure),
}

/// Continues the verification of a run.
///
/// # Errors
/// When the control bucket cannot be used; what the listings run into is an [`Outcome`].
pub(crate) async fn verify<P: Ports>(
    invocation: &Invocation<'_, P>,
    run: &RunRecord,
    progress: &mut Progress,
) -> Result<Outcome, Failure> {
    let method = run.spec.verify;
    if progress.ranges.is_done() {
        return verified(invocation, progress, method).await;
    }
    let began_at = invocation.clock.now();
    if let Err(failure) = relist(invocation, run, progress).await {
        if !progress.survives(&failure) {
            return Ok(Outcome::Impossible(failure));
        }
        tracing::warn!(
            { field::RUN_ID } = %run.run_id,
            { field::ERROR_CODE } = failure.code.name(),
            { field::ERROR_DETAIL } = failure.detail,
            "the verification goes on in another invocation"
        );
    }
    if progress.ranges.is_done() && invocation.has_time_after(began_at) {
        return verified(invocation, progress, method).await;
    }
    progress.save(invocation).await?;
    Ok(Outcome::Unfinished)
}

/// What was found, once the manifests have decided about what is doubtful.
async fn verified<P: Ports>(
    invocation: &Invocation<'_, P>,
    progress: &mut Progress,
    method: Verify,
) -> Result<Outcome, Failure> {
    let mut planned = progress.ranges.doubted();
    if !planned.is_empty() {
        planned_versions::look_up(invocation, &mut planned).await?;
        progress.ranges.settle_doubts(&planned);
    }
    Ok(Outcome::Verified(progress.ranges.verification(method)))
}

async fn relist<P: Ports>(
    invocation: &Invocation<'_, P>,
    run: &RunRecord,
    progress: &mut Progress,
) -> Result<(), Failure> {
    let source = invocation.accounts.open_source(&run.spec.pair.source).await;
    let source = source.map_err(|fault| listing_failure(fault, Side::Source))?;
    let target = invocation.enter_target(run).await?;
    let replanned = replanned::read(invocation, run).await?;
    let relisting = Relisting {
        source: &source,
        target: &target,
        rules: &VerifyRules::new(run, replanned)?,
        clock: invocation.clock,
        deadline: invocation.deadline,
    };
    let walked = relisting.advance(&mut progress.ranges).await;
    for requests in [source.requests(), target.requests()] {
        add_requests(&mut progress.requests, &requests);
    }
    walked
}
