//! The adapters from Shardlift's ports to AWS, the bootstrap of its functions, and their telemetry.
//!
//! Adapters translate, they do not decide. `fault_mapping` is the only file that reads error codes and HTTP status.

mod accounts;
pub mod adapters;
pub mod bootstrap;
pub mod clients;
mod control_store;
mod executions;
mod fault_mapping;
mod ledger;
mod notifier;
mod request_counter;
pub mod retry;
mod s3;
mod session;
mod settings;
mod system_clock;
pub mod telemetry;

pub use accounts::AwsAccounts;
pub use control_store::{S3ControlStore, S3ControlWriter};
pub use executions::SfnExecutions;
pub use ledger::DynamoLedger;
pub use notifier::SnsNotifier;
pub use s3::{AwsSourceBucket, AwsTargetBucket};
pub use system_clock::SystemClock;
