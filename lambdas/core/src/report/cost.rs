//! What a run costs in requests and in time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::prices::Prices;
use crate::value::tally::RequestCounts;

/// The cost of a run in USD: requests times list prices. [`Prices::scope`] says what is not in it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Cost {
    /// What the plan expected; zero when there is no plan.
    pub estimated: f64,
    /// The cost of the counted requests; in a dry run those of planning.
    #[serde(default)]
    pub counted: f64,
    /// The counted requests. Those to which S3 responded with a 5xx, which it does not bill, are counted as `s3:SlowDown`
    /// and `s3:ServerError` instead of under their operation.
    pub requests: RequestCounts,
    /// The requests that the plan expected.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub requests_estimated: RequestCounts,
    /// The prices.
    #[serde(default)]
    pub prices: Prices,
}

impl Cost {
    /// The cost of these requests.
    pub(super) fn of(
        requests: RequestCounts,
        requests_estimated: RequestCounts,
        prices: Prices,
    ) -> Self {
        Self {
            estimated: prices.total_usd(&requests_estimated),
            counted: prices.total_usd(&requests),
            requests,
            requests_estimated,
            prices,
        }
    }
}

/// How long copying takes, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopySeconds {
    /// What the plan expected with the stack's concurrency, once S3 has spread the target prefix over enough partitions.
    pub estimated: u64,
    /// What it expected while one partition takes all writes; absent when that is no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_max: Option<u64>,
    /// From the start of the first shard to the end of the last one; absent when no shard was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<u64>,
}
