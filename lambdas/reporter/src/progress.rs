//! How far the sweep and the proof of a run are, kept in the control bucket between invocations.

use serde::{Deserialize, Serialize};
use shardlift_core::{
    documents::RunDocument,
    failure::{Context, Failure, Retry},
    port::{Clock, Ledger},
    run::record::RunRecord,
    value::tally::{RequestCounts, add_requests},
    verify::ListedRanges,
};

use crate::{invocation::Invocation, ports::Ports, sweep::SweepProgress};

/// Transient failures that a run survives by going on in another invocation.
const FAILURES_MAX: u32 = 5;

/// How far both are.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// How far the target is listed; absent before that begins.
    #[serde(default)]
    listed: Option<ListedRanges>,
    #[serde(default)]
    failures: u32,
    /// How far the unfinished uploads are swept.
    #[serde(default)]
    pub(crate) sweep: SweepProgress,
    /// How many of them were aborted.
    #[serde(default)]
    pub(crate) uploads_aborted: u64,
    /// Requests that both made so far.
    pub(crate) requests: RequestCounts,
    /// What Lambda billed of the invocations before this one.
    #[serde(default)]
    pub(crate) invocations: RequestCounts,
}

impl Progress {
    /// How far earlier invocations came.
    ///
    /// # Errors
    /// When the control bucket or the ledger cannot be used.
    pub(crate) async fn load<P: Ports>(invocation: &Invocation<'_, P>) -> Result<Self, Failure> {
        let documents = invocation.documents();
        let stored = documents.json(RunDocument::Verification).await?;
        Ok(stored.unwrap_or_default())
    }

    /// Begins the listing of the target, where some `objects` are expected, unless it is begun.
    ///
    /// # Errors
    /// When the ledger cannot be used.
    pub(crate) async fn begin_proof<P: Ports>(
        &mut self,
        invocation: &Invocation<'_, P>,
        run: &RunRecord,
        objects: u64,
    ) -> Result<(), Failure> {
        if self.listed.is_some() {
            return Ok(());
        }
        // A rerun listed nothing: the ranges of the run that did are as good a cut, and where they are forgotten, one
        // range covers all keys.
        let rerun = run.spec.rerun.as_ref();
        let listed_by = rerun.map_or(&run.run_id, |rerun| &rerun.listed_by);
        let ranges = invocation.ledger.read_ranges(listed_by).await;
        let ranges = ranges.context("reading the ranges of the run")?;
        let bounds = ranges.into_iter().map(|range| range.bounds).collect();
        self.listed = Some(ListedRanges::begin(bounds, objects));
        Ok(())
    }

    /// How far the target is listed.
    pub(crate) fn listed(&self) -> &ListedRanges {
        self.listed.as_ref().expect("the proof is begun")
    }

    /// How far the target is listed, to go on.
    pub(crate) fn listed_mut(&mut self) -> &mut ListedRanges {
        self.listed.as_mut().expect("the proof is begun")
    }

    /// Keeps this for the next invocation.
    ///
    /// # Errors
    /// When the control bucket cannot be used.
    pub(crate) async fn save<P: Ports>(
        &self,
        invocation: &Invocation<'_, P>,
    ) -> Result<(), Failure> {
        let documents = invocation.documents();
        let mut kept = self.clone();
        let billed = invocation.deadline.billed(invocation.clock.now());
        add_requests(&mut kept.invocations, &billed);
        Ok(documents
            .write_json(RunDocument::Verification, &kept)
            .await?)
    }

    /// Has the uploads swept once more: a copier that was believed dead wrote since, and may have begun some.
    ///
    /// # Errors
    /// When the control bucket cannot be used.
    pub(crate) async fn sweep_again<P: Ports>(
        invocation: &Invocation<'_, P>,
    ) -> Result<(), Failure> {
        let mut progress = Self::load(invocation).await?;
        if progress.sweep == SweepProgress::Done {
            progress.sweep = SweepProgress::default();
        }
        progress.save(invocation).await
    }

    /// Notes a failure, and tells whether another invocation may get past it.
    pub(crate) fn survives(&mut self, failure: &Failure) -> bool {
        self.failures += 1;
        failure.code.retry() == Retry::Later && self.failures <= FAILURES_MAX
    }
}
