//! The proof of one invocation.

use shardlift_aws::telemetry::field;
use shardlift_core::{
    access::denial::listing_failure,
    failure::{Context, Failure, fault::CallFault},
    port::{Clock, Ledger, TargetBucket, malformed_listing},
    report::{Proof, ProofMethod, Verification, settlement::Settlement},
    run::{pair::Side, record::RunRecord},
    value::{set_sum::SetSum, tally::add_requests},
    verify::{ExpectedTarget, ListedRanges},
};
use shardlift_proof::{Explained, Explanation, TargetListing};

use super::{differences_csv::DifferencesCsv, receipt_lists::ReceiptLists};
use crate::{
    invocation::Invocation,
    ports::{Ports, Target},
    progress::Progress,
    receipts::{self, READING_KEPT},
};

/// What an invocation made of the proof.
pub(crate) enum Outcome {
    /// It came to its end.
    Proven(Verification, Proof),
    /// The deadline, or a transient failure, came first; the next invocation goes on.
    Unfinished,
    /// It is not possible.
    Impossible(Failure),
}

/// The proof of a settled run.
pub(crate) struct Prover<'a, P: Ports> {
    invocation: &'a Invocation<'a, P>,
    run: &'a RunRecord,
    expected: ExpectedTarget,
    /// Whether a copier worked on anything.
    is_written: bool,
    /// Whether older objects may stand at keys that were to be written, which is in no sum.
    may_hold_older: bool,
}

impl<'a, P: Ports> Prover<'a, P> {
    /// That of a run with these sums.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub(crate) async fn new(
        invocation: &'a Invocation<'a, P>,
        run: &'a RunRecord,
        sums: &Settlement,
    ) -> Result<Self, Failure> {
        let rerun = run.spec.rerun.as_ref();
        let mut expected =
            ExpectedTarget::begin(run.spec.lists_target(), rerun.map(|rerun| &rerun.carried));
        expected.add_settled(&sums.vouched, &sums.beside);
        if !run.keeps_nothing() {
            let mut lists = invocation.ledger.kept(&run.run_id);
            while let Some(kept) = lists.next().await.context(READING_KEPT)? {
                expected.add_kept(&kept);
            }
        }
        Ok(Self {
            invocation,
            run,
            expected,
            is_written: sums.attempts > 0,
            may_hold_older: sums.may_leave_older() || rerun.is_some(),
        })
    }

    /// What the run vouches for, proven by this.
    pub(crate) fn proof(&self, method: ProofMethod) -> Proof {
        let is_known = method == ProofMethod::Listing || !self.may_hold_older;
        Proof {
            method,
            vouched: self.expected.vouched,
            beside: self.expected.beside.filter(|_| is_known),
            runs: receipts::earlier_runs(self.run).to_vec(),
        }
    }

    /// Continues the proof.
    ///
    /// # Errors
    /// When the control bucket or the ledger cannot be used; what the listings run into is an [`Outcome`].
    pub(crate) async fn prove(&self, progress: &mut Progress) -> Result<Outcome, Failure> {
        let (invocation, run) = (self.invocation, self.run);
        let spec = &run.spec;
        if !self.is_written && spec.lists_target() {
            let found = Verification::clean(run.spec.verify);
            return Ok(Outcome::Proven(found, self.proof(ProofMethod::Plan)));
        }
        let beside = self.expected.beside.unwrap_or_default();
        let objects = self.expected.vouched.objects + beside.objects;
        progress.begin_proof(invocation, run, objects).await?;
        match self.advance(progress).await {
            Ok(Some((found, proof))) => return Ok(Outcome::Proven(found, proof)),
            Ok(None) => {}
            Err(failure) if !progress.survives(&failure) => {
                return Ok(Outcome::Impossible(failure));
            }
            Err(failure) => tracing::warn!(
                { field::RUN_ID } = %run.run_id,
                { field::ERROR_CODE } = failure.code.name(),
                { field::ERROR_DETAIL } = failure.detail,
                "the proof goes on in another invocation"
            ),
        }
        progress.save(invocation).await?;
        Ok(Outcome::Unfinished)
    }

    /// Lists the target as far as there is time; what differs is explained in an invocation that has time for it.
    async fn advance(
        &self,
        progress: &mut Progress,
    ) -> Result<Option<(Verification, Proof)>, Failure> {
        let (invocation, run) = (self.invocation, self.run);
        let began_at = invocation.clock.now();
        let target = invocation.enter_target(run).await?;
        let listing = || TargetListing {
            target: &target,
            prefix: &run.spec.pair.target.prefix,
            clock: invocation.clock,
            deadline: invocation.deadline,
            failure_of: page_failure,
        };
        let listed = listing().advance(progress.listed_mut()).await;
        let proven = match listed {
            Err(failure) => Err(failure),
            Ok(()) if !progress.listed().is_done() => Ok(None),
            Ok(()) if self.expected.is_shown_by(&progress.listed().seen()) => {
                let found = Verification::clean(run.spec.verify);
                Ok(Some((found, self.proof(ProofMethod::Listing))))
            }
            Ok(()) if !invocation.has_time_after(began_at) => Ok(None),
            Ok(()) => {
                let found = self.explain(listing(), progress.listed()).await;
                found.map(|found| {
                    let proof = self.explained(&found, &progress.listed().seen());
                    Some((found, proof))
                })
            }
        };
        add_requests(&mut progress.requests, &target.requests());
        proven
    }

    /// Looks for all differences, and writes `differences.csv` where there are any.
    async fn explain(
        &self,
        listing: TargetListing<'_, Target<P>, P::Clock>,
        listed: &ListedRanges,
    ) -> Result<Verification, Failure> {
        let (invocation, run) = (self.invocation, self.run);
        let filter = run.spec.filters.compile()?;
        // What the plan does not know is foreign only where it knows what stands beside.
        let knows_beside = self.expected.beside.is_some();
        let explanation = Explanation {
            listing,
            known: &ReceiptLists { invocation, run },
            names_foreign: |key: &str| knows_beside && filter.admits_key(key),
        };
        let mut list = DifferencesCsv::open(invocation.documents())?;
        let explained = explanation.run(listed, run.spec.verify, &mut list).await;
        match explained {
            Ok(Explained { found, .. }) if found.differences() > 0 || found.is_partial => {
                list.finish().await?;
                Ok(found)
            }
            other => {
                list.abandon().await;
                other.map(|explained| explained.found)
            }
        }
    }

    /// The proof once the differences are known: where the target holds everything that the run vouches for, the rest of what
    /// was seen stands beside it.
    fn explained(&self, found: &Verification, seen: &SetSum) -> Proof {
        let mut proof = self.proof(ProofMethod::Listing);
        if found.agrees() {
            let mut beside = *seen;
            beside.subtract(&self.expected.vouched);
            proof.beside = Some(beside);
        }
        proof
    }
}

fn page_failure(fault: CallFault) -> Failure {
    malformed_listing(Side::Target, &fault).unwrap_or_else(|| listing_failure(fault, Side::Target))
}
