//! The arguments of `shardlift events`.

use clap::{Args, Subcommand};
use shardlift_core::value::bucket::BucketName;

use crate::checked_value::checked;

/// What to do about events.
#[derive(Debug, Args)]
pub(crate) struct EventsArguments {
    /// The bucket that sends the events; by default that of the stack.
    #[arg(long, global = true, value_parser = checked(BucketName::new), value_name = "NAME")]
    pub(crate) source_bucket: Option<BucketName>,
    #[command(subcommand)]
    pub(crate) command: Option<EventsCommand>,
}

/// What to do about events.
#[derive(Debug, Subcommand)]
pub(crate) enum EventsCommand {
    /// Show the current state. This is the default.
    Status,
    /// Make the source bucket send its events to EventBridge; the rest of its notification configuration stays.
    On {
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Stop it from sending events.
    Off {
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Put the dead letters back into the queue.
    Redrive,
    /// Start a run over what waits now, although the last one broke or was INCOMPLETE a few minutes ago.
    Retry,
}
