//! The command that takes a next step.

use serde_json::Value;

use super::next_step::NextStep;
use crate::{report::remedy::Remedy, run::list::LISTS_FOLDER, value::id::RunId};

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
            Self::StartCorrected => corrected(typed),
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

/// The refused input, to be corrected. A list that was uploaded for the run is uploaded again, corrected, too.
fn corrected(typed: Option<&str>) -> String {
    let Some(typed) = typed.filter(|it| is_shown(it)) else {
        return with_input("…");
    };
    match without_uploaded_list(typed) {
        Some(rest) if rest == "{}" => "start --list FILE --watch".to_owned(),
        Some(rest) => format!("start --list FILE --input {} --watch", quoted(&rest)),
        None => with_input(typed),
    }
}

/// The input without its list, if that was uploaded for the run.
fn without_uploaded_list(typed: &str) -> Option<String> {
    let mut input: Value = serde_json::from_str(typed).ok()?;
    let source = input.get_mut("source")?.as_object_mut()?;
    let key = source.get("list")?.get("key")?.as_str()?;
    if !key.starts_with(LISTS_FOLDER) {
        return None;
    }
    source.remove("list");
    if source.is_empty() {
        input.as_object_mut()?.remove("source");
    }
    Some(input.to_string())
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
        let command = |typed: &str| {
            NextStep::StartCorrected
                .command(&run, "", Some(typed))
                .unwrap()
        };
        assert_eq!(
            command(r#"{"mode":"cop"}"#),
            r#"shardlift start --input '{"mode":"cop"}' --watch"#
        );
        let list = r#"{"bucket":"control","key":"lists/nightly-1/keys.csv","format":"csv"}"#;
        assert_eq!(
            command(&format!(r#"{{"source":{{"list":{list}}}}}"#)),
            "shardlift start --list FILE --watch"
        );
        assert_eq!(
            command(&format!(
                r#"{{"mode":"sync","source":{{"list":{list},"prefix":"a/"}}}}"#
            )),
            r#"shardlift start --list FILE --input '{"mode":"sync","source":{"prefix":"a/"}}' --watch"#
        );
        let elsewhere = list.replace("lists/nightly-1", "inventories");
        let elsewhere = format!(r#"{{"source":{{"list":{elsewhere}}}}}"#);
        assert!(command(&elsewhere).contains("inventories/keys.csv"));
        let hidden = command(r#"{"target":{"external_id":"secret"}}"#);
        assert!(!hidden.contains("secret"), "{hidden}");
    }
}
