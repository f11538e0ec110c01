//! How patiently a listing is asked again.

use std::time::Duration;

use shardlift_core::failure::fault::CallFault;

const ATTEMPTS_MAX: u32 = 8;
const BACKOFF_FIRST: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(5);

/// Whether a question that failed on its `attempt` (from 0) is asked again; the adapter's own retries come on top.
pub(crate) fn is_asked_again(fault: &CallFault, attempt: u32) -> bool {
    fault.is_transient() && attempt + 1 < ATTEMPTS_MAX
}

/// Waits before the `attempt` (from 0); not before the first.
pub(crate) async fn wait_before(attempt: u32) {
    if attempt > 0 {
        let delay = BACKOFF_FIRST.saturating_mul(1 << (attempt - 1).min(10));
        tokio::time::sleep(delay.min(BACKOFF_MAX)).await;
    }
}
