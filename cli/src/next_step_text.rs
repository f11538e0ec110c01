//! What to do after a run, with the command that does it.

use shardlift_core::{report::view::NextStep, value::id::RunId};

use crate::{Screen, screen::Tone};

/// The steps, each with the command that takes it. `typed` is the input of the run, where it is to be corrected.
pub(crate) fn write_next_steps(
    steps: &[NextStep],
    run: &RunId,
    flags: &str,
    typed: Option<&str>,
    screen: &mut Screen,
) -> std::io::Result<()> {
    if steps.is_empty() {
        return Ok(());
    }
    let heading = screen.toned(Tone::Strong, "Next steps");
    writeln!(screen.out(), "\n  {heading}")?;
    for step in steps {
        screen.paragraph(Tone::Plain, 4, &step.sentence())?;
        if let Some(command) = step.command(run, flags, typed) {
            writeln!(screen.out(), "      {command}")?;
        }
    }
    Ok(())
}
