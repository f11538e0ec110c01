//! What a person types.

use std::path::PathBuf;

use clap::{
    ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, error::ErrorKind,
    parser::ValueSource,
};
use shardlift_core::value::id::RunId;

use crate::{
    checked_value::checked,
    events_arguments::EventsArguments,
    output_format::OutputFormat,
    policy_arguments::PolicyArguments,
    run_arguments::{
        FailuresArguments, ManifestArguments, ReportArguments, RerunArguments, ShardsArguments,
        StopArguments, VerifyArguments,
    },
    start_arguments::{PlanArguments, StartArguments},
};

/// What the help says below the options.
const ABOUT: &str = "\
Credentials and Region come from the usual places of the AWS SDK.

Exit code: 0 all is well; 1 INCOMPLETE, different, or in need of attention;
2 the command was wrong, or could not do or find out what was asked.

Example:
  shardlift --stack shardlift start --mode sync --watch";

/// Starts runs of a Shardlift stack, watches them, and shows what became of them.
#[derive(Debug, Parser)]
#[command(
    name = "shardlift",
    version,
    max_term_width = 80,
    disable_help_subcommand = true,
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
#[command(next_help_heading = "Stack and output")]
pub(crate) struct StackArguments {
    /// The CloudFormation stack, or SHARDLIFT_STACK.
    #[arg(
        long,
        env = "SHARDLIFT_STACK",
        global = true,
        value_name = "NAME",
        hide_env = true
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
    /// text or json (docs/JSON.md); failures also has csv.
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        value_enum,
        default_value = "text",
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub(crate) output: OutputFormat,
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
    /// Show the pairs, their next runs, and the latest runs.
    #[command(after_help = "Example:\n  shardlift status --count 30")]
    Status {
        /// How many.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=100))]
        count: u16,
    },
    /// Show the report of a run.
    #[command(after_help = "Example:\n  shardlift report nightly-2026-11-22 --save out")]
    Report(ReportArguments),
    /// Show what failed in a run, why, and what to do about it.
    #[command(
        after_help = "Exit code: that of the run's report.\n\nExample:\n  shardlift failures nightly-2026-11-22 --output csv >failures.csv"
    )]
    Failures(FailuresArguments),
    /// Start what a run left undone, as its report says.
    #[command(after_help = "Example:\n  shardlift rerun nightly-2026-11-22 --watch")]
    Rerun(RerunArguments),
    /// Stop a run, and abort the uploads that it left.
    #[command(
        after_help = "It waits for the copiers, which end within 15 minutes. No object is deleted.\nA second call does what the first could not do.\n\nExit code: 1 when uploads are left, or may be.\n\nExample:\n  shardlift stop nightly-2026-11-22 --target-profile target"
    )]
    Stop(StopArguments),
    /// Show the shards of a run.
    #[command(after_help = "Example:\n  shardlift shards nightly-2026-11-22 --not-done")]
    Shards(ShardsArguments),
    /// Print the objects of a shard.
    #[command(after_help = "Example:\n  shardlift manifest nightly-2026-11-22 2-17 --json")]
    Manifest(ManifestArguments),
    /// Compare the target as it is now with what a run proved.
    #[command(after_help = "Example:\n  shardlift verify nightly-2026-11-22 --csv differences.csv")]
    Verify(VerifyArguments),
    /// Check the stack, the target role and both buckets without a run.
    #[command(
        after_help = "It reads what your own credentials may see, and changes nothing. To\ntest what the functions themselves may do, use a dry run: shardlift plan.\n\nExit code: 1 when something must be fixed.\n\nExample:\n  shardlift doctor --target-profile target"
    )]
    Doctor(DoctorArguments),
    /// Print the address of a run, or of all, in the console.
    #[command(after_help = "Example:\n  shardlift console nightly-2026-11-22")]
    Console {
        /// The run.
        #[arg(value_parser = checked(RunId::new))]
        run: Option<RunId>,
    },
    /// Print the policy documents of both accounts.
    #[command(after_help = "Example:\n  shardlift policy source-bucket --merge old.json")]
    Policy(Box<PolicyArguments>),
    /// Show and switch what starts runs from events of the source.
    #[command(
        after_help = "Exit code: 1 when the source sends no events, or there are dead letters.\n\nExample:\n  shardlift events on"
    )]
    Events(EventsArguments),
    /// Print what a shell needs to complete this command.
    #[command(
        after_help = "Example:\n  shardlift completions bash >~/.local/share/bash-completion/completions/shardlift"
    )]
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Write the manual pages to a folder.
    #[command(
        hide = true,
        after_help = "Example:\n  shardlift man --dir ~/.local/share/man/man1"
    )]
    Man {
        /// The folder.
        #[arg(long, value_name = "FOLDER")]
        dir: PathBuf,
    },
}

impl Command {
    /// Its name, as a JSON document says it.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Start(_) => "start",
            Self::Plan(_) => "plan",
            Self::Watch { .. } => "watch",
            Self::Status { .. } => "status",
            Self::Report(_) => "report",
            Self::Failures(_) => "failures",
            Self::Rerun(_) => "rerun",
            Self::Stop(_) => "stop",
            Self::Shards(_) => "shards",
            Self::Manifest(_) => "manifest",
            Self::Verify(_) => "verify",
            Self::Doctor(_) => "doctor",
            Self::Console { .. } => "console",
            Self::Policy(_) => "policy",
            Self::Events(_) => "events",
            Self::Completions { .. } => "completions",
            Self::Man { .. } => "man",
        }
    }
}

/// What is checked.
#[derive(Debug, Args)]
pub(crate) struct DoctorArguments {
    /// A profile of the target account: the role and the target bucket are
    /// checked, too.
    #[arg(long, value_name = "NAME")]
    pub(crate) target_profile: Option<String>,
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
