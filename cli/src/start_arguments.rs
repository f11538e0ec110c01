//! What a person types to start a run.

use std::path::PathBuf;

use clap::Args;
use shardlift_core::{
    run::list::ListFormat,
    value::id::{RunId, ShardId},
};

use crate::{checked_value::checked, field_arguments::FieldArguments, pair_name::pair_name};

/// How a run is started.
#[derive(Debug, Args)]
pub(crate) struct StartArguments {
    /// The input: JSON, or a file as @FILE or file://FILE.
    #[arg(long, default_value = "{}", value_name = "JSON|@FILE")]
    pub(crate) input: String,
    /// Start with the input of this run again.
    #[arg(
        long,
        value_parser = checked(RunId::new),
        value_name = "RUN_ID",
        conflicts_with_all = ["input", "rerun_of", "list", "pair"]
    )]
    pub(crate) input_of: Option<RunId>,
    /// Start with the input of this further pair.
    #[arg(long, value_parser = pair_name, value_name = "NAME", conflicts_with_all = ["input", "rerun_of"])]
    pub(crate) pair: Option<String>,
    #[command(flatten)]
    pub(crate) fields: FieldArguments,
    /// Upload this list, and take the objects from it.
    #[arg(long, value_name = "FILE", conflicts_with = "rerun_of")]
    pub(crate) list: Option<PathBuf>,
    /// The format of the list; by default taken from its name.
    #[arg(long, value_parser = list_format, value_name = "FORMAT", requires = "list")]
    pub(crate) list_format: Option<ListFormat>,
    /// Do what this run left undone, and nothing else.
    #[arg(long, value_parser = checked(RunId::new), value_name = "RUN_ID", conflicts_with = "input")]
    pub(crate) rerun_of: Option<RunId>,
    /// Only this shard of that run; may be repeated.
    #[arg(long = "shard", value_parser = checked(ShardId::new), value_name = "SHARD_ID", requires = "rerun_of")]
    pub(crate) shards: Vec<ShardId>,
    #[command(flatten)]
    pub(crate) new_run: NewRunArguments,
}

/// What a run that is started is called, and whether the command stays.
#[derive(Debug, Args)]
pub(crate) struct NewRunArguments {
    /// The new run's id; by default made from the time.
    #[arg(long, value_parser = checked(RunId::new), value_name = "RUN_ID")]
    pub(crate) name: Option<RunId>,
    /// Show progress until the run ends, then the report.
    #[arg(long)]
    pub(crate) watch: bool,
}

/// What a plan is made of: that of a run, without its dry run.
#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    /// The input: JSON, or a file as @FILE or file://FILE.
    #[arg(long, default_value = "{}", value_name = "JSON|@FILE")]
    pub(crate) input: String,
    /// Plan with the input of this further pair.
    #[arg(long, value_parser = pair_name, value_name = "NAME", conflicts_with = "input")]
    pub(crate) pair: Option<String>,
    #[command(flatten)]
    pub(crate) fields: FieldArguments,
}

/// A format of lists that are one file.
fn list_format(text: &str) -> Result<ListFormat, String> {
    let format = ListFormat::named(text).filter(|format| *format != ListFormat::Inventory);
    format.ok_or_else(|| {
        "expected csv, jsonl, parquet or receipts; an inventory stays where it is: name it in source.list".to_owned()
    })
}
