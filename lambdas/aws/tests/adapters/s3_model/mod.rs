//! The S3 adapters keep the promises of their ports, over a socket to the S3 model server.

mod control_uploads;
mod deletions;
mod demands;
mod faults;
mod local_sts;
mod odd_headers;
mod old_bucket;
mod parsers;
mod storage;
mod suites;
mod versions;
#[expect(dead_code, reason = "the planner's tests take all of it")]
mod world;
