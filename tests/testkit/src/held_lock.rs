//! The lock of a run that no planner has planned.

use shardlift_core::run::{
    lock::{LockRecord, LockState, LockedPrefix},
    record::RunRecord,
};

use crate::MemoryLedger;

impl MemoryLedger {
    /// Takes the lock for a run whose plan did not come from a planner, past the script.
    pub fn hold_lock_for(&self, run: &RunRecord) {
        let lock = LockRecord {
            schema_version: run.schema_version,
            locked: LockedPrefix::of(&run.spec.pair),
            run_id: run.run_id.clone(),
            execution_arn: run.execution_arn.clone(),
            state: LockState::Held,
            revision: 1,
        };
        self.put_lock(lock);
    }
}
