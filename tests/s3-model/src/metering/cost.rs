//! The bill.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::number::float;
use crate::protocol::operation::{Operation, PriceClass};

/// us-east-1, price list of 2026-09: COPY, PUT, POST and LIST, per request.
const WRITE_USD: f64 = 0.005 / 1_000.0;
/// GET, HEAD and all others, per request.
const READ_USD: f64 = 0.0004 / 1_000.0;
/// Transfer between Regions, per GB.
const INTER_REGION_USD_PER_GIB: f64 = 0.02;

/// A bill, in US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Cost {
    /// COPY, PUT, POST and LIST requests.
    pub write_requests_usd: f64,
    /// GET, HEAD and all other requests.
    pub read_requests_usd: f64,
    /// Bytes copied between Regions.
    pub inter_region_usd: f64,
    /// The sum.
    pub total_usd: f64,
}

impl Cost {
    /// Adds up the price of requests. Server errors are free.
    pub(super) fn of(
        requests: &BTreeMap<Operation, BTreeMap<u16, u64>>,
        crossed_bytes: u64,
    ) -> Self {
        let charged = |class: PriceClass| -> f64 {
            requests
                .iter()
                .filter(|(operation, _)| operation.price() == class)
                .flat_map(|(_, statuses)| statuses.iter().filter(|(status, _)| **status < 500))
                .map(|(_, count)| float(*count))
                .sum()
        };
        let write_requests_usd = charged(PriceClass::Write) * WRITE_USD;
        let read_requests_usd = charged(PriceClass::Read) * READ_USD;
        let inter_region_usd = float(crossed_bytes) / float(1 << 30) * INTER_REGION_USD_PER_GIB;
        Self {
            write_requests_usd,
            read_requests_usd,
            inter_region_usd,
            total_usd: write_requests_usd + read_requests_usd + inter_region_usd,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_copies_cost_five_dollars_and_server_errors_nothing() {
        let requests = BTreeMap::from([
            (
                Operation::CopyObject,
                BTreeMap::from([(200, 1_000_000), (503, 77)]),
            ),
            (
                Operation::HeadObject,
                BTreeMap::from([(200, 900_000), (404, 100_000)]),
            ),
            (Operation::DeleteObject, BTreeMap::from([(204, 1_000_000)])),
        ]);
        let cost = Cost::of(&requests, 100 << 30);
        assert!((cost.write_requests_usd - 5.00).abs() < 1e-9);
        assert!((cost.read_requests_usd - 0.40).abs() < 1e-9);
        assert!((cost.inter_region_usd - 2.00).abs() < 1e-9);
        assert!((cost.total_usd - 7.40).abs() < 1e-9);
    }
}
