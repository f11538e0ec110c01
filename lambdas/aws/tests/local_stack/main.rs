//! The adapters of DynamoDB, Step Functions, SNS, STS and the control bucket keep the promises of their ports, over a
//! socket, against the local stack whose address is in `SHARDLIFT_LOCAL_ENDPOINT`.
//!
//! `cargo test` leaves this target out, since it needs that stack: `tests/workflow/test_ports.py` starts one and runs
//! it, with the role `machine` that a state machine must name. Without the variable every test here fails.

#![allow(
    clippy::unwrap_used,
    reason = "what a test sets up must work, or the test fails"
)]

mod executions;
mod ledger;
mod messages;
mod stack;
