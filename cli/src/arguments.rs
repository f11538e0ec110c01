//! What a person types.

use std::path::PathBuf;

use clap::{
    ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, error::ErrorKind,
    parser::ValueSource,
};
use shardlift_core::value::id::{RunId, ShardId};

use crate::{
    checked_value::checked,
    events_arguments::EventsArguments,
    policy_arguments::PolicyArguments,
    start_arguments::{PlanArguments, StartArguments},
};

/// What the help says below the options.
const ABOUT: &str = "\
Credentials and Region come from the usual places of the AWS SDK. Who may not
read the stack names its parts: --state-machine, --ledger-table and
--control-bucket.

Exit code: 0 when a run ended COMPLETE or PLANNED or the target is what it
proved, 1 when the run ended INCOMPLETE or the target differs, 2 when the run
ended without a report, the target could not be compared, or the command was
wrong.

Example:
  shardlift --stack shardlift start --mode sync --watch";

/// Starts runs of a Shardlift stack, watches them, and shows what became of them.
#[derive(Debug, Parser)]
#[command(
    name = "shardlift",
    version,
    max_term_width = 80,
    after_help = ABOUT
)]
pub struct Arguments {
    #[command(flatten)]
    pub(crate) stack: StackArguments,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Which stack. Its parts one by one are for people who may not read the stack: the help leaves them out.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which stack")]
pub(crate) struct StackArguments {
    /// The CloudFormation stack in the source account.
    #[arg(
        long,
        env = "SHARDLIFT_STACK",
        global = true,
        value_name = "NAME",
        hide_env_values = true
    )]
    pub(crate) stack: Option<String>,
    /// The stack of `make local-up` instead.
    #[arg(long, global = true)]
    pub(crate) local: bool,
    /// Where --local finds the outputs.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = ".local/outputs.json",
        env = "SHARDLIFT_LOCAL_OUTPUTS",
        hide = true
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
        value_name = "ARN",
        hide = true
    )]
    pub(crate) state_machine: Option<String>,
    /// The ledger table, instead of --stack.
    #[arg(
        long,
        env = "SHARDLIFT_LEDGER_TABLE",
        global = true,
        value_name = "NAME",
        hide = true
    )]
    pub(crate) ledger_table: Option<String>,
    /// The control bucket, instead of --stack.
    #[arg(
        long,
        env = "SHARDLIFT_CONTROL_BUCKET",
        global = true,
        value_name = "NAME",
        hide = true
    )]
    pub(crate) control_bucket: Option<String>,
}

impl Arguments {
    /// The arguments of this process. Ends it where they are wrong.
    #[must_use]
    pub fn of_process() -> Self {
        let mut command = Self::command();
        Self::of(&command.clone().get_matches()).unwrap_or_else(|error| {
            error.format(&mut command).exit();
        })
    }

    fn of(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let is_typed = |name| matches.value_source(name) == Some(ValueSource::CommandLine);
        let ways = [
            ("local", "--local"),
            ("stack", "--stack"),
            ("state_machine", "--state-machine"),
        ];
        let typed: Vec<_> = ways
            .into_iter()
            .filter(|&(name, _)| is_typed(name))
            .map(|(_, flag)| flag)
            .collect();
        // A variable of the environment gives way.
        if let [first, second, ..] = typed[..] {
            return Err(clap::Error::raw(
                ErrorKind::ArgumentConflict,
                format!("{first} and {second} each name a stack: leave one of them out\n"),
            ));
        }
        Self::from_arg_matches(matches)
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a run.
    #[command(
        after_help = "Example:\n  shardlift start --source s3://from/data/ --exclude '**.tmp' --watch"
    )]
    Start(Box<StartArguments>),
    /// Plan a run and show what it would do; nothing is copied.
    #[command(after_help = "Example:\n  shardlift plan --mode mirror")]
    Plan(PlanArguments),
    /// Watch a run until it ends, then show its report.
    #[command(after_help = "Example:\n  shardlift watch nightly-2026-11-22")]
    Watch {
        /// The run.
        #[arg(value_parser = checked(RunId::new))]
        run: RunId,
    },
    /// Show the report of a run.
    #[command(after_help = "Example:\n  shardlift report nightly-2026-11-22 --failures")]
    Report(ReportArguments),
    /// List the target now, and say whether it still is what a run proved.
    #[command(after_help = "Example:\n  shardlift verify nightly-2026-11-22 --csv differences.csv")]
    Verify(VerifyArguments),
    /// Show the latest runs.
    #[command(after_help = "Example:\n  shardlift status --count 30")]
    Status {
        /// How many.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=100))]
        count: u16,
    },
    /// Show the shards of a run.
    #[command(after_help = "Example:\n  shardlift shards nightly-2026-11-22 --not-done")]
    Shards(ShardsArguments),
    /// Print the address of a run, or of the state machine, in the console.
    #[command(after_help = "Example:\n  shardlift console nightly-2026-11-22")]
    Console {
        /// The run.
        #[arg(value_parser = checked(RunId::new))]
        run: Option<RunId>,
    },
    /// Print the objects of a shard.
    #[command(after_help = "Example:\n  shardlift manifest nightly-2026-11-22 2-17 --json")]
    Manifest(ManifestArguments),
    /// Print the policy documents of both accounts.
    #[command(after_help = "Example:\n  shardlift policy source-bucket --merge old.json")]
    Policy(Box<PolicyArguments>),
    /// Show and switch what starts runs from events of the source.
    ///
    /// Exit code: 1 when the source sends no events, or there are dead letters.
    #[command(after_help = "Example:\n  shardlift events on")]
    Events(EventsArguments),
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
    /// Save the page and the lists in this folder.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_help_fits_a_terminal_and_has_an_example() {
        const LINES_MAX: usize = 40;
        let command = Arguments::command().term_width(80);
        let names = command.get_subcommands().map(|it| Some(it.get_name()));
        for name in names.chain([None]) {
            let line = ["shardlift"].into_iter().chain(name).chain(["--help"]);
            // As it is printed: clap has another layout where anything has a longer help.
            let help = command.clone().try_get_matches_from(line).unwrap_err();
            let help = help.to_string();
            let lines = help.lines().count();
            assert!(lines <= LINES_MAX, "{name:?}: {lines}\n{help}");
            assert!(
                help.lines().all(|line| line.chars().count() <= 80),
                "{help}"
            );
            assert!(help.contains("Example:\n  shardlift "), "{help}");
        }
    }

    #[test]
    fn two_stacks_are_one_too_many() {
        let read = |arguments: &[&str]| {
            let line = ["shardlift"].iter().chain(arguments);
            Arguments::of(&Arguments::command().try_get_matches_from(line).unwrap())
        };
        let error = read(&["--local", "--stack", "s", "status"]).unwrap_err();
        assert!(error.to_string().contains("--local and --stack each name"));
        let error = read(&["status", "--local", "--stack", "s"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ArgumentConflict);
        assert!(read(&["--local", "status"]).unwrap().stack.local);
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
