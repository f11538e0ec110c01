//! The adapters of DynamoDB, Step Functions, SNS, STS and the control bucket keep the promises of their ports. They talk
//! over a socket to the local stack whose address is in `SHARDLIFT_LOCAL_ENDPOINT`.
//!
//! `cargo test` does not run this target because it needs that stack: `tests/workflow/test_ports.py` starts one, with the
//! role `machine` that a state machine must name, and runs it. Without the variable, every test here fails.

#![expect(clippy::unwrap_used, reason = "a test fails where its setup fails")]

mod executions;
mod ledger;
mod messages;
mod stack;
