//! Calls to the target, and to the objects of the source, through the gate.

use std::future::Future;

use shardlift_core::{failure::fault::CallFault, run::spec::RunSpec};

use crate::pace::{BudgetedRetries, Gate};

/// What every call of a run needs.
pub struct TargetCalls<'a, T> {
    /// The target.
    pub target: &'a T,
    /// The run.
    pub spec: &'a RunSpec,
    /// When a call may be made.
    pub gate: &'a Gate,
}

impl<T> Clone for TargetCalls<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for TargetCalls<'_, T> {}

impl<T> TargetCalls<'_, T> {
    /// Makes a call that reads, or that ends something, with retries.
    ///
    /// # Errors
    /// The fault of the last attempt.
    pub async fn read<V, F>(&self, mut call: impl FnMut() -> F) -> Result<V, CallFault>
    where
        F: Future<Output = Result<V, CallFault>>,
    {
        BudgetedRetries::run(self.gate, || self.gate.read(call())).await
    }

    /// Makes a call that writes the same again when it is retried.
    ///
    /// # Errors
    /// The fault of the last attempt.
    pub async fn write<V, F>(&self, mut call: impl FnMut() -> F) -> Result<V, CallFault>
    where
        F: Future<Output = Result<V, CallFault>>,
    {
        BudgetedRetries::run(self.gate, || self.gate.write(call())).await
    }
}
