//! How many retries a copier may make, over all of its calls.
//!
//! A call that fails alone is worth a retry; when S3 fails for everybody, the retries of hundreds of calls are load
//! that keeps it from coming back. So a retry takes from a budget that only successes fill again
//! (aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter).

/// The most that is saved up: a fault that hits all 512 calls in flight at once is survived twice by each of them.
const SAVED_MAX: f64 = 1_024.0;
/// What a success adds, in retries. While S3 fails fewer than a third of the calls, the budget does not shrink.
const EARNED: f64 = 0.5;

/// The retries that a copier may still make. Throttled calls need none of them: the pacer slows those down.
#[derive(Debug, Clone)]
pub struct RetryBudget {
    retries: f64,
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self { retries: SAVED_MAX }
    }
}

impl RetryBudget {
    /// Notes that a call succeeded.
    pub fn earn(&mut self) {
        self.retries = (self.retries + EARNED).min(SAVED_MAX);
    }

    /// Whether none is left.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.retries < 1.0
    }

    /// Takes one retry; returns whether there was one.
    pub fn take(&mut self) -> bool {
        let is_left = !self.is_spent();
        if is_left {
            self.retries -= 1.0;
        }
        is_left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(budget: &mut RetryBudget) -> u64 {
        let mut taken = 0;
        while budget.take() {
            taken += 1;
        }
        taken
    }

    #[test]
    fn an_outage_is_met_with_a_bounded_number_of_retries() {
        let mut budget = RetryBudget::default();
        assert_eq!(taken(&mut budget), 1_024);
        for _ in 0..10 {
            budget.earn();
        }
        assert_eq!(taken(&mut budget), 5);
    }

    #[test]
    fn successes_do_not_save_up_without_bound() {
        let mut budget = RetryBudget::default();
        for _ in 0..10_000 {
            budget.earn();
        }
        assert_eq!(taken(&mut budget), 1_024);
    }

    #[test]
    fn a_third_of_failed_calls_does_not_exhaust_it() {
        let mut budget = RetryBudget::default();
        for call in 0..100_000 {
            if call % 3 == 0 {
                assert!(budget.take(), "call {call}");
            } else {
                budget.earn();
            }
        }
    }
}
