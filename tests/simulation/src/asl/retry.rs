//! Retriers and catchers: which error they are for, and how long a retry waits.

use std::time::Duration;

use super::definition::{Catcher, Retrier};

/// The attempts of one pass of a state, by its retriers.
pub(super) struct Attempts<'a> {
    retriers: &'a [Retrier],
    made: Vec<u32>,
}

impl<'a> Attempts<'a> {
    pub(super) fn new(retriers: &'a [Retrier]) -> Self {
        Self {
            retriers,
            made: vec![0; retriers.len()],
        }
    }

    /// The longest wait before the next attempt after this error; nothing when there is none. With full jitter, the wait is
    /// drawn from between nothing and this.
    pub(super) fn wait_max(&mut self, error: &str) -> Result<Option<Duration>, String> {
        let found = self
            .retriers
            .iter()
            .position(|retrier| is_for(&retrier.error_equals, error));
        let Some(index) = found else { return Ok(None) };
        let retrier = &self.retriers[index];
        if retrier.jitter_strategy != "FULL" {
            return Err(format!(
                "the jitter {} is not simulated",
                retrier.jitter_strategy
            ));
        }
        let made = &mut self.made[index];
        if *made >= retrier.max_attempts {
            return Ok(None);
        }
        let exponent = i32::try_from(*made).unwrap_or(i32::MAX);
        *made += 1;
        let wait = retrier.interval_seconds * retrier.backoff_rate.powi(exponent);
        Ok(Some(Duration::from_secs_f64(
            wait.min(retrier.max_delay_seconds),
        )))
    }
}

/// The catcher for an error.
pub(super) fn catcher<'a>(catchers: &'a [Catcher], error: &str) -> Option<&'a Catcher> {
    let is_for_this = |catcher: &&Catcher| is_for(&catcher.error_equals, error);
    catchers.iter().find(is_for_this)
}

/// `States.ALL` is for every error, `States.TaskFailed` for every one but a timeout
/// (docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html).
fn is_for(names: &[String], error: &str) -> bool {
    names.iter().any(|name| match name.as_str() {
        "States.ALL" => true,
        "States.TaskFailed" => error != "States.Timeout",
        name => name == error,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_retrier_waits_longer_each_time_and_then_no_more() {
        let retrier: Retrier = serde_json::from_value(json!({
            "ErrorEquals": ["A"], "IntervalSeconds": 5, "BackoffRate": 2, "MaxAttempts": 3,
            "MaxDelaySeconds": 12, "JitterStrategy": "FULL",
        }))
        .unwrap();
        let retriers = [retrier];
        let mut attempts = Attempts::new(&retriers);
        let mut waits = Vec::new();
        while let Some(wait) = attempts.wait_max("A").unwrap() {
            waits.push(wait.as_secs());
        }
        assert_eq!(waits, [5, 10, 12]);
        assert_eq!(attempts.wait_max("B").unwrap(), None);
    }
}
