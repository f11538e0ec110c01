//! The command that takes a next step.

use super::next_step::NextStep;
use crate::{report::remedy::Remedy, value::id::RunId};

impl NextStep {
    /// What a person types to take the step after a run, if a command does. `flags` name the stack, with a space behind them;
    /// `typed` is the input of the run, where it is to be corrected.
    #[must_use]
    pub fn command(&self, run: &RunId, flags: &str, typed: Option<&str>) -> Option<String> {
        let quoted = &quoted(run.as_str());
        let command = match self {
            Self::SaveDocuments | Self::DecideAboutExtras => {
                format!("report {quoted} --save {quoted}")
            }
            Self::ListFailures => format!("failures {quoted}"),
            Self::InspectShards => format!("shards {quoted} --not-done"),
            // Shows the shards of deletions, whose manifests name the keys.
            Self::AllowDeletions => format!("shards {quoted}"),
            Self::WaitForCopiers(_) => return None,
            Self::Start(Remedy::Rerun { of }) => {
                format!("start --rerun-of {} --watch", self::quoted(of.as_str()))
            }
            Self::StartCorrected => with_input(typed.filter(|it| is_shown(it)).unwrap_or("…")),
            Self::StartAgain(None) => format!("start --input-of {quoted} --watch"),
            Self::StartCopying(None) => {
                format!("start --input-of {quoted} --dry-run=false --watch")
            }
            Self::Start(Remedy::Ordinary { .. })
            | Self::StartAgain(Some(_))
            | Self::StartCopying(Some(_)) => with_input(self.input().as_deref().unwrap_or("…")),
        };
        Some(format!("shardlift {flags}{command}"))
    }

    /// Whether the step starts a run.
    #[must_use]
    pub const fn starts_a_run(&self) -> bool {
        matches!(
            self,
            Self::Start(_) | Self::StartAgain(_) | Self::StartCorrected | Self::StartCopying(_)
        )
    }
}

fn with_input(input: &str) -> String {
    format!("start --input {} --watch", quoted(input))
}

/// A text as a shell takes it: the name of an execution may have quotes and parentheses.
fn quoted(text: &str) -> String {
    // Only a NUL cannot be quoted: neither a run id nor JSON has one.
    shlex::try_quote(text).map_or_else(|_| text.to_owned(), Into::into)
}

/// An external id stands on no screen, and what is no JSON would not be one line.
fn is_shown(typed: &str) -> bool {
    let is_json = serde_json::from_str::<serde_json::Value>(typed).is_ok();
    is_json && typed.is_ascii() && !typed.contains("external_id") && !typed.contains('\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_pasted_whatever_the_run_is_called() {
        let run = RunId::new("it's-(mine)").unwrap();
        let again = NextStep::StartAgain(None);
        assert_eq!(
            again.command(&run, "--stack s ", None).unwrap(),
            "shardlift --stack s start --input-of \"it's-(mine)\" --watch"
        );
    }

    #[test]
    fn a_refused_input_is_shown_unless_it_names_an_external_id() {
        let run = RunId::new("nightly-1").unwrap();
        let command = |typed| {
            NextStep::StartCorrected
                .command(&run, "", Some(typed))
                .unwrap()
        };
        assert_eq!(
            command(r#"{"mode":"cop"}"#),
            r#"shardlift start --input '{"mode":"cop"}' --watch"#
        );
        let hidden = command(r#"{"target":{"external_id":"secret"}}"#);
        assert!(!hidden.contains("secret"), "{hidden}");
    }
}
