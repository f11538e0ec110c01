//! Lists as their writers write them, read back; and read in two halves.

#![expect(
    clippy::unwrap_used,
    reason = "what a test cannot set up or read fails the test"
)]

mod inventories;
mod resuming;
mod round_trips;
mod sorting;
mod support;
mod writers;
