//! What a person types about a run that was started.

use std::path::PathBuf;

use clap::Args;
use shardlift_core::value::id::{RunId, ShardId};

use crate::{checked_value::checked, start_arguments::NewRunArguments};

/// Which parts of a report.
#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// The run.
    #[arg(value_parser = checked(RunId::new))]
    pub(crate) run: RunId,
    /// Show every failed object too.
    #[arg(long)]
    pub(crate) failures: bool,
    /// Print report.json as it is.
    #[arg(long, conflicts_with_all = ["failures", "save"])]
    pub(crate) json: bool,
    /// Save the page and the lists in this folder.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) save: Option<PathBuf>,
}

/// Which failed objects.
#[derive(Debug, Args)]
pub(crate) struct FailuresArguments {
    /// The run; by default the latest that has ended.
    #[arg(value_parser = checked(RunId::new))]
    pub(crate) run: Option<RunId>,
    /// How many objects to show of each reason.
    #[arg(long, default_value_t = 5, value_name = "N")]
    pub(crate) count: u16,
    /// Show every failed object.
    #[arg(long, conflicts_with = "count")]
    pub(crate) all: bool,
}

/// What is started after a run.
#[derive(Debug, Args)]
pub(crate) struct RerunArguments {
    /// The run to rerun; by default the latest.
    #[arg(value_parser = checked(RunId::new))]
    pub(crate) run: Option<RunId>,
    /// Only this shard of that run; may be repeated.
    #[arg(long = "shard", value_parser = checked(ShardId::new), value_name = "SHARD_ID")]
    pub(crate) shards: Vec<ShardId>,
    #[command(flatten)]
    pub(crate) new_run: NewRunArguments,
}

/// Which run is stopped.
#[derive(Debug, Args)]
pub(crate) struct StopArguments {
    /// The run; by default the one in progress, if there is only one.
    #[arg(value_parser = checked(RunId::new))]
    pub(crate) run: Option<RunId>,
    /// Do not wait for the copiers: uploads that they start later are left.
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// The profile that aborts uploads, if the stack's may not: one of the
    /// target account.
    #[arg(long, value_name = "NAME")]
    pub(crate) target_profile: Option<String>,
}

/// What is compared with the target, and how it is told.
#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    /// The run.
    #[arg(value_parser = checked(RunId::new))]
    pub(crate) run: RunId,
    /// The profile that lists the target, if the stack's may not: one of the target account.
    #[arg(long, value_name = "NAME")]
    pub(crate) target_profile: Option<String>,
    /// Write every difference to this file, which must not exist yet.
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
    /// One JSON object instead of sentences and a table.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which shards.
#[derive(Debug, Args)]
pub(crate) struct ShardsArguments {
    /// The run.
    #[arg(value_parser = checked(RunId::new))]
    pub(crate) run: RunId,
    /// Only those that are not done.
    #[arg(long)]
    pub(crate) not_done: bool,
}

/// Which objects.
#[derive(Debug, Args)]
pub(crate) struct ManifestArguments {
    /// The run.
    #[arg(value_parser = checked(RunId::new))]
    pub(crate) run: RunId,
    /// The shard, as `shardlift shards` lists it.
    #[arg(value_parser = checked(ShardId::new))]
    pub(crate) shard: ShardId,
    /// One JSON object per line, with the keys exactly as they are, instead of a table with tabs.
    #[arg(long)]
    pub(crate) json: bool,
}
