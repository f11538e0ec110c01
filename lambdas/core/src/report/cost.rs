//! What a run costs in requests and in time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::value::tally::RequestCounts;

/// What the prices below cover, as a sentence for people.
pub const PRICE_SCOPE: &str = "Requests at us-east-1 list prices. Compute time, KMS and data transfer between Regions are not included.";

/// The cost of a run in USD: requests times prices, see [`PRICE_SCOPE`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Cost {
    /// What the plan expected; zero when there is no plan.
    pub estimated: f64,
    /// The cost of the counted requests; in a dry run those of planning.
    #[serde(default)]
    pub counted: f64,
    /// The counted requests.
    pub requests: RequestCounts,
    /// The requests that the plan expected.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub requests_estimated: RequestCounts,
}

/// How long copying takes, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopySeconds {
    /// What the plan expected with the stack's concurrency.
    pub estimated: u64,
    /// From the start of the first shard to the end of the last one; absent when no shard was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<u64>,
}

/// Prices in USD per request, us-east-1, price list of 2026-09 (aws.amazon.com/s3/pricing, Standard storage;
/// aws.amazon.com/dynamodb/pricing/on-demand; aws.amazon.com/step-functions/pricing).
const WRITE_USD: f64 = 0.005 / 1_000.0;
const READ_USD: f64 = 0.0004 / 1_000.0;
const LEDGER_WRITE_USD: f64 = 0.625 / 1_000_000.0;
const LEDGER_READ_USD: f64 = 0.125 / 1_000_000.0;
const TRANSITION_USD: f64 = 0.025 / 1_000.0;

/// The price in USD of one call of this operation; requests that AWS does not bill cost nothing.
#[must_use]
pub fn price_usd(operation: &str) -> f64 {
    match operation {
        "s3:CopyObject"
        | "s3:PutObject"
        | "s3:ListObjectsV2"
        | "s3:CreateMultipartUpload"
        | "s3:UploadPart"
        | "s3:UploadPartCopy"
        | "s3:CompleteMultipartUpload"
        | "s3:ListParts"
        | "s3:ListMultipartUploads"
        | "s3:ListObjectAnnotations"
        | "s3:PutObjectTagging" => WRITE_USD,
        "s3:GetObject"
        | "s3:HeadObject"
        | "s3:HeadBucket"
        | "s3:GetObjectTagging"
        | "s3:GetObjectAttributes" => READ_USD,
        // The ledger counts these in units, not in calls.
        "dynamodb:PutItem"
        | "dynamodb:UpdateItem"
        | "dynamodb:DeleteItem"
        | "dynamodb:TransactWriteItems" => LEDGER_WRITE_USD,
        "dynamodb:GetItem" | "dynamodb:Query" => LEDGER_READ_USD,
        "states:Transition" => TRANSITION_USD,
        _ => 0.0,
    }
}

/// The cost in USD of these requests together.
#[must_use]
pub fn total_usd(requests: &RequestCounts) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "request counts stay far below 2^52"
    )]
    requests
        .iter()
        .map(|(operation, &count)| price_usd(operation) * count as f64)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_copies_cost_five_dollars() {
        let requests = RequestCounts::from([
            ("s3:CopyObject".to_owned(), 1_000_000),
            ("s3:DeleteObject".to_owned(), 9),
        ]);
        assert!((total_usd(&requests) - 5.0).abs() < 1e-9);
    }
}
