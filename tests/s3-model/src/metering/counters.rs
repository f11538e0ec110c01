//! Counters that every request updates, without a lock.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::cost::Cost;
use super::snapshot::CountersSnapshot;
use crate::lock::lock;
use crate::protocol::operation::Operation;

/// The statuses with a counter of their own. The last entry counts all others.
const STATUSES: [u16; 18] = [
    200, 202, 204, 206, 301, 304, 400, 403, 404, 405, 409, 411, 412, 416, 500, 501, 503, 0,
];

/// The counters of a server.
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

/// What one response adds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ResponseCount {
    pub(crate) status: u16,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) copied_bytes: u64,
    pub(crate) crossed_bytes: u64,
    pub(crate) keys_listed: u64,
}

/// Counts a request as in flight until it is dropped.
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

    /// Counts a response.
    pub(crate) fn response(&self, operation: Operation, count: ResponseCount) {
        let column = STATUSES
            .iter()
            .position(|status| *status == count.status)
            .unwrap_or(STATUSES.len() - 1);
        self.requests[operation.index()][column].fetch_add(1, Ordering::Relaxed);
        for (counter, amount) in [
            (&self.bytes_in, count.bytes_in),
            (&self.bytes_out, count.bytes_out),
            (&self.copied_bytes, count.copied_bytes),
            (&self.crossed_bytes, count.crossed_bytes),
            (&self.keys_listed, count.keys_listed),
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
        *lock(&self.faults).entry(name).or_default() += 1;
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
            faults: lock(&self.faults)
                .iter()
                .map(|(name, count)| ((*name).to_owned(), *count))
                .collect(),
        }
    }

    /// Sets everything to zero except the requests in flight.
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
        lock(&self.faults).clear();
    }
}
