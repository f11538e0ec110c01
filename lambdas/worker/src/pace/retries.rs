//! When a call that failed is retried: the policy of copying, and the budget that all calls share.

use std::{future::Future, time::Duration};

use shardlift_aws::retry::{self, COPYING};
use shardlift_core::failure::fault::{CallFault, FaultKind};

use super::gate::Gate;

/// The attempts of one call so far. Its retries are taken out of the budget that all calls through a gate share.
pub struct BudgetedRetries<'a> {
    gate: &'a Gate,
    attempts: retry::Retries,
}

impl<'a> BudgetedRetries<'a> {
    /// None yet, of a call through this gate.
    pub fn new(gate: &'a Gate) -> Self {
        Self {
            gate,
            attempts: retry::Retries::new(COPYING),
        }
    }

    /// Makes attempts until one succeeds, fails for good, or is given up.
    ///
    /// # Errors
    /// The fault of the last attempt.
    pub async fn run<V, F>(gate: &'a Gate, mut attempt: impl FnMut() -> F) -> Result<V, CallFault>
    where
        F: Future<Output = Result<V, CallFault>>,
    {
        let mut retries = Self::new(gate);
        loop {
            let fault = match attempt().await {
                Ok(value) => return Ok(value),
                Err(fault) => fault,
            };
            if !retries.back_off(&fault).await {
                return Err(fault);
            }
        }
    }

    /// Waits before the next attempt; returns whether there is to be one. There is none when the call failed for good, had
    /// its attempts, or when so many calls fail that the budget is spent: then the object waits for the next round.
    pub fn back_off(&mut self, fault: &CallFault) -> impl Future<Output = bool> + Send + use<> {
        let backoff = self.backoff_after(fault);
        async move {
            if let Some(backoff) = backoff {
                tokio::time::sleep(backoff).await;
            }
            backoff.is_some()
        }
    }

    fn backoff_after(&mut self, fault: &CallFault) -> Option<Duration> {
        let backoff = self.attempts.backoff_after(fault)?;
        // The pace slows down those that are throttled; they take nothing out of the budget.
        let may_retry = fault.kind == FaultKind::Throttled || self.gate.take_retry();
        may_retry.then_some(backoff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: FaultKind) -> CallFault {
        CallFault::new("s3:CopyObject", kind, "test")
    }

    #[test]
    fn a_call_is_retried_a_bounded_number_of_times_with_bounded_backoffs() {
        let gate = Gate::default();
        for (kind, retries_max) in [
            (FaultKind::ServiceError, 5),
            (FaultKind::Throttled, 20),
            (FaultKind::AccessDenied, 0),
        ] {
            let mut retries = BudgetedRetries::new(&gate);
            for _ in 0..retries_max {
                let backoff = retries.backoff_after(&fault(kind)).unwrap();
                assert!(backoff <= COPYING.backoff_max);
            }
            assert_eq!(retries.backoff_after(&fault(kind)), None, "{kind:?}");
        }
    }

    #[test]
    fn an_outage_ends_the_retries_of_all_calls_and_throttling_does_not() {
        let gate = Gate::default();
        let mut retries = 0;
        for _ in 0..10_000 {
            let again = BudgetedRetries::new(&gate).backoff_after(&fault(FaultKind::ServiceError));
            retries += u32::from(again.is_some());
        }
        assert!(retries < 2_000, "{retries}");
        let again = BudgetedRetries::new(&gate).backoff_after(&fault(FaultKind::Throttled));
        assert!(again.is_some());
    }
}
