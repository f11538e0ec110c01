//! Whether the execution behind a lock or a turn still runs.

use std::time::Duration;

use shardlift_core::{
    failure::Failure,
    port::{ExecutionState, Executions},
    run::lock::LockRecord,
};

/// How long to wait each time that Step Functions does not know the holder of a lock. DescribeExecution is eventually
/// consistent and may not know an execution that has just begun
/// (docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html), and an intake takes the lock just
/// before it starts the run.
const UNKNOWN_WAITS: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::ZERO,
];

pub(crate) async fn is_running<E: Executions>(
    executions: &E,
    record: &LockRecord,
) -> Result<bool, Failure> {
    for wait in UNKNOWN_WAITS {
        match executions.state(&record.execution_arn).await? {
            ExecutionState::Running => return Ok(true),
            ExecutionState::Ended => return Ok(false),
            ExecutionState::Unknown => tokio::time::sleep(wait).await,
        }
    }
    Ok(false)
}
