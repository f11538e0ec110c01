//! The proof that the target is complete, over as many invocations as it takes.

use shardlift_aws::telemetry::field;
use shardlift_core::{
    access::denial::listing_failure,
    documents::control_key,
    failure::{Failure, fault::CallFault},
    port::{Accounts, Clock, ControlStore, Ledger, SessionName, SourceBucket, TargetBucket},
    report::Verification,
    run::{pair::Side, record::RunRecord},
    value::{deadline::Deadline, tally::add_requests, time::Timestamp},
};

use crate::{
    relist::{Progress, Relisting},
    replanned::Replanned,
};

/// Where the proof, and the sweep before it, keep their progress, below the run's folder.
const PROGRESS_DOCUMENT: &str = "proof.json";

/// What an invocation made of the proof.
pub(crate) enum Proof {
    /// Both sides were compared to their ends.
    Made(Verification),
    /// The deadline, or a passing fault, came first; the next invocation goes on.
    Unfinished,
    /// It cannot be made.
    Impossible(Failure),
}

/// The ports that the proof needs.
pub(crate) struct Prover<'a, A, L, C, K> {
    pub(crate) accounts: &'a A,
    pub(crate) ledger: &'a L,
    pub(crate) control: &'a C,
    pub(crate) clock: &'a K,
    pub(crate) deadline: Deadline,
}

impl<A: Accounts, L: Ledger, C: ControlStore, K: Clock> Prover<'_, A, L, C, K> {
    /// Goes on with the proof of a run.
    ///
    /// # Errors
    /// When the control bucket cannot be used; what the listings meet is told as [`Proof`].
    pub(crate) async fn advance(
        &self,
        run: &RunRecord,
        progress: &mut Progress,
    ) -> Result<Proof, Failure> {
        let verify = run.spec.verify;
        if progress.is_done() {
            return Ok(Proof::Made(progress.verification(verify)));
        }
        let began_at = self.clock.now();
        let failure = match self.walk(run, progress).await {
            Ok(()) => None,
            Err(failure) if progress.survives(&failure) => {
                tracing::warn!(
                    { field::RUN_ID } = %run.run_id,
                    { field::ERROR_CODE } = failure.code.name(),
                    { field::ERROR_DETAIL } = failure.detail,
                    "the proof goes on in another invocation"
                );
                None
            }
            Err(failure) => Some(failure),
        };
        if let Some(failure) = failure {
            return Ok(Proof::Impossible(failure));
        }
        if progress.is_done() && self.is_time_left(began_at) {
            return Ok(Proof::Made(progress.verification(verify)));
        }
        self.save(run, progress).await?;
        Ok(Proof::Unfinished)
    }

    /// Whether what follows work that began at this time belongs to the same invocation. It may take long too, so it gets
    /// one of its own when this one is half over.
    pub(crate) fn is_time_left(&self, began_at: Timestamp) -> bool {
        let now = self.clock.now();
        now.since(began_at) <= self.deadline.work_left(now)
    }

    async fn walk(&self, run: &RunRecord, progress: &mut Progress) -> Result<(), Failure> {
        let pair = &run.spec.pair;
        let session = SessionName::of_step("report", &run.run_id);
        let source = self.accounts.open_source(&pair.source).await;
        let source = source.map_err(|fault| listing_failure(fault, Side::Source))?;
        let target = self.accounts.reopen_target(run, &session, None).await;
        let target = target.map_err(CallFault::into_failure)?;
        let replanned = Replanned::read(self.ledger, self.control, run).await?;
        let relisting = Relisting::new(
            &run.spec,
            run.started_at,
            replanned,
            self.clock,
            self.deadline,
        )?;
        let walked = relisting.advance(&source, &target, progress).await;
        for requests in [source.requests(), target.requests()] {
            add_requests(&mut progress.requests, &requests);
        }
        walked
    }

    /// How far earlier invocations came.
    ///
    /// # Errors
    /// When the control bucket or the ledger cannot be used.
    pub(crate) async fn load(&self, run: &RunRecord) -> Result<Progress, Failure> {
        let key = control_key::report_document(&run.run_id, PROGRESS_DOCUMENT);
        let stored = self.control.get(&key).await;
        let stored =
            stored.map_err(|fault| fault.into_failure().within(format!("reading {key}")))?;
        if let Some(stored) = stored {
            return serde_json::from_slice(&stored)
                .map_err(|error| Failure::invariant(format!("{key} cannot be read: {error}")));
        }
        // A rerun listed nothing: the ranges of the run that did are as good a cut, and where they are forgotten, one
        // range is the whole.
        let rerun = run.spec.rerun.as_ref();
        let listed_by = rerun.map_or(&run.run_id, |rerun| &rerun.listed_by);
        let ranges = self.ledger.read_ranges(listed_by).await;
        let ranges =
            ranges.map_err(|fault| fault.into_failure().within("reading the ranges of the run"))?;
        Ok(Progress::begin(
            ranges.into_iter().map(|range| range.bounds).collect(),
        ))
    }

    /// Keeps that for the next invocation.
    ///
    /// # Errors
    /// When the control bucket cannot be used.
    pub(crate) async fn save(&self, run: &RunRecord, progress: &Progress) -> Result<(), Failure> {
        let key = control_key::report_document(&run.run_id, PROGRESS_DOCUMENT);
        let body = serde_json::to_vec(progress)
            .map_err(|error| Failure::invariant(format!("{key} cannot be written: {error}")))?;
        let put = self.control.put(&key, "application/json", body).await;
        put.map_err(|fault| fault.into_failure().within(format!("writing {key}")))
    }
}
