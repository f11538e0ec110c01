//! The counters at one moment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::cost::Cost;
use crate::protocol::operation::Operation;

/// The counters at one moment. As JSON it is the response of `GET /_model/counters`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CountersSnapshot {
    /// Requests by operation and HTTP status. Status 0 stands for all rare ones.
    pub requests: BTreeMap<Operation, BTreeMap<u16, u64>>,
    /// Requests whose connection the weather reset. They have no status.
    pub dropped: u64,
    /// Requests that are no operation of the model.
    pub unrouted: u64,
    /// Bytes of request bodies.
    pub bytes_in: u64,
    /// Bytes of response bodies.
    pub bytes_out: u64,
    /// Bytes copied inside the server.
    pub copied_bytes: u64,
    /// Copied bytes that crossed Regions.
    pub crossed_bytes: u64,
    /// Keys and common prefixes listed.
    pub keys_listed: u64,
    /// Requests that a partition limit refused with 503 SlowDown.
    pub throttled: u64,
    /// Requests in flight.
    pub in_flight: u64,
    /// The most requests that were ever in flight at once.
    pub in_flight_peak: u64,
    /// Faults of the weather, by kind.
    pub faults: BTreeMap<String, u64>,
    /// What AWS would have charged.
    pub cost: Cost,
}

impl CountersSnapshot {
    /// Returns the number of responses to an operation, with any status.
    pub fn requests_of(&self, operation: Operation) -> u64 {
        self.requests
            .get(&operation)
            .map_or(0, |statuses| statuses.values().sum())
    }

    /// Returns the number of responses to an operation with this status.
    pub fn responses(&self, operation: Operation, status: u16) -> u64 {
        self.requests
            .get(&operation)
            .and_then(|statuses| statuses.get(&status))
            .copied()
            .unwrap_or(0)
    }
}
