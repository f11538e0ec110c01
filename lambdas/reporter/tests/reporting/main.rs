//! The reporter over a ledger, buckets and a topic in memory.

#![expect(clippy::unwrap_used, reason = "what a test sets up is the test's own")]

mod ceilings;
mod events;
mod large_report;
mod outcomes;
mod pages;
mod rechecks;
mod repetition;
mod reruns;
mod rounds;
mod scene;
mod tampering;
mod uploads;
mod verification;
