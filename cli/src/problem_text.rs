//! A problem of a run, laid out for a terminal.

use shardlift_core::{report::view::ProblemEntry, value::printable::Printable};

use crate::{Screen, screen::Tone};

/// What a problem is.
pub(crate) fn write_problem_message(
    problem: &ProblemEntry,
    flags: &str,
    screen: &mut Screen,
) -> std::io::Result<()> {
    let title = screen.toned(Tone::Bad, &Printable(&problem.title).to_string());
    writeln!(screen.out(), "\n  {}: {title}", problem.kind.heading())?;
    // What AWS said is prose to its end, and so is why a call was refused; the rest is set in to be pasted.
    let mut is_prose = false;
    for line in problem.message.lines() {
        is_prose |= line.starts_with("AWS reported:");
        if is_prose || line.starts_with("  why:") {
            screen.paragraph(Tone::Plain, 4, &Printable(line).to_string())?;
        } else {
            write_line(line, flags, screen)?;
        }
    }
    Ok(())
}

/// What a person does about it.
pub(crate) fn write_problem_action(
    problem: &ProblemEntry,
    screen: &mut Screen,
) -> std::io::Result<()> {
    let action = format!("What to do: {}", Printable(&problem.action));
    screen.paragraph(Tone::Plain, 4, &action)
}

/// Lines that are set further in (statements, commands) stay as they are, to be pasted; a sentence is wrapped.
fn write_line(line: &str, flags: &str, screen: &mut Screen) -> std::io::Result<()> {
    let shown = Printable(line).to_string();
    match shown.trim_start().strip_prefix("shardlift policy ") {
        Some(rest) => writeln!(screen.out(), "      shardlift {flags}policy {rest}"),
        None if shown.starts_with(' ') || shown.is_empty() => {
            writeln!(screen.out(), "{}", format!("    {shown}").trim_end())
        }
        None => screen.paragraph(Tone::Plain, 4, &shown),
    }
}
