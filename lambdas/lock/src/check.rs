//! Whether a run holds its lock still.

use shardlift_core::{
    failure::{Context, Failure, FailureCode},
    port::Ledger,
    run::{
        lock::{LockRecord, LockState, LockedPrefix},
        record::RunRecord,
    },
    value::printable::Printable,
};

/// Refuses a planned run that lost its lock: it was stopped, another run to its target began, and then it was redriven.
/// Step Functions goes on with the state that was stopped, so no planner takes the lock before the copiers.
///
/// One read. A lock that is not there was taken over and released: nothing else removes the lock of a run that has no report.
///
/// # Errors
/// `RunOverlap`; and when the ledger cannot be read.
pub async fn check_held<L: Ledger>(ledger: &L, run: &RunRecord) -> Result<(), Failure> {
    if !run.spec.mode.writes() {
        return Ok(());
    }
    let locked = LockedPrefix::of(&run.spec.pair);
    let found = ledger.read_lock(&locked).await;
    let found = found.context("reading the lock of the target")?;
    let is_held = |lock: &LockRecord| {
        lock.execution_arn == run.execution_arn && lock.state == LockState::Held
    };
    if found.as_ref().is_some_and(is_held) {
        return Ok(());
    }
    let other = found.filter(|lock| lock.execution_arn != run.execution_arn);
    let other = other.map_or_else(
        || "another run".to_owned(),
        |lock| format!("run {} ({})", lock.run_id, lock.execution_arn),
    );
    Err(Failure::new(
        FailureCode::RunOverlap,
        format!(
            "{other} began to write to s3://{}/{} after this run was stopped, so this run does not go on; do not redrive it: when no other run is under way, start a rerun of {}, which does what is left",
            locked.bucket,
            Printable(locked.prefix.as_str()),
            run.run_id
        ),
    ))
}
