//! The operator's command: starts runs, watches them, and shows what is in the ledger and the control bucket.
//!
//! [`Arguments`] is what a person types, [`Deployment`] finds the stack, [`Connection`] opens it, and
//! [`run`] does what was asked. Everything that came from outside is printed through
//! [`Printable`](shardlift_core::value::printable::Printable), so that no key can act on a terminal.

mod arguments;
mod checked_value;
mod connection;
mod credentials;
mod deployment;
mod difference_list;
mod doctor;
mod error;
mod events;
mod events_arguments;
mod failure_table;
mod failures;
mod field_arguments;
mod json_output;
mod list_upload;
mod listing_progress;
mod machine;
mod manual;
mod next_step_text;
mod object_table;
mod output_format;
mod pair_name;
mod policy_arguments;
mod policy_facts;
mod policy_print;
mod problem_text;
mod proven_run;
mod report_text;
mod rerun;
mod run_arguments;
mod run_end;
mod run_progress;
mod schedule;
mod schedules;
mod screen;
mod shard_table;
mod shell;
mod snapshot;
mod speed;
mod start;
mod start_arguments;
mod status;
mod stop;
mod verify;
mod watch;

pub use arguments::Arguments;
pub use error::CommandError;
pub use screen::Screen;

use arguments::{Command, StackArguments};
use connection::Connection;
use deployment::Deployment;
use shardlift_core::value::id::RunId;

/// How the command ends: its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// 0: it did what was asked; a run ended COMPLETE or PLANNED, a target is what the run proved.
    Good,
    /// 1: the run ended INCOMPLETE, or the target differs.
    Incomplete,
    /// 2: the run ended without a report, or the target could not be compared; a wrong command ends so too.
    Broken,
}

impl Ending {
    /// The exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Incomplete => 1,
            Self::Broken => 2,
        }
    }
}

/// Does what was asked.
///
/// # Errors
/// [`CommandError`] when the arguments contradict each other, the stack cannot be found, or a call to AWS fails.
pub async fn run(arguments: Arguments, screen: &mut Screen) -> Result<Ending, CommandError> {
    let Arguments { stack, command } = arguments;
    let is_local = stack.local;
    screen.format = stack.output;
    screen.command = command.name();
    let has_csv = matches!(command, Command::Failures(_));
    if screen.is_csv() && !has_csv {
        return Err(CommandError::usage(
            "--output csv is for shardlift failures; the other commands have json",
        ));
    }
    let ending = take(stack, command, screen).await;
    ending.map_err(|error| match is_local {
        true => error.of_local_stack(),
        false => error,
    })
}

async fn take(
    stack: StackArguments,
    command: Command,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    match command {
        // The documents can be made for a pair that has no stack yet.
        Command::Policy(policy) => return policy_print::print(&stack, &policy, screen).await,
        Command::Completions { shell } => return manual::completions(shell, screen),
        Command::Man { dir } => return manual::write_pages(&dir, screen),
        Command::Doctor(asked) => return doctor::check(&stack, &asked, screen).await,
        Command::Status { count } => return status::show(&stack, count, screen).await,
        Command::Events(asked) => return events::run(&stack, &asked, screen).await,
        Command::Verify(_) | Command::Stop(_) => target_profile_is_of_use(&stack, &command)?,
        _ => {}
    }
    let connection = Connection::open(Deployment::find(&stack).await?);
    of_runs(&stack, &connection, command, screen).await
}

/// The commands about runs of a stack.
async fn of_runs(
    stack: &StackArguments,
    connection: &Connection,
    command: Command,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    match command {
        Command::Start(asked) => start::start(connection, *asked, screen).await,
        Command::Plan(asked) => start::plan(connection, asked, screen).await,
        Command::Console { run } => console(connection, run.as_ref(), screen),
        Command::Watch { run } => watch::watch(connection, &run, screen).await,
        Command::Report(asked) => report_text::show(connection, &asked, screen).await,
        Command::Failures(asked) => failures::show(connection, &asked, screen).await,
        Command::Rerun(asked) => rerun::rerun(connection, asked, screen).await,
        Command::Stop(asked) => stop::stop(stack, connection, &asked, screen).await,
        Command::Shards(asked) => shard_table::show(connection, &asked, screen).await,
        Command::Verify(asked) => verify::verify(connection, stack, &asked, screen).await,
        Command::Manifest(asked) => object_table::show(connection, &asked, screen).await,
        Command::Policy(_)
        | Command::Completions { .. }
        | Command::Man { .. }
        | Command::Doctor(_)
        | Command::Status { .. }
        | Command::Events(_) => Err(CommandError::usage("this command opens no stack")),
    }
}

/// Refuses what makes no sense before anything is read.
fn target_profile_is_of_use(stack: &StackArguments, command: &Command) -> Result<(), CommandError> {
    let profile = match command {
        Command::Verify(asked) => &asked.target_profile,
        Command::Stop(asked) => &asked.target_profile,
        _ => &None,
    };
    if stack.local && profile.is_some() {
        return Err(CommandError::usage(
            "--target-profile is not for the local stack, which has credentials of both accounts: leave it out",
        ));
    }
    Ok(())
}

fn console(
    connection: &Connection,
    run: Option<&RunId>,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let address = connection.machine.console_url(run)?;
    if screen.is_json() {
        screen.json(serde_json::json!({"run_id": run, "url": address}))?;
    } else {
        writeln!(screen.out(), "{address}")?;
    }
    Ok(Ending::Good)
}
