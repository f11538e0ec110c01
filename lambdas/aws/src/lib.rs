//! Adapters from Shardlift's ports to AWS, the bootstrap of its Lambda functions, and their telemetry.
//!
//! Adapters translate and do not decide. Read [`s3`] for the two buckets, which [`accounts`] opens, [`ledger`] for
//! DynamoDB, [`control_store`] for the control bucket, and [`list_files`] for the lists of objects that runs take. All of them report failed calls through [`fault_mapping`], get
//! their clients from [`clients`], and are retried by the policies of [`retry`]; [`bootstrap`] connects everything.

mod accounts;
pub mod bootstrap;
pub mod clients;
mod control_store;
mod event_lists;
mod executions;
mod fault_mapping;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod ledger;
mod list_files;
mod notifier;
mod request_counter;
pub mod retry;
mod run_starts;
mod s3;
mod system_clock;
pub mod telemetry;

pub use accounts::AwsAccounts;
pub use control_store::{S3ControlStore, S3ControlWriter};
pub use executions::SfnExecutions;
pub use fault_mapping::causes_of;
pub use ledger::DynamoLedger;
pub use list_files::S3ListFiles;
pub use notifier::SnsNotifier;
pub use run_starts::SfnRunStarts;
pub use s3::{AwsSourceBucket, AwsTargetBucket};
pub use system_clock::SystemClock;
