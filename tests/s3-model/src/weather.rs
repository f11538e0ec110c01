//! What the weather can be: latency, limits and faults, as a test or the control API sets them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::ErrorCode;
use crate::operation::Operation;
use crate::partition::PartitionLimits;

/// Everything about the weather. As JSON it is the body of `PUT /_model/weather`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Weather {
    /// Determines every draw.
    pub seed: u64,
    /// How many times as fast as real time model time passes. Every duration below, and the
    /// seconds of the partition limits, are model time.
    pub time_scale: f64,
    /// How long each operation takes.
    pub latency: BTreeMap<Operation, Latency>,
    /// How long the other operations take.
    pub latency_otherwise: Latency,
    /// Limits per key partition; none when left out.
    pub partition_limits: Option<PartitionLimits>,
    /// Faults. The first rule that fires decides.
    pub rules: Vec<Rule>,
    /// Seconds that the server's clock is ahead of the wall clock. Beyond 15 minutes either way
    /// S3 refuses every signed request.
    pub clock_skew_s: i64,
}

impl Default for Weather {
    fn default() -> Self {
        Self {
            seed: 0,
            time_scale: 1.0,
            latency: BTreeMap::new(),
            latency_otherwise: Latency::default(),
            partition_limits: None,
            rules: Vec::new(),
            clock_skew_s: 0,
        }
    }
}

/// How long a request takes, in model time. The effect happens first, so that a client that
/// gives up waiting finds it done.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Latency {
    /// Every request, in milliseconds.
    pub base_ms: f64,
    /// Up to this much more, evenly drawn, in milliseconds.
    pub jitter_ms: f64,
    /// Per GiB that is copied inside the server, in milliseconds.
    pub per_copied_gib_ms: f64,
}

/// When a fault happens, and which.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The operations it is about; all when empty.
    #[serde(default)]
    pub operations: Vec<Operation>,
    /// The bucket it is about; all when left out.
    #[serde(default)]
    pub bucket: Option<String>,
    /// The keys it is about, by their beginning.
    #[serde(default)]
    pub key_prefix: String,
    /// Lets so many matching requests pass first.
    #[serde(default)]
    pub skip: u64,
    /// Fires at most so often; without end when left out.
    #[serde(default)]
    pub times: Option<u64>,
    /// The share of the remaining matching requests that it hits.
    #[serde(default = "always")]
    pub share: f64,
    /// What the share is drawn by.
    #[serde(default)]
    pub drawn_by: DrawnBy,
    /// What happens.
    pub fault: Fault,
}

fn always() -> f64 {
    1.0
}

/// What decides whether a rule with a share hits a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DrawnBy {
    /// Its place in the order of arrival: a retry may succeed.
    #[default]
    Arrival,
    /// Operation, bucket and key: a retry meets the same.
    Key,
}

/// What can happen to a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// An error status.
    Refuse {
        /// Which.
        code: ErrorCode,
        /// Whether the effect happened all the same.
        #[serde(default)]
        happened: bool,
    },
    /// Status 200 with an error document, for the operations that do so on S3.
    RefuseIn200 {
        /// Which.
        code: ErrorCode,
        /// Whether the effect happened all the same.
        #[serde(default)]
        happened: bool,
    },
    /// The connection is reset before a byte of the answer.
    Reset {
        /// Whether the effect happened.
        happened: bool,
    },
    /// The body breaks off.
    CutBody {
        /// After this share of it.
        share: f64,
        /// Whether HTTP's framing is right all the same, so that only the document is broken.
        #[serde(default)]
        well_framed: bool,
    },
    /// Status and headers are sent, then nothing for a while, then the body.
    Silence {
        /// For so long, in milliseconds of model time.
        ms: u64,
    },
    /// The whole answer comes later.
    Delay {
        /// By so much, in milliseconds of model time.
        ms: u64,
    },
    /// The caller's session is over.
    ExpireSession,
}

impl Fault {
    /// The name under which it is counted.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Refuse { .. } => "refuse",
            Self::RefuseIn200 { .. } => "refuse_in_200",
            Self::Reset { .. } => "reset",
            Self::CutBody { .. } => "cut_body",
            Self::Silence { .. } => "silence",
            Self::Delay { .. } => "delay",
            Self::ExpireSession => "expire_session",
        }
    }
}

impl Rule {
    /// A rule that hits every request.
    pub fn new(fault: Fault) -> Self {
        Self {
            operations: Vec::new(),
            bucket: None,
            key_prefix: String::new(),
            skip: 0,
            times: None,
            share: 1.0,
            drawn_by: DrawnBy::Arrival,
            fault,
        }
    }

    /// About these operations only.
    #[must_use]
    pub fn operations(mut self, operations: &[Operation]) -> Self {
        self.operations = operations.to_vec();
        self
    }

    /// About this bucket only.
    #[must_use]
    pub fn bucket(mut self, bucket: impl Into<String>) -> Self {
        self.bucket = Some(bucket.into());
        self
    }

    /// About keys that begin so.
    #[must_use]
    pub fn key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.key_prefix = prefix.into();
        self
    }

    /// Lets so many matching requests pass first.
    #[must_use]
    pub fn skip(mut self, skip: u64) -> Self {
        self.skip = skip;
        self
    }

    /// Fires at most so often.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Hits a share of the matching requests.
    #[must_use]
    pub fn share(mut self, share: f64) -> Self {
        self.share = share;
        self
    }

    /// Draws by key, so that a retry meets the same.
    #[must_use]
    pub fn drawn_by_key(mut self) -> Self {
        self.drawn_by = DrawnBy::Key;
        self
    }

    pub(crate) fn matches(&self, operation: Operation, bucket: &str, key: &str) -> bool {
        (self.operations.is_empty() || self.operations.contains(&operation))
            && self.bucket.as_ref().is_none_or(|wanted| wanted == bucket)
            && key.starts_with(&self.key_prefix)
    }
}
