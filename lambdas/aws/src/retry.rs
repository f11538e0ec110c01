//! When a call that failed is retried: the policies, and the one loop that applies them.
//!
//! Exactly one layer retries a call, because retries that are stacked multiply while a service is in trouble. The
//! table in docs/ARCHITECTURE.md ("Retries") says which layer that is.

use std::{future::Future, iter, time::Duration};

use aws_sdk_s3::config::retry::RetryConfig;
use backon::{BackoffBuilder, ExponentialBuilder, Retryable};
use shardlift_core::failure::fault::{CallFault, FaultKind};
use tokio::time::Instant;

/// The listing reads of the planner. A page that stays malformed is not a page (P11), so few attempts are made after a
/// fault; throttling only means that the request must be sent later.
pub const LISTING: RetryPolicy = RetryPolicy {
    attempts_max: 8,
    throttled_max: ThrottledMax::Attempts(20),
    backoff_first: Duration::from_millis(200),
    backoff_max: Duration::from_secs(5),
};

/// The calls of a copier to the two buckets. Throttling is no evidence against an object.
pub const COPYING: RetryPolicy = RetryPolicy {
    attempts_max: 6,
    throttled_max: ThrottledMax::Attempts(21),
    backoff_first: Duration::from_millis(100),
    backoff_max: Duration::from_secs(5),
};

/// The writes of the ledger, which settles one attempt by reading before it makes the next. An on-demand table doubles
/// its throughput within minutes, and draws on its burst capacity within seconds.
pub const LEDGER_WRITE: RetryPolicy = RetryPolicy {
    attempts_max: 8,
    throttled_max: ThrottledMax::Elapsed(Duration::from_secs(30)),
    backoff_first: Duration::from_millis(100),
    backoff_max: Duration::from_secs(5),
};

/// The reads of the ledger, retried by the SDK.
pub const LEDGER_READ: RetryPolicy = RetryPolicy {
    attempts_max: 8,
    throttled_max: ThrottledMax::Attempts(8),
    backoff_first: Duration::from_millis(50),
    backoff_max: Duration::from_secs(5),
};

/// Every other call, retried by the SDK. After a reset connection no backoff is needed, after a hot partition seconds.
pub const SDK: RetryPolicy = RetryPolicy {
    attempts_max: 5,
    throttled_max: ThrottledMax::Attempts(5),
    backoff_first: Duration::from_millis(200),
    backoff_max: Duration::from_secs(20),
};

/// Which reads of the two buckets the caller retries. Their clients send each of these once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetriedByCaller {
    /// No read: the clients retry.
    Nothing,
    /// The listings, as the planner does.
    Listings,
    /// Every read, as the copier does within a budget that all its calls share.
    Reads,
}

/// How often a call is attempted, and how long to back off between attempts.
///
/// Each backoff is a random time up to a limit that doubles ("full jitter"), so that callers that failed together do not
/// retry together (aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The maximum number of attempts, including the first one, of a call that fails without being throttled.
    pub attempts_max: u32,
    /// When to give up a throttled call.
    pub throttled_max: ThrottledMax,
    /// The limit of the first backoff.
    pub backoff_first: Duration,
    /// The limit of all backoffs.
    pub backoff_max: Duration,
}

/// When to give up a throttled call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThrottledMax {
    /// After this many throttled attempts.
    Attempts(u32),
    /// This long after the first attempt.
    Elapsed(Duration),
}

impl RetryPolicy {
    /// Attempts a call until it succeeds, fails permanently, or is given up.
    ///
    /// # Errors
    /// The fault of the last attempt.
    pub async fn run<T, F>(&self, call: impl FnMut() -> F) -> Result<T, CallFault>
    where
        F: Future<Output = Result<T, CallFault>>,
    {
        let mut retries = Retries::new(*self);
        // Each backoff depends on the preceding fault, so `retries` replaces the one that the iterator proposes.
        call.retry(iter::repeat(Duration::ZERO))
            .adjust(|fault: &CallFault, _| retries.backoff_after(fault))
            .sleep(tokio::time::sleep)
            .await
    }

    /// This policy for the SDK to apply.
    pub(crate) fn by_sdk(&self) -> RetryConfig {
        RetryConfig::standard()
            .with_max_attempts(self.attempts_max)
            .with_initial_backoff(self.backoff_first)
            .with_max_backoff(self.backoff_max)
    }

    /// The limit of the backoff before the retry with this number, from 0.
    fn backoff_limit(&self, retry: u32) -> Duration {
        let limits = ExponentialBuilder::new()
            .with_min_delay(self.backoff_first)
            .with_max_delay(self.backoff_max)
            .without_max_times();
        let limit = usize::try_from(retry).map(|retry| limits.build().nth(retry));
        limit.ok().flatten().unwrap_or(self.backoff_max)
    }
}

/// The attempts of one call so far, for callers that do something between them.
#[derive(Debug)]
pub struct Retries {
    policy: RetryPolicy,
    failed: u32,
    throttled: u32,
    first_attempt_at: Instant,
}

impl Retries {
    /// No attempts yet, of a call whose first attempt starts now.
    #[must_use]
    pub fn new(policy: RetryPolicy) -> Self {
        Self {
            policy,
            failed: 0,
            throttled: 0,
            first_attempt_at: Instant::now(),
        }
    }

    /// How long to back off before the next attempt; `None` if the call failed permanently or is given up.
    pub fn backoff_after(&mut self, fault: &CallFault) -> Option<Duration> {
        if !fault.is_transient() {
            return None;
        }
        let retry = if fault.kind == FaultKind::Throttled {
            self.throttled += 1;
            let is_given_up = match self.policy.throttled_max {
                ThrottledMax::Attempts(max) => self.throttled >= max,
                ThrottledMax::Elapsed(max) => self.first_attempt_at.elapsed() >= max,
            };
            (!is_given_up).then_some(self.throttled - 1)
        } else {
            self.failed += 1;
            (self.failed < self.policy.attempts_max).then_some(self.failed - 1)
        };
        retry.map(|retry| self.policy.backoff_limit(retry).mul_f64(fastrand::f64()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn fault(kind: FaultKind) -> CallFault {
        CallFault::new("s3:ListObjectsV2", kind, "test")
    }

    /// Runs a call that always fails, and returns the number of attempts and their duration.
    async fn attempts(policy: &RetryPolicy, kind: FaultKind) -> (u32, Duration) {
        let mut attempts = 0;
        let started_at = Instant::now();
        let end: Result<(), _> = policy
            .run(|| {
                attempts += 1;
                async move { Err(fault(kind)) }
            })
            .await;
        assert_eq!(end, Err(fault(kind)));
        (attempts, started_at.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_has_as_many_attempts_as_its_policy_says() {
        for policy in [LISTING, COPYING, LEDGER_WRITE] {
            let (failed, _) = attempts(&policy, FaultKind::ServiceError).await;
            assert_eq!(failed, policy.attempts_max, "{policy:?}");
            let (refused, _) = attempts(&policy, FaultKind::AccessDenied).await;
            assert_eq!(refused, 1, "{policy:?}");
            let (throttled, took) = attempts(&policy, FaultKind::Throttled).await;
            match policy.throttled_max {
                ThrottledMax::Attempts(max) => assert_eq!(throttled, max, "{policy:?}"),
                ThrottledMax::Elapsed(max) => {
                    assert!(throttled > policy.attempts_max, "{policy:?}");
                    assert!((max..=max + policy.backoff_max).contains(&took), "{took:?}");
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_does_not_use_up_the_attempts_of_other_faults() {
        let mut retries = Retries::new(COPYING);
        for _ in 1..COPYING.attempts_max {
            assert!(
                retries
                    .backoff_after(&fault(FaultKind::Throttled))
                    .is_some()
            );
            assert!(
                retries
                    .backoff_after(&fault(FaultKind::NoResponse))
                    .is_some()
            );
        }
        assert_eq!(retries.backoff_after(&fault(FaultKind::NoResponse)), None);
        assert!(
            retries
                .backoff_after(&fault(FaultKind::Throttled))
                .is_some()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn backoffs_grow_up_to_their_limit_and_differ() {
        for policy in [LISTING, COPYING, LEDGER_WRITE] {
            let mut longest = BTreeSet::new();
            for _ in 0..100 {
                let mut retries = Retries::new(policy);
                for retry in 1..policy.attempts_max {
                    let backoff = retries
                        .backoff_after(&fault(FaultKind::MalformedResponse))
                        .unwrap();
                    let limit = policy.backoff_first * (1 << (retry - 1));
                    assert!(backoff <= limit.min(policy.backoff_max), "{policy:?}");
                    longest.insert(backoff);
                }
            }
            assert!(longest.len() > 100, "they are random: {policy:?}");
            assert_eq!(policy.backoff_limit(19), policy.backoff_max);
            let limit = policy.backoff_limit(policy.attempts_max - 2);
            assert!(longest.last().unwrap() > &(limit / 2), "{policy:?}");
        }
    }
}
