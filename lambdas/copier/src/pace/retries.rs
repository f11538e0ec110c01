//! When a call that failed is retried.

use std::{future::Future, time::Duration};

use shardlift_core::failure::fault::{CallFault, FaultKind};

use super::gate::Gate;

/// How often a call is retried that failed without being throttled. The SDK retries nothing here
/// (`Adapters::connect_once_asking`), so these are all.
const FAULTS_MAX: u32 = 5;
/// How often a throttled call is retried: throttling says nothing against the object, only "later".
const THROTTLES_MAX: u32 = 20;
const DELAY_FIRST: Duration = Duration::from_millis(100);
const DELAY_MAX: Duration = Duration::from_secs(5);

/// The retries of one call, out of the budget that all calls through a gate share.
pub(crate) struct BudgetedRetries<'a> {
    gate: &'a Gate,
    faults: u32,
    throttles: u32,
}

impl<'a> BudgetedRetries<'a> {
    /// None yet, of a call through this gate.
    pub(crate) fn new(gate: &'a Gate) -> Self {
        Self {
            gate,
            faults: 0,
            throttles: 0,
        }
    }

    /// Makes attempts until one succeeds, fails for good, or is given up.
    ///
    /// # Errors
    /// The fault of the last attempt.
    pub(crate) async fn run<V, F>(
        gate: &'a Gate,
        mut attempt: impl FnMut() -> F,
    ) -> Result<V, CallFault>
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
    pub(crate) fn back_off(
        &mut self,
        fault: &CallFault,
    ) -> impl Future<Output = bool> + Send + use<> {
        let backoff = self.backoff_after(fault);
        async move {
            match backoff {
                Some(backoff) => {
                    tokio::time::sleep(backoff).await;
                    true
                }
                None => false,
            }
        }
    }

    /// Full jitter: anything between nothing and a limit that doubles, so that copiers which failed together
    /// do not return together (aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter).
    fn backoff_after(&mut self, fault: &CallFault) -> Option<Duration> {
        if !fault.is_transient() {
            return None;
        }
        let is_throttled = fault.kind == FaultKind::Throttled;
        let (attempts, attempts_max) = if is_throttled {
            (&mut self.throttles, THROTTLES_MAX)
        } else {
            (&mut self.faults, FAULTS_MAX)
        };
        *attempts += 1;
        // The pace slows those down that are throttled.
        if *attempts > attempts_max || !(is_throttled || self.gate.may_retry()) {
            return None;
        }
        let doubled = DELAY_FIRST.saturating_mul(1 << attempts.saturating_sub(1).min(16));
        Some(doubled.min(DELAY_MAX).mul_f64(fastrand::f64()))
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
        let gate = Gate::new();
        for (kind, retries_max) in [
            (FaultKind::ServiceError, FAULTS_MAX),
            (FaultKind::Throttled, THROTTLES_MAX),
            (FaultKind::AccessDenied, 0),
        ] {
            let mut retries = BudgetedRetries::new(&gate);
            for _ in 0..retries_max {
                assert!(retries.backoff_after(&fault(kind)).unwrap() <= DELAY_MAX);
            }
            assert_eq!(retries.backoff_after(&fault(kind)), None, "{kind:?}");
        }
    }

    #[test]
    fn an_outage_ends_the_retries_of_all_calls_and_throttling_does_not() {
        let gate = Gate::new();
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
