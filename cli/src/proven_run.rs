//! What a run proved, as `shardlift verify` compares it.

use shardlift_core::{
    report::{Proof, Report, ReportedPair},
    run::option::Mode,
};

use crate::error::CommandError;

/// A run whose target can be compared.
pub(crate) struct ProvenRun<'a> {
    pub(crate) report: &'a Report,
    pub(crate) pair: &'a ReportedPair,
    pub(crate) proof: &'a Proof,
    pub(crate) mode: Mode,
}

impl<'a> ProvenRun<'a> {
    /// The run of a report.
    pub(crate) fn of(report: &'a Report) -> Result<Self, CommandError> {
        if report.audit.is_some() {
            return Err(CommandError::usage(format!(
                "run {} was an audit: it vouches for no object. Start another audit to compare both sides now",
                report.run_id
            )));
        }
        match (&report.pair, &report.proof, report.mode) {
            (Some(pair), Some(proof), Some(mode)) => Ok(Self {
                report,
                pair,
                proof,
                mode,
            }),
            _ => Err(CommandError::usage(format!(
                "the report of run {} does not say what the run vouches for: it was refused, broke before its end, was a dry \
                 run, or is from a release without proofs. Verify another run",
                report.run_id
            ))),
        }
    }
}

impl ProvenRun<'_> {
    /// How many objects the target had.
    pub(crate) fn expected_objects(&self) -> u64 {
        let beside = self.proof.beside.unwrap_or_default();
        self.proof.vouched.objects + beside.objects
    }
}
