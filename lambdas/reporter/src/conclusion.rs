//! What comes after the last round: unfinished uploads are swept, then the target is proven.

use shardlift_core::{
    failure::Failure,
    port::Clock,
    report::{ProofMethod, draft::ReportDraft, settlement::Settlement},
    run::{option::Verify, record::RunRecord},
    value::tally::add_requests,
};

use crate::{
    invocation::Invocation,
    ports::Ports,
    progress::Progress,
    sweep::{self, SweepProgress},
    verify::{Outcome, Prover, audit},
};

/// What an invocation made of it.
pub(crate) enum Conclusion {
    /// The next invocation goes on with this step.
    Unfinished(&'static str),
    /// The report can be written.
    Ready(Box<ReportDraft>),
}

/// Sweeps and verifies a settled run, as far as this invocation comes.
///
/// # Errors
/// When the control bucket or the ledger cannot be used. What keeps an upload from being aborted or the target from
/// being verified is in the draft.
pub(crate) async fn conclude<P: Ports>(
    invocation: &Invocation<'_, P>,
    run: &RunRecord,
    sums: Settlement,
) -> Result<Conclusion, Failure> {
    let event = invocation.event;
    if !run.spec.mode.writes() {
        return audited(invocation, run, sums).await;
    }
    let (needs_target, may_have_left_uploads) =
        (needs_target(run, &sums), sums.may_have_left_uploads());
    let prover = Prover::new(invocation, run, &sums).await?;
    let mut draft = ReportDraft::settled(event, run, sums);
    draft.proof = Some(prover.proof(ProofMethod::None));
    if !needs_target {
        return Ok(Conclusion::Ready(Box::new(draft)));
    }
    let mut progress = Progress::load(invocation).await?;
    if !progress.sweep.is_over() {
        let (began_at, aborted_before) = (invocation.clock.now(), progress.uploads_aborted);
        sweep::sweep(invocation, run, &mut progress, may_have_left_uploads).await;
        let continues = !progress.sweep.is_over() || !invocation.has_time_after(began_at);
        // What was aborted is reported, whatever becomes of this invocation.
        if continues || progress.uploads_aborted > aborted_before {
            progress.save(invocation).await?;
        }
        if continues {
            return Ok(Conclusion::Unfinished("looking for unfinished uploads"));
        }
    }
    if let SweepProgress::Impossible(failure) = &progress.sweep {
        let failure = failure.clone();
        draft.note(&failure.within("unfinished uploads may be left behind"));
    }
    // When the Map broke, what is missing is known.
    if run.spec.verify != Verify::None && event.problem.is_none() {
        match prover.prove(&mut progress).await? {
            Outcome::Unfinished => {
                return Ok(Conclusion::Unfinished("listing the target again"));
            }
            Outcome::Impossible(failure) => {
                draft.note(&failure.within("the target could not be proven complete"));
            }
            Outcome::Proven(found, proof) => {
                draft.verified = Some(found);
                draft.proof = Some(proof);
            }
        }
    }
    draft.uploads_aborted = progress.uploads_aborted;
    add_requests(&mut draft.requests, &progress.requests);
    add_requests(&mut draft.requests, &progress.invocations);
    Ok(Conclusion::Ready(Box::new(draft)))
}

/// Whether anything is left to do at the target. A small run of events makes no trial and proves nothing, so mostly there is
/// nothing to sweep, either.
pub(crate) fn needs_target(run: &RunRecord, sums: &Settlement) -> bool {
    !run.spec.is_light()
        || run.spec.verify != Verify::None
        || sweep::has_objects_in_parts(run)
        || sums.may_have_left_uploads()
}

/// An audit wrote nothing, so there is nothing to sweep, and nothing to list again.
async fn audited<P: Ports>(
    invocation: &Invocation<'_, P>,
    run: &RunRecord,
    sums: Settlement,
) -> Result<Conclusion, Failure> {
    let mut draft = ReportDraft::settled(invocation.event, run, sums);
    if invocation.event.problem.is_none() {
        let audited = audit::read(invocation, run).await?;
        draft.verified = Some(audited.found);
        draft.proof = Some(audited.proof);
        draft.audit = Some(audited.sums);
    }
    Ok(Conclusion::Ready(Box::new(draft)))
}
