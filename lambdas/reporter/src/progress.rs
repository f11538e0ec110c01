//! How far the sweep and the verification of a run are, kept in the control bucket between invocations.

use serde::{Deserialize, Serialize};
use shardlift_core::{
    documents::RunDocument,
    failure::{Context, Failure, Retry},
    port::Ledger,
    run::record::RunRecord,
    value::tally::RequestCounts,
    verify::VerifiedRanges,
};

use crate::{invocation::Invocation, ports::Ports, sweep::SweepProgress};

/// Transient failures that a run survives by going on in another invocation.
const FAILURES_MAX: u32 = 5;

/// How far both are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// How far the ranges are verified.
    pub(crate) ranges: VerifiedRanges,
    #[serde(rename = "faults")]
    failures: u32,
    /// How far the unfinished uploads are swept.
    #[serde(default)]
    pub(crate) sweep: SweepProgress,
    /// How many of them were aborted.
    #[serde(default)]
    pub(crate) uploads_aborted: u64,
    /// Requests that both made so far.
    pub(crate) requests: RequestCounts,
}

impl Progress {
    /// How far earlier invocations came.
    ///
    /// # Errors
    /// When the control bucket or the ledger cannot be used.
    pub(crate) async fn load<P: Ports>(
        invocation: &Invocation<'_, P>,
        run: &RunRecord,
    ) -> Result<Self, Failure> {
        let documents = invocation.documents();
        if let Some(stored) = documents.json(RunDocument::Verification).await? {
            return Ok(stored);
        }
        // A rerun listed nothing: the ranges of the run that did are as good a cut, and where they are forgotten, one
        // range covers all keys.
        let rerun = run.spec.rerun.as_ref();
        let listed_by = rerun.map_or(&run.run_id, |rerun| &rerun.listed_by);
        let ranges = invocation.ledger.read_ranges(listed_by).await;
        let ranges = ranges.context("reading the ranges of the run")?;
        let bounds = ranges.into_iter().map(|range| range.bounds).collect();
        Ok(Self {
            ranges: VerifiedRanges::begin(bounds),
            failures: 0,
            sweep: SweepProgress::default(),
            uploads_aborted: 0,
            requests: RequestCounts::new(),
        })
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
        Ok(documents
            .write_json(RunDocument::Verification, self)
            .await?)
    }

    /// Notes a failure, and tells whether another invocation may get past it.
    pub(crate) fn survives(&mut self, failure: &Failure) -> bool {
        self.failures += 1;
        failure.code.retry() == Retry::Later && self.failures <= FAILURES_MAX
    }
}
