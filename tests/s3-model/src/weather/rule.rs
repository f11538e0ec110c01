//! When a fault happens.

use serde::{Deserialize, Serialize};

use super::fault::Fault;
use crate::protocol::operation::Operation;

/// Which fault happens to which requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The operations that match. All if empty.
    #[serde(default)]
    pub operations: Vec<Operation>,
    /// The bucket that matches. All if absent.
    #[serde(default)]
    pub bucket: Option<String>,
    /// The prefix of the keys that match.
    #[serde(default)]
    pub key_prefix: String,
    /// How many matching requests pass before the first fault.
    #[serde(default)]
    pub skip: u64,
    /// How often the rule fires. Without limit if absent.
    #[serde(default)]
    pub times: Option<u64>,
    /// The share of the remaining matching requests that the rule hits.
    #[serde(default = "every_request")]
    pub share: f64,
    /// What the draw depends on.
    #[serde(default)]
    pub drawn_by: DrawnBy,
    /// What happens.
    pub fault: Fault,
}

fn every_request() -> f64 {
    1.0
}

/// What decides whether a rule with a share hits a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DrawnBy {
    /// Its place in the order of arrival: a retry may succeed.
    #[default]
    Arrival,
    /// Its operation, bucket and key: a retry has the same result.
    Key,
}

impl Rule {
    /// Makes a rule that hits every request.
    pub fn new(fault: Fault) -> Self {
        Self {
            operations: Vec::new(),
            bucket: None,
            key_prefix: String::new(),
            skip: 0,
            times: None,
            share: every_request(),
            drawn_by: DrawnBy::Arrival,
            fault,
        }
    }

    /// Limits it to these operations.
    #[must_use]
    pub fn operations(mut self, operations: &[Operation]) -> Self {
        self.operations = operations.to_vec();
        self
    }

    /// Limits it to this bucket.
    #[must_use]
    pub fn bucket(mut self, bucket: impl Into<String>) -> Self {
        self.bucket = Some(bucket.into());
        self
    }

    /// Limits it to keys with this prefix.
    #[must_use]
    pub fn key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.key_prefix = prefix.into();
        self
    }

    /// Lets this many matching requests pass first.
    #[must_use]
    pub fn skip(mut self, skip: u64) -> Self {
        self.skip = skip;
        self
    }

    /// Limits how often it fires.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Hits only a share of the matching requests.
    #[must_use]
    pub fn share(mut self, share: f64) -> Self {
        self.share = share;
        self
    }

    /// Draws by key: a retry has the same result.
    #[must_use]
    pub fn drawn_by_key(mut self) -> Self {
        self.drawn_by = DrawnBy::Key;
        self
    }

    pub(super) fn matches(&self, operation: Operation, bucket: &str, key: &str) -> bool {
        (self.operations.is_empty() || self.operations.contains(&operation))
            && self.bucket.as_ref().is_none_or(|wanted| wanted == bucket)
            && key.starts_with(&self.key_prefix)
    }
}
