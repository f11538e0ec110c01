//! What the server did so far, and what it would have cost.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::lock::hold;
use crate::operation::{Operation, PriceClass};

/// The statuses with a counter of their own; the last place counts all others.
const STATUSES: [u16; 18] = [
    200, 202, 204, 206, 301, 304, 400, 403, 404, 405, 409, 411, 412, 416, 500, 501, 503, 0,
];

/// us-east-1, price list of 2026-09: COPY, PUT, POST and LIST, per request.
const WRITE_USD: f64 = 0.005 / 1_000.0;
/// GET, HEAD and the rest, per request.
const READ_USD: f64 = 0.0004 / 1_000.0;
/// Transfer between Regions, per GB.
const INTER_REGION_USD_PER_GIB: f64 = 0.02;

/// Counters that every request touches, without a lock.
#[derive(Debug)]
pub(crate) struct Counters {
    requests: Vec<[AtomicU64; STATUSES.len()]>,
    dropped: AtomicU64,
    unrouted: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    copied_bytes: AtomicU64,
    crossed_bytes: AtomicU64,
    keys_listed: AtomicU64,
    throttled: AtomicU64,
    in_flight: AtomicU64,
    in_flight_peak: AtomicU64,
    faults: Mutex<BTreeMap<&'static str, u64>>,
}

/// The counters at one moment. As JSON it is the answer of `GET /_model/counters`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CountersSnapshot {
    /// Requests by operation and HTTP status. Status 0 gathers the rare ones.
    pub requests: BTreeMap<Operation, BTreeMap<u16, u64>>,
    /// Requests whose connection the weather reset: they have no status.
    pub dropped: u64,
    /// Requests that named no operation.
    pub unrouted: u64,
    /// Body bytes received.
    pub bytes_in: u64,
    /// Body bytes of the answers.
    pub bytes_out: u64,
    /// Bytes copied inside the server.
    pub copied_bytes: u64,
    /// Copied bytes that crossed Regions.
    pub crossed_bytes: u64,
    /// Keys and common prefixes listed.
    pub keys_listed: u64,
    /// Requests that a partition's limit refused with 503 SlowDown.
    pub throttled: u64,
    /// Requests being answered.
    pub in_flight: u64,
    /// The most that were ever being answered at once.
    pub in_flight_peak: u64,
    /// Faults of the weather, by kind.
    pub faults: BTreeMap<String, u64>,
    /// What the requests would have cost.
    pub cost: Cost,
}

/// A bill, in US dollars.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Cost {
    /// COPY, PUT, POST and LIST.
    pub write_requests_usd: f64,
    /// GET, HEAD and the rest.
    pub read_requests_usd: f64,
    /// Bytes copied between Regions.
    pub inter_region_usd: f64,
    /// All of it.
    pub total_usd: f64,
}

impl Default for Counters {
    fn default() -> Self {
        let row = || std::array::from_fn(|_| AtomicU64::new(0));
        Self {
            requests: Operation::ALL.iter().map(|_| row()).collect(),
            dropped: AtomicU64::new(0),
            unrouted: AtomicU64::new(0),
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            copied_bytes: AtomicU64::new(0),
            crossed_bytes: AtomicU64::new(0),
            keys_listed: AtomicU64::new(0),
            throttled: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
            in_flight_peak: AtomicU64::new(0),
            faults: Mutex::new(BTreeMap::new()),
        }
    }
}

/// What one answer adds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) status: u16,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) copied_bytes: u64,
    pub(crate) crossed_bytes: u64,
    pub(crate) keys_listed: u64,
}

/// Counts a request as in flight for as long as it lives.
#[derive(Debug)]
pub(crate) struct InFlight<'a> {
    counters: &'a Counters,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.counters.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Counters {
    pub(crate) fn begin(&self) -> InFlight<'_> {
        let now = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        self.in_flight_peak.fetch_max(now, Ordering::Relaxed);
        InFlight { counters: self }
    }

    pub(crate) fn answered(&self, operation: Operation, tally: Tally) {
        let place = STATUSES
            .iter()
            .position(|status| *status == tally.status)
            .unwrap_or(STATUSES.len() - 1);
        self.requests[operation.index()][place].fetch_add(1, Ordering::Relaxed);
        for (counter, amount) in [
            (&self.bytes_in, tally.bytes_in),
            (&self.bytes_out, tally.bytes_out),
            (&self.copied_bytes, tally.copied_bytes),
            (&self.crossed_bytes, tally.crossed_bytes),
            (&self.keys_listed, tally.keys_listed),
        ] {
            if amount > 0 {
                counter.fetch_add(amount, Ordering::Relaxed);
            }
        }
    }

    pub(crate) fn dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn unrouted(&self) {
        self.unrouted.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn throttled(&self) {
        self.throttled.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn fault(&self, name: &'static str) {
        *hold(&self.faults).entry(name).or_default() += 1;
    }

    pub(crate) fn snapshot(&self) -> CountersSnapshot {
        let value = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut requests: BTreeMap<Operation, BTreeMap<u16, u64>> = BTreeMap::new();
        for (operation, row) in Operation::ALL.iter().zip(&self.requests) {
            for (status, counter) in STATUSES.iter().zip(row) {
                if value(counter) > 0 {
                    requests
                        .entry(*operation)
                        .or_default()
                        .insert(*status, value(counter));
                }
            }
        }
        let crossed_bytes = value(&self.crossed_bytes);
        CountersSnapshot {
            cost: Cost::of(&requests, crossed_bytes),
            requests,
            dropped: value(&self.dropped),
            unrouted: value(&self.unrouted),
            bytes_in: value(&self.bytes_in),
            bytes_out: value(&self.bytes_out),
            copied_bytes: value(&self.copied_bytes),
            crossed_bytes,
            keys_listed: value(&self.keys_listed),
            throttled: value(&self.throttled),
            in_flight: value(&self.in_flight),
            in_flight_peak: value(&self.in_flight_peak),
            faults: hold(&self.faults)
                .iter()
                .map(|(name, count)| ((*name).to_owned(), *count))
                .collect(),
        }
    }

    /// Sets everything to zero but what is in flight.
    pub(crate) fn reset(&self) {
        let all = [
            &self.dropped,
            &self.unrouted,
            &self.bytes_in,
            &self.bytes_out,
            &self.copied_bytes,
            &self.crossed_bytes,
            &self.keys_listed,
            &self.throttled,
        ];
        for counter in all.into_iter().chain(self.requests.iter().flatten()) {
            counter.store(0, Ordering::Relaxed);
        }
        self.in_flight_peak
            .store(self.in_flight.load(Ordering::Relaxed), Ordering::Relaxed);
        hold(&self.faults).clear();
    }
}

impl CountersSnapshot {
    /// How often an operation was answered, whatever the status.
    pub fn requests_of(&self, operation: Operation) -> u64 {
        self.requests
            .get(&operation)
            .map_or(0, |statuses| statuses.values().sum())
    }

    /// How often an operation was answered with a status.
    pub fn answered(&self, operation: Operation, status: u16) -> u64 {
        self.requests
            .get(&operation)
            .and_then(|statuses| statuses.get(&status))
            .copied()
            .unwrap_or(0)
    }
}

impl Cost {
    /// Server errors are free of charge, everything else is charged by its class.
    fn of(requests: &BTreeMap<Operation, BTreeMap<u16, u64>>, crossed_bytes: u64) -> Self {
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

/// A count for a price, where the last digits of more than 2^53 do not matter.
#[allow(clippy::cast_precision_loss, reason = "see above")]
fn float(count: u64) -> f64 {
    count as f64
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
