//! The S3 adapters keep the promises of their ports, over a socket, against the S3 model server.

#![allow(
    clippy::unwrap_used,
    reason = "what a test sets up must work, or the test fails"
)]

mod deletions;
mod faults;
mod local_sts;
mod parsers;
mod suites;
mod world;
