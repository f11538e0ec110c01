//! When a call that failed is made again.

use std::{future::Future, time::Duration};

use shardlift_core::failure::fault::{CallFault, FaultKind};

use crate::gate::Gate;

/// How often a call is made again that failed without being throttled. The clients of the two buckets repeat nothing by
/// themselves in a copier (`RetriedByCaller::Reads`), so these are all.
const FAULTS_MAX: u32 = 5;
/// How often a throttled call is made again: throttling says nothing against the object, only "later".
const THROTTLES_MAX: u32 = 20;
const DELAY_FIRST: Duration = Duration::from_millis(100);
const DELAY_MAX: Duration = Duration::from_secs(5);

/// The attempts of one call.
pub(crate) struct Retries<'a> {
    gate: &'a Gate,
    faults: u32,
    throttles: u32,
}

impl<'a> Retries<'a> {
    /// Of a call through this gate, not made yet.
    pub(crate) fn new(gate: &'a Gate) -> Self {
        Self {
            gate,
            faults: 0,
            throttles: 0,
        }
    }

    /// How long to wait before the call is made again, or nothing when it was made often enough, or too many others
    /// failed too: then it is tried again in the next round.
    ///
    /// Full jitter: anything between nothing and a limit that doubles, so that copiers which failed together
    /// do not return together (aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter).
    pub(crate) fn delay_after(&mut self, fault: &CallFault) -> Option<Duration> {
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

/// Makes a call that reads, or that ends something, until it answers, is refused for good, or was tried often enough.
pub(crate) async fn repeat<V, F>(gate: &Gate, mut call: impl FnMut() -> F) -> Result<V, CallFault>
where
    F: Future<Output = Result<V, CallFault>>,
{
    let mut retries = Retries::new(gate);
    loop {
        let fault = match gate.read(call()).await {
            Ok(value) => return Ok(value),
            Err(fault) => fault,
        };
        match retries.delay_after(&fault) {
            Some(delay) => tokio::time::sleep(delay).await,
            None => return Err(fault),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: FaultKind) -> CallFault {
        CallFault::new("s3:CopyObject", kind, "test")
    }

    #[test]
    fn a_call_is_repeated_a_bounded_number_of_times_with_bounded_delays() {
        let gate = Gate::new();
        for (kind, repeats) in [
            (FaultKind::ServiceError, FAULTS_MAX),
            (FaultKind::Throttled, THROTTLES_MAX),
            (FaultKind::AccessDenied, 0),
        ] {
            let mut retries = Retries::new(&gate);
            for _ in 0..repeats {
                assert!(retries.delay_after(&fault(kind)).unwrap() <= DELAY_MAX);
            }
            assert_eq!(retries.delay_after(&fault(kind)), None, "{kind:?}");
        }
    }

    #[test]
    fn an_outage_ends_the_repeats_of_all_calls_and_throttling_does_not() {
        let gate = Gate::new();
        let mut repeats = 0;
        for _ in 0..10_000 {
            let again = Retries::new(&gate).delay_after(&fault(FaultKind::ServiceError));
            repeats += u32::from(again.is_some());
        }
        assert!(repeats < 2_000, "{repeats}");
        let again = Retries::new(&gate).delay_after(&fault(FaultKind::Throttled));
        assert!(again.is_some());
    }
}
