//! Everything about the weather, as a test or the control API sets it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::partition::PartitionLimits;
use super::rule::Rule;
use crate::protocol::operation::Operation;

/// A fault injection profile. As JSON it is the body of `PUT /_model/weather`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Weather {
    /// Determines every random draw.
    pub seed: u64,
    /// How many times as fast as real time model time passes. Every duration below, and the
    /// seconds of the partition limits, are model time.
    pub time_scale: f64,
    /// The latency by operation.
    pub latency: BTreeMap<Operation, Latency>,
    /// The latency of all other operations.
    pub latency_default: Latency,
    /// Limits per key partition. None if absent.
    pub partition_limits: Option<PartitionLimits>,
    /// Faults. The first rule that fires decides.
    pub rules: Vec<Rule>,
    /// How many seconds the server's clock is ahead of the wall clock. Beyond 15 minutes in either
    /// direction, S3 refuses every signed request.
    pub clock_skew_s: i64,
}

impl Default for Weather {
    fn default() -> Self {
        Self {
            seed: 0,
            time_scale: 1.0,
            latency: BTreeMap::new(),
            latency_default: Latency::default(),
            partition_limits: None,
            rules: Vec::new(),
            clock_skew_s: 0,
        }
    }
}

impl Weather {
    /// Whether it affects no request: it has no latency, no limits and no rules.
    pub(super) fn is_calm(&self) -> bool {
        *self
            == Self {
                seed: self.seed,
                clock_skew_s: self.clock_skew_s,
                time_scale: self.time_scale,
                ..Self::default()
            }
    }
}

/// How long a request takes, in model time. The operation takes effect first: a client that times
/// out finds it done.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Latency {
    /// For every request, in milliseconds.
    pub base_ms: f64,
    /// The largest random addition, evenly distributed, in milliseconds.
    pub jitter_ms: f64,
    /// For each GiB that is copied inside the server, in milliseconds.
    pub per_copied_gib_ms: f64,
}
