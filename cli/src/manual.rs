//! Completions for shells, and manual pages: both are made from the arguments, so they name every option.

use std::path::Path;

use clap::CommandFactory;
use serde_json::json;

use crate::{Arguments, Ending, Screen, error::CommandError};

/// Prints the script that a shell completes this command with.
pub(crate) fn completions(
    shell: clap_complete::Shell,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    if screen.is_json() {
        return Err(CommandError::usage(
            "a shell does not read JSON: leave out --output json",
        ));
    }
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "shardlift", &mut script);
    screen.out().write_all(&script)?;
    Ok(Ending::Good)
}

/// Writes a page for the command and one for each of its subcommands. Pages that are there are replaced.
pub(crate) fn write_pages(folder: &Path, screen: &mut Screen) -> Result<Ending, CommandError> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(with_all_options(Arguments::command()), folder)?;
    let mut pages = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        if let Some(name) = name.filter(|name| name.starts_with("shardlift")) {
            pages.push(folder.join(name).display().to_string());
        }
    }
    pages.sort();
    if screen.is_json() {
        screen.json(json!({"pages": pages}))?;
    } else {
        screen.note(&format!("{} pages in {}", pages.len(), folder.display()))?;
    }
    Ok(Ending::Good)
}

/// The command with the options that its help has no room for.
fn with_all_options(command: clap::Command) -> clap::Command {
    command
        .disable_help_subcommand(true)
        .mut_args(|argument| argument.hide(false))
        .mut_subcommands(with_all_options)
}
