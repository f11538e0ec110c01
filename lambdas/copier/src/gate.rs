//! How many calls may be under way at once.

use std::future::Future;

use shardlift_core::fault::CallFault;
use tokio::sync::Semaphore;

/// Lets a bounded number of calls to the target through at a time.
pub(crate) struct Gate {
    slots: Semaphore,
}

impl Gate {
    /// A gate for `calls_max` calls at once.
    pub(crate) fn new(calls_max: usize) -> Self {
        Self {
            slots: Semaphore::new(calls_max),
        }
    }

    /// Makes the call as soon as there is room for it.
    pub(crate) async fn pass<T>(
        &self,
        call: impl Future<Output = Result<T, CallFault>>,
    ) -> Result<T, CallFault> {
        let _slot = self
            .slots
            .acquire()
            .await
            .expect("the gate is never closed");
        call.await
    }
}
