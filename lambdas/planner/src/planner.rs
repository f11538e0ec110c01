//! The planner and its settings.

use shardlift_core::{
    access::ceilings::Ceilings, plan::ShardBounds, run::input::RunInput, value::arn::RoleArn,
};
use shardlift_lists::SortBounds;

use crate::ports::Ports;

/// What the stack's parameters set for every run.
#[derive(Debug, Clone)]
pub struct PlannerSettings {
    /// The pair's defaults.
    pub run_defaults: RunInput,
    /// What a run may ask for.
    pub ceilings: Ceilings,
    /// The roles of all functions, which the trust policy of the target role must name.
    pub function_roles: Vec<RoleArn>,
    /// The most copiers at once.
    pub max_concurrency: u32,
    /// The most writes per second of a run, if the stack sets a cap.
    pub writes_per_second_max: Option<u32>,
    /// After how many days the ledger forgets a run.
    pub ledger_ttl_days: u32,
    /// The memory of a copier in MB, which is its processor too.
    pub copier_memory_mb: u32,
    /// The memory of a renderer in MB.
    pub renderer_memory_mb: u32,
    /// How large a shard may become.
    pub shard_bounds: ShardBounds,
    /// How much of a list in no order is sorted at once.
    pub sort_bounds: SortBounds,
    /// The most ranges that are listed at once.
    pub listers_max: usize,
}

/// The most ranges that are listed at once. 32 pages of 1,000 keys in 40 ms are 800,000 keys per second: more than one
/// processor parses, and far below the 5,500 requests per second of a partition.
pub const LISTERS_MAX_DEFAULT: usize = 32;

/// The planner over its ports.
pub struct Planner<P: Ports> {
    /// Opens the two sides.
    pub accounts: P::Accounts,
    /// The ledger.
    pub ledger: P::Ledger,
    /// The control bucket.
    pub control: P::Control,
    /// The files of lists.
    pub lists: P::Lists,
    /// Whether the execution behind a lock still runs.
    pub executions: P::Executions,
    /// The clock.
    pub clock: P::Clock,
    /// The stack's settings.
    pub settings: PlannerSettings,
}
