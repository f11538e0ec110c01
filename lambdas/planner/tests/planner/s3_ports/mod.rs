//! Ports whose buckets are S3's.

use shardlift_aws::AwsAccounts;
use shardlift_planner::Ports;
use shardlift_testkit::{
    ManualClock, MemoryControlStore, MemoryExecutions, MemoryLedger, MemoryListFiles,
};

/// The buckets over S3, everything else in memory.
pub(crate) struct S3Ports;

impl Ports for S3Ports {
    type Accounts = AwsAccounts;
    type Ledger = MemoryLedger;
    type Control = MemoryControlStore;
    type Lists = MemoryListFiles;
    type Executions = MemoryExecutions;
    type Clock = ManualClock;
}
