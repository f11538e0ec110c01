//! `shardlift`, the operator's command.

use std::process::ExitCode;

use anyhow::Context;
use shardlift_cli::{Arguments, CommandError, Ending, Screen};

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::of_process();
    let mut screen = Screen::standard();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the asynchronous runtime cannot be built")?;
    let ending = match runtime.block_on(shardlift_cli::run(arguments, &mut screen)) {
        Ok(ending) => ending,
        // `shardlift manifest … | head`: whoever reads has read enough.
        Err(CommandError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            Ending::Good
        }
        Err(error) => {
            screen.error(&error)?;
            Ending::Broken
        }
    };
    Ok(ExitCode::from(ending.code()))
}
