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
mod error;
mod events;
mod events_arguments;
mod failure_table;
mod field_arguments;
mod list_upload;
mod listing_progress;
mod machine;
mod next_step_text;
mod object_table;
mod policy_arguments;
mod policy_facts;
mod policy_print;
mod proven_run;
mod report_text;
mod run_progress;
mod run_table;
mod screen;
mod shard_table;
mod shell;
mod snapshot;
mod speed;
mod start;
mod start_arguments;
mod verify;
mod watch;

pub use arguments::Arguments;
pub use error::CommandError;
pub use screen::Screen;

use arguments::{Command, StackArguments};
use connection::Connection;
use deployment::Deployment;

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
        Command::Policy(policy) => policy_print::print(&stack, &policy, screen).await,
        Command::Start(start) => start::start(&connect(&stack).await?, *start, screen).await,
        Command::Plan(plan) => start::plan(&connect(&stack).await?, plan, screen).await,
        Command::Console { run } => {
            let address = connect(&stack).await?.machine.console_url(run.as_ref())?;
            writeln!(screen.out(), "{address}")?;
            Ok(Ending::Good)
        }
        Command::Watch { run } => watch::watch(&connect(&stack).await?, &run, screen).await,
        Command::Report(report) => {
            report_text::show(&connect(&stack).await?, &report, screen).await
        }
        Command::Status { count } => run_table::show(&connect(&stack).await?, count, screen).await,
        Command::Shards(shards) => {
            shard_table::show(&connect(&stack).await?, &shards, screen).await
        }
        Command::Verify(verify) => {
            verify::check(&stack, &verify)?;
            let connection = connect(&stack).await?;
            verify::verify(&connection, &stack, &verify, screen).await
        }
        Command::Events(asked) => events::run(&stack, &asked, screen).await,
        Command::Manifest(manifest) => {
            object_table::show(&connect(&stack).await?, &manifest, screen).await
        }
    }
}

async fn connect(stack: &StackArguments) -> Result<Connection, CommandError> {
    Ok(Connection::open(Deployment::find(stack).await?))
}
