//! What a person types.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use shardlift_core::{
    run::list::ListFormat,
    value::{
        arn::{AccountId, ExternalId, KmsKeyArn, RoleArn},
        bucket::BucketName,
        id::{RunId, ShardId},
        key::KeyPrefix,
    },
};

/// Starts runs of a Shardlift stack, watches them, and shows what became of them.
///
/// The stack is found by --stack (its CloudFormation outputs), by --local (the stack of `make local-up`), or by
/// naming its three parts. Credentials and Region come from the usual places of the AWS SDK.
///
/// Exit code: 0 when a run ended COMPLETE or PLANNED or the target is what it proved, 1 when the run ended INCOMPLETE or the
/// target differs, 2 when the run broke, the target could not be compared, or the command was wrong.
#[derive(Debug, Parser)]
#[command(name = "shardlift", version, max_term_width = 100)]
pub struct Arguments {
    #[command(flatten)]
    pub(crate) stack: StackArguments,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Which stack.
#[derive(Debug, Args)]
pub(crate) struct StackArguments {
    /// The name of the CloudFormation stack in the source account.
    #[arg(long, env = "SHARDLIFT_STACK", global = true, value_name = "NAME")]
    pub(crate) stack: Option<String>,
    /// Use the local stack: the outputs that `make local-up` wrote.
    #[arg(long, global = true)]
    pub(crate) local: bool,
    /// Where --local finds the outputs.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = ".local/outputs.json",
        env = "SHARDLIFT_LOCAL_OUTPUTS"
    )]
    pub(crate) local_outputs: PathBuf,
    /// The Region of the stack.
    #[arg(long, global = true, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// The profile of the AWS configuration files.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The state machine, instead of --stack.
    #[arg(
        long,
        env = "SHARDLIFT_STATE_MACHINE_ARN",
        global = true,
        value_name = "ARN"
    )]
    pub(crate) state_machine: Option<String>,
    /// The ledger table, instead of --stack.
    #[arg(
        long,
        env = "SHARDLIFT_LEDGER_TABLE",
        global = true,
        value_name = "NAME"
    )]
    pub(crate) ledger_table: Option<String>,
    /// The control bucket, instead of --stack.
    #[arg(
        long,
        env = "SHARDLIFT_CONTROL_BUCKET",
        global = true,
        value_name = "NAME"
    )]
    pub(crate) control_bucket: Option<String>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a run.
    Start(StartArguments),
    /// Watch a run until it ends, then show its report.
    Watch {
        /// The run.
        #[arg(value_parser = checked(RunId::new))]
        run: RunId,
    },
    /// Show the report of a run.
    Report(ReportArguments),
    /// List the target now, and say whether it still is what a run proved.
    ///
    /// Names every key that is missing, that has another object, or of which the run knows nothing. It reads the report and
    /// the receipts of the run from the control bucket, never the ledger, and never an object of the target.
    Verify(VerifyArguments),
    /// Show the latest runs.
    Status {
        /// How many.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=100))]
        count: u16,
    },
    /// Show the shards of a run.
    Shards(ShardsArguments),
    /// Print the objects of a shard.
    Manifest(ManifestArguments),
    /// Print the policy documents of both accounts, for review and for pasting.
    ///
    /// With --stack or --local they are those of the stack; arguments override, or stand alone for a pair without a
    /// stack.
    Policy(Box<PolicyArguments>),
    /// Show whether what is written at the source starts runs, what waits, and what could not be taken.
    ///
    /// Exit code: 1 when the source sends no events, or there are dead letters.
    Events(EventsArguments),
}

/// What to do about events.
#[derive(Debug, Args)]
pub(crate) struct EventsArguments {
    /// The bucket whose events they are; by default that of the stack.
    #[arg(long, global = true, value_parser = checked(BucketName::new), value_name = "NAME")]
    pub(crate) source_bucket: Option<BucketName>,
    #[command(subcommand)]
    pub(crate) command: Option<EventsCommand>,
}

/// What to do about events.
#[derive(Debug, Subcommand)]
pub(crate) enum EventsCommand {
    /// Show how it stands. This is the default.
    Status,
    /// Let the source bucket send its events to EventBridge; what else its notification configuration says stays.
    On {
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Let it send no events any more.
    Off {
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Put the dead letters back into the queue.
    Redrive,
}

/// How a run is started.
#[derive(Debug, Args)]
pub(crate) struct StartArguments {
    /// The input: JSON, or @ and a file. What it leaves open comes from the stack's parameters.
    #[arg(long, default_value = "{}", value_name = "JSON|@FILE")]
    pub(crate) input: String,
    /// Take the objects from this list: it is uploaded to the control bucket, and source.list added to the input.
    #[arg(long, value_name = "FILE", conflicts_with = "rerun_of")]
    pub(crate) list: Option<PathBuf>,
    /// How the list is read; by default told by its name (.csv, .jsonl, .parquet, .gz and .zst behind the first two).
    #[arg(long, value_parser = list_format, value_name = "FORMAT", requires = "list")]
    pub(crate) list_format: Option<ListFormat>,
    /// Rerun this run: do what it left undone, and nothing else.
    #[arg(long, value_parser = checked(RunId::new), value_name = "RUN_ID", conflicts_with = "input")]
    pub(crate) rerun_of: Option<RunId>,
    /// Of the run to rerun, just this shard. May be repeated.
    #[arg(long = "shard", value_parser = checked(ShardId::new), value_name = "SHARD_ID", requires = "rerun_of")]
    pub(crate) shards: Vec<ShardId>,
    /// The run's id; by default made from the time.
    #[arg(long, value_parser = checked(RunId::new), value_name = "RUN_ID")]
    pub(crate) name: Option<RunId>,
    /// Stay, show progress, and end with the report.
    #[arg(long)]
    pub(crate) watch: bool,
}

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
    /// Save report.html, report.json, failures.csv, shards.json and, where the target differs, differences.csv in this folder.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) save: Option<PathBuf>,
}

/// What is compared with the target, and how it is told.
#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    /// The run.
    #[arg(value_parser = checked(RunId::new))]
    pub(crate) run: RunId,
    /// The profile that lists the target, where that of the stack may not: one of the target account.
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
    /// One JSON object a line, with the keys exactly as they are, instead of a table with tabs.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which policy documents, for which pair.
#[derive(Debug, Args)]
pub(crate) struct PolicyArguments {
    /// One document as plain JSON; without it all of them, with headings.
    pub(crate) document: Option<DocumentName>,
    #[command(flatten)]
    pub(crate) pair: PairArguments,
    /// A role that may enter the target account, instead of the stack's three. May be repeated.
    #[arg(long = "function-role", value_name = "ARN", value_parser = checked(RoleArn::new))]
    pub(crate) function_roles: Vec<RoleArn>,
    /// Allow deletions at the target, which mode mirror needs.
    #[arg(long)]
    pub(crate) mirror: bool,
    /// For a role that only audits: the target role may list the target, and nothing else.
    #[arg(long, conflicts_with_all = ["mirror", "acls"])]
    pub(crate) audits_only: bool,
    /// Allow access control lists on writes, which runs with acl need.
    #[arg(long)]
    pub(crate) acls: bool,
    /// Leave out the rights to tags and annotations, for runs with tags: ignore.
    #[arg(long)]
    pub(crate) without_tags: bool,
    /// Leave out the rights to annotations, where S3 refuses a bucket policy because it does not know these actions.
    #[arg(long)]
    pub(crate) without_annotations: bool,
    /// The KMS key of the source's objects.
    #[arg(long, value_name = "ARN", value_parser = checked(KmsKeyArn::new))]
    pub(crate) source_key: Option<KmsKeyArn>,
    /// The KMS key that encrypts at the target.
    #[arg(long, value_name = "ARN", value_parser = checked(KmsKeyArn::new))]
    pub(crate) target_key: Option<KmsKeyArn>,
    /// Refuse everybody at the target bucket but the role, the account's root and this ARN (a pattern). May be repeated.
    #[arg(long = "administrator", value_name = "ARN")]
    pub(crate) administrators: Vec<String>,
    /// Merge the document into the existing policy in this file.
    #[arg(long, value_name = "FILE", requires = "document")]
    pub(crate) merge: Option<PathBuf>,
    /// All documents as one JSON object.
    #[arg(long, conflicts_with = "document")]
    pub(crate) json: bool,
}

/// The pair, as far as it is not the stack's.
#[derive(Debug, Args)]
pub(crate) struct PairArguments {
    /// The account of the source bucket.
    #[arg(long, value_name = "ID", value_parser = checked(AccountId::new))]
    pub(crate) source_account: Option<AccountId>,
    /// The source bucket.
    #[arg(long, value_name = "NAME", value_parser = checked(BucketName::new))]
    pub(crate) source_bucket: Option<BucketName>,
    /// The source prefix.
    #[arg(long, value_name = "PREFIX", value_parser = checked(KeyPrefix::new))]
    pub(crate) source_prefix: Option<KeyPrefix>,
    /// The target bucket.
    #[arg(long, value_name = "NAME", value_parser = checked(BucketName::new))]
    pub(crate) target_bucket: Option<BucketName>,
    /// The target prefix.
    #[arg(long, value_name = "PREFIX", value_parser = checked(KeyPrefix::new))]
    pub(crate) target_prefix: Option<KeyPrefix>,
    /// The role in the target account.
    #[arg(long, value_name = "ARN", value_parser = checked(RoleArn::new))]
    pub(crate) role_arn: Option<RoleArn>,
    /// The external id that its trust policy asks for.
    #[arg(long, value_name = "ID", value_parser = checked(ExternalId::new))]
    pub(crate) external_id: Option<ExternalId>,
}

/// The documents, in the order in which they are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DocumentName {
    /// What the source bucket's policy must contain.
    SourceBucket,
    /// The target role's permissions.
    TargetRole,
    /// Who may assume the target role.
    TargetTrust,
    /// What the target bucket's policy must contain.
    TargetBucket,
    /// The planner's permissions.
    PlannerRole,
    /// The copier's permissions.
    CopierRole,
    /// The reporter's permissions.
    ReporterRole,
    /// What the reporter's role may do in addition, where the stack starts runs from events.
    ReporterOfEvents,
    /// The intake's permissions, where the stack starts runs from events.
    IntakeRole,
    /// What the policy of the source's KMS key must contain.
    SourceKey,
    /// What the policy of the target's KMS key must contain.
    TargetKey,
}

/// A format of lists that are one file.
fn list_format(text: &str) -> Result<ListFormat, String> {
    let format = ListFormat::named(text).filter(|format| *format != ListFormat::Inventory);
    format.ok_or_else(|| {
        "expected csv, jsonl, parquet or receipts; an inventory stays where it lies: name it in source.list".to_owned()
    })
}

/// A parser of arguments from a constructor of the domain.
fn checked<T: Clone + Send + Sync + 'static, E: std::fmt::Display + 'static>(
    new: fn(String) -> Result<T, E>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    move |text: &str| new(text.to_owned()).map_err(|invalid| invalid.to_string())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_rerun_takes_no_other_input() {
        let parses = |arguments: &[&str]| {
            let start = ["shardlift", "start"].iter().chain(arguments);
            Arguments::try_parse_from(start).is_ok()
        };
        assert!(parses(&[
            "--rerun-of",
            "a",
            "--shard",
            "2-1",
            "--shard",
            "2-7"
        ]));
        assert!(!parses(&["--rerun-of", "a", "--input", "{}"]));
        assert!(!parses(&["--shard", "2-1"]));
    }

    #[test]
    fn a_run_id_that_could_leave_its_folder_is_refused() {
        assert!(Arguments::try_parse_from(["shardlift", "watch", "../x"]).is_err());
        assert!(Arguments::try_parse_from(["shardlift", "manifest", "run", "a/b"]).is_err());
    }
}
