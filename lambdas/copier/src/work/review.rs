//! The notes on a finished copy, and its proof where the run asks for one.

use shardlift_core::{
    copy::proof::{self, Comparison, CopyWay},
    failure::{Failure, FailureCode},
    port::{CopyReceipt, ObjectAttributes, TargetBucket},
    run::{option::Verify, spec::RunSpec},
    shard::note::Note,
};
use shardlift_worker::work::{ObjectContext, PlannedObject};

/// The notes on a finished copy in parts. A HEAD that fails shows nothing.
pub(super) async fn review<T: TargetBucket>(
    context: &ObjectContext<'_, T>,
    planned: &PlannedObject,
    receipt: &CopyReceipt,
    way: CopyWay<'_>,
) -> Result<Vec<Note>, Failure> {
    let calls = &context.calls;
    let head = calls.read(|| calls.target.head_source((&planned.source).into()));
    let at_source = Box::pin(head).await.ok();
    judge(calls.spec, planned, at_source.as_ref(), receipt, way)
}

/// The notes on a finished copy, as far as a HEAD of the source shows them: how it is proven, when the run asks for
/// that, and what changed.
pub(super) fn judge(
    spec: &RunSpec,
    planned: &PlannedObject,
    at_source: Option<&ObjectAttributes>,
    receipt: &CopyReceipt,
    way: CopyWay<'_>,
) -> Result<Vec<Note>, Failure> {
    let is_proof_wanted = spec.verify == Verify::Checksum;
    let Some(at_source) = at_source else {
        let unproven = is_proof_wanted.then_some(Note::Unproven);
        return Ok(unproven.into_iter().collect());
    };
    let mut notes = Vec::new();
    let is_review_wanted = is_proof_wanted || way != CopyWay::Single;
    if is_review_wanted && proof::changes_checksum(&planned.source, at_source, receipt) {
        notes.push(Note::ChecksumChanged);
    }
    if is_proof_wanted {
        match proof::compare(&planned.source, at_source, receipt, way) {
            Comparison::Noted(note) => notes.push(note),
            Comparison::Different => return Err(different(at_source, receipt)),
        }
    }
    Ok(notes)
}

fn different(at_source: &ObjectAttributes, receipt: &CopyReceipt) -> Failure {
    Failure::new(
        FailureCode::IntegrityMismatch,
        format!(
            "the source has the checksums {:?}, the copy {:?}",
            at_source.checksums, receipt.checksums
        ),
    )
}
