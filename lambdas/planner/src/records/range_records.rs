//! The ranges of a run in the ledger.

use shardlift_core::{
    failure::Failure,
    plan::range::{KeyRange, RangeRecord, RangeState},
    port::{Ledger, PlanStep, PutOutcome},
    run::record::RunRecord,
    value::{id::RangeId, version::LEDGER_VERSION},
};

/// A range that is not listed yet.
pub(crate) fn new_range(run: &RunRecord, range_id: RangeId, bounds: KeyRange) -> RangeRecord {
    RangeRecord {
        schema_version: LEDGER_VERSION,
        run_id: run.run_id.clone(),
        range_id,
        bounds,
        checkpoint: None,
        state: RangeState::Listing,
        expires_at: run.expires_at,
        revision: 1,
    }
}

/// The range with which a plan begins, which covers all keys.
pub(crate) fn first_range(run: &RunRecord) -> RangeRecord {
    new_range(run, RangeId::numbered(0), KeyRange::default())
}

/// Reads the ranges of a run, or writes the first one, which covers all keys. Nothing when another invocation was
/// faster.
pub(crate) async fn load_or_create<L: Ledger>(
    ledger: &L,
    run: &RunRecord,
) -> Result<Option<Vec<RangeRecord>>, Failure> {
    // Of a run that this very invocation created, and did not begin anew, there is none.
    if run.revision > 1 {
        let stored = ledger.read_ranges(&run.run_id).await?;
        if !stored.is_empty() {
            return Ok(Some(stored));
        }
    }
    let first = first_range(run);
    let step = PlanStep {
        new_ranges: vec![first.clone()],
        ..PlanStep::default()
    };
    Ok(match ledger.commit_plan(&step).await? {
        PutOutcome::Written => Some(vec![first]),
        PutOutcome::Refused => None,
    })
}
