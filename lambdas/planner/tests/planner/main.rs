//! The planner over the testkit's ports and over the S3 model. One binary, because linking takes longer than the tests.

#![expect(clippy::unwrap_used, reason = "a test fails where its setup fails")]

mod as_of;
mod audit;
mod bad_weather;
mod ceilings;
mod earlier;
mod encrypted_target;
mod encryption;
mod events;
mod fail_closed;
#[expect(dead_code, reason = "the adapters' own tests take all of it")]
#[path = "../../../aws/tests/adapters/retry_layers/failing_aws.rs"]
mod failing_aws;
mod from_lists;
#[path = "../../../lists/tests/lists/writers.rs"]
mod list_writers;
#[expect(dead_code, reason = "the adapters' own tests take all of it")]
#[path = "../../../aws/tests/adapters/s3_model/local_sts.rs"]
mod local_sts;
mod locking;
mod mirroring;
mod no_op_sync;
mod ordered_lists;
mod parallel;
mod planning;
mod preflight;
mod receipts_as_list;
mod renditions;
mod rerun_refusals;
mod rerunning;
mod resuming;
mod retries;
mod s3_ports;
#[expect(dead_code, reason = "the adapters' own tests take all of it")]
#[path = "../../../aws/tests/adapters/s3_model/world.rs"]
mod s3_world;
mod samples;
mod storing;
mod world;
