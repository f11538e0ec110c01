//! The instant whose state a run copies, and what else may name versions of the source.

use super::{invalid::invalid, list::SourceList, option::Mode, spec::RunSpec};
use crate::{failure::Failure, value::time::Timestamp};

/// Reads `source.as_of`.
pub(super) fn parse(text: &str) -> Result<Timestamp, Failure> {
    Timestamp::parse(text).map_err(|error| invalid("source.as_of", &error.to_string()))
}

impl RunSpec {
    /// Whether the run may read versions by their ids: those of an instant, or those that a list may name.
    #[must_use]
    pub fn may_name_versions(&self) -> bool {
        let lists = |list: &SourceList| list.format.may_name_versions();
        self.as_of.is_some() || self.list.as_ref().is_some_and(lists)
    }

    /// Refuses an instant that is not over: what will have been written by then is not known.
    ///
    /// # Errors
    /// `InvalidRun`, naming the field.
    pub fn check_instant(&self, now: Timestamp) -> Result<(), Failure> {
        match self.as_of {
            Some(as_of) if as_of > now => Err(invalid(
                "source.as_of",
                &format!(
                    "{as_of} is in the future, it is {now}; leave it out to copy what is there now"
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Refuses what cannot stand beside an instant.
    pub(super) fn check_as_of(&self) -> Result<(), Failure> {
        if self.as_of.is_some() && self.list.is_some() {
            return Err(invalid(
                "source.as_of",
                "a list (source.list) names the objects, and their versions where it is to; leave one of the two out",
            ));
        }
        if self.as_of.is_some() && self.mode == Mode::Mirror {
            return Err(invalid(
                "mode",
                "a history does not tell what was not there from what a lifecycle rule has removed since, so nothing is deleted by it; beside source.as_of the mode is copy, sync or audit",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{failure::FailureCode, run::input::RunInput};

    fn settle(input: &Value) -> Result<RunSpec, Failure> {
        let defaults = json!({
            "source": {"bucket": "source", "prefix": "data/"},
            "target": {"bucket": "target", "prefix": "data/", "role_arn": "arn:aws:iam::222222222222:role/Target"},
        });
        RunSpec::settle(RunInput::parse(input)?.or(RunInput::parse(&defaults)?))
    }

    fn refused(input: &Value, field: &str) {
        let failure = settle(input).unwrap_err();
        assert_eq!(failure.code, FailureCode::InvalidRun, "{input}");
        let named = failure.detail.contains(&format!("`{field}`"));
        assert!(named, "{input}: {}", failure.detail);
    }

    #[test]
    fn an_instant_stands_alone_lies_in_the_past_and_deletes_nothing() {
        let at = "2026-11-20T02:00:00Z";
        let list = json!({"bucket": "control", "key": "lists/l.csv", "format": "csv"});
        refused(
            json!({"source": {"as_of": at, "list": list}}),
            "source.as_of",
        );
        refused(&json!({"source": {"as_of": at}, "mode": "mirror"}), "mode");
        refused(&json!({"source": {"as_of": "yesterday"}}), "source.as_of");
        let spec = settle(&json!({"source": {"as_of": "2026-11-20T03:00:00.5+01:00"}})).unwrap();
        assert_eq!(
            spec.as_of,
            Timestamp::parse("2026-11-20T02:00:00.500Z").ok()
        );
        let stored = serde_json::to_string(&spec).unwrap();
        assert_eq!(serde_json::from_str::<RunSpec>(&stored).unwrap(), spec);
        let at = spec.as_of.unwrap();
        assert!(spec.check_instant(at).is_ok());
        let early = spec.check_instant(Timestamp::from_millis(at.as_millis() - 1));
        assert!(early.unwrap_err().detail.contains("in the future"));
    }
}
