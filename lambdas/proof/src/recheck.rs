//! Whether the target still is what a run proved.

use std::time::Duration;

use shardlift_core::{
    failure::{Failure, fault::CallFault},
    port::{BucketListing, Clock, ControlStore},
    report::{Proof, ReportedPair, Verification},
    run::option::Verify,
    value::{deadline::Deadline, id::RunId, set_sum::SetSum},
    verify::ListedRanges,
};

use crate::{
    document_receipts::DocumentReceipts,
    explanation::{DifferenceSink, Explanation},
    target_listing::TargetListing,
};

/// Longer than anybody waits: nothing ends a listing that a person asked for but the person.
const ENDLESS: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// A run that is reported, and its target.
#[derive(Debug)]
pub struct Recheck<'a, C, T, K> {
    /// Where the documents of the run are.
    pub control: &'a C,
    /// The run.
    pub run: &'a RunId,
    /// What it vouches for.
    pub proof: &'a Proof,
    /// Where it read and wrote.
    pub pair: &'a ReportedPair,
    /// Whether its plan knew all that stood beside, so that what it does not know is named.
    pub knows_beside: bool,
    /// The target bucket.
    pub target: &'a T,
    /// The time.
    pub clock: &'a K,
    /// What a page that cannot be listed means to whoever asked.
    pub failure_of: fn(CallFault) -> Failure,
}

/// How the target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetState {
    /// It holds the very objects that it held then, and nothing else.
    AsProven,
    /// It holds every object that the run vouches for; what stands beside these has changed.
    BesideChanged,
    /// Keys differ.
    Differs,
}

/// What a listing showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rechecked {
    /// How the target is.
    pub state: TargetState,
    /// Everything that was listed.
    pub seen: SetSum,
    /// The differences, counted.
    pub found: Verification,
}

impl<C, T, K> Recheck<'_, C, T, K>
where
    C: ControlStore,
    T: BucketListing,
    K: Clock,
{
    /// Lists the target, and where it differs, compares it key by key with the receipts.
    ///
    /// # Errors
    /// When a document or the target cannot be read, and when the receipts are not what the report counts.
    pub async fn run(&self, sink: &mut impl DifferenceSink) -> Result<Rechecked, Failure> {
        let Proof { vouched, runs, .. } = self.proof;
        let receipts = DocumentReceipts::open(self.control, self.run, runs, self.pair).await?;
        let beside = self.proof.beside.unwrap_or_default();
        let objects = vouched.objects + beside.objects;
        let mut listed = ListedRanges::begin(receipts.ranges().await?, objects);
        self.listing().advance(&mut listed).await?;
        let seen = listed.seen();
        let mut found = Verification::clean(Verify::Relist);
        if seen == vouched.plus(&beside) {
            let state = TargetState::AsProven;
            return Ok(Rechecked { state, seen, found });
        }
        let explanation = Explanation {
            listing: self.listing(),
            known: &receipts,
            // Nothing is known of what stood beside where the plan did not list the target.
            names_foreign: |_: &str| self.knows_beside,
        };
        let explained = explanation.run(&listed, found.method, sink).await?;
        if explained.receipts != *vouched {
            return Err(Failure::invariant(format!(
                "the receipts of the run are not what its report counts: they vouch for {} objects with the digest {}, and \
                 the report for {} with {}",
                explained.receipts.objects,
                explained.receipts.digest,
                vouched.objects,
                vouched.digest
            )));
        }
        found = explained.found;
        let state = match found.differences() {
            0 => TargetState::BesideChanged,
            _ => TargetState::Differs,
        };
        Ok(Rechecked { state, seen, found })
    }

    fn listing(&self) -> TargetListing<'_, T, K> {
        let now = self.clock.now();
        TargetListing {
            target: self.target,
            prefix: &self.pair.target.prefix,
            clock: self.clock,
            deadline: Deadline::new(now, now.plus(ENDLESS)),
            failure_of: self.failure_of,
        }
    }
}
