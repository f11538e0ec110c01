//! What to do after a run, with the command that does it.

use shardlift_core::{
    report::{Remedy, view::NextStep},
    value::id::RunId,
};

use crate::{Screen, screen::Tone, shell};

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
        if let Some(command) = command(step, run, typed) {
            writeln!(screen.out(), "      shardlift {flags}{command}")?;
        }
    }
    Ok(())
}

/// The subcommand that takes a step, if one does.
fn command(step: &NextStep, run: &RunId, typed: Option<&str>) -> Option<String> {
    let quoted = &shell::quoted(run);
    Some(match step {
        NextStep::SaveDocuments | NextStep::DecideAboutExtras => {
            format!("report {quoted} --save {quoted}")
        }
        NextStep::ListFailures => format!("report {quoted} --failures"),
        NextStep::InspectShards => format!("shards {quoted} --not-done"),
        // Shows the shards of deletions, whose manifests name the keys.
        NextStep::AllowDeletions => format!("shards {quoted}"),
        NextStep::WaitForCopiers(_) => return None,
        NextStep::Start(Remedy::Rerun { of }) => {
            format!("start --rerun-of {} --watch", shell::quoted(of))
        }
        NextStep::StartCorrected => with_input(typed.filter(|it| is_shown(it)).unwrap_or("…")),
        NextStep::StartAgain(None) => format!("start --input-of {quoted} --watch"),
        NextStep::StartCopying(None) => {
            format!("start --input-of {quoted} --dry-run=false --watch")
        }
        NextStep::Start(Remedy::Ordinary { .. })
        | NextStep::StartAgain(Some(_))
        | NextStep::StartCopying(Some(_)) => with_input(step.input().as_deref().unwrap_or("…")),
    })
}

fn with_input(input: &str) -> String {
    format!("start --input {} --watch", shell::quoted_text(input))
}

/// An external id stands on no screen, and what is no JSON would not be one line.
fn is_shown(typed: &str) -> bool {
    let is_json = serde_json::from_str::<serde_json::Value>(typed).is_ok();
    is_json && typed.is_ascii() && !typed.contains("external_id") && !typed.contains('\n')
}
