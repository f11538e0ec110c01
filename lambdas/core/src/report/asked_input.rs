//! What a run was asked to do, as it can be asked again.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    run::{
        event::TypedInput, input::RunInput, option::Mode, spec::RunSpec, starter::without_starter,
    },
    value::{arn::ExternalId, printable::printable_json},
};

/// A longer input would take the place of the report in the notification.
const INPUT_BYTES_MAX: usize = 4_096;

/// The input of a run, for the runs that are to follow it over the same pair with the same filters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AskedInput(Map<String, Value>);

impl AskedInput {
    /// What was typed. Nothing for an input that is none, that is very long, or that names an external id, wherever it
    /// stands in it: such an id stands in no report. `own` is that of the run.
    #[must_use]
    pub fn of(typed: &TypedInput, own: Option<&ExternalId>) -> Option<Self> {
        let value = without_starter(typed.json().ok()?);
        let input = RunInput::parse(&value).ok()?;
        let is_named = own.is_some_and(|own| value.to_string().contains(own.as_str()));
        let is_told =
            input.target.external_id.is_none() && !is_named && typed.length() <= INPUT_BYTES_MAX;
        match value {
            Value::Object(fields) if is_told => Some(Self(fields)),
            _ => None,
        }
    }

    /// What the runs were asked that a rerun goes back to: a rerun itself is asked nothing else than to go on with them.
    #[must_use]
    pub fn of_spec(spec: &RunSpec) -> Option<Self> {
        let (source, target) = (&spec.pair.source, &spec.pair.target);
        let mut value = json!({
            "source": {"bucket": source.bucket, "prefix": source.prefix},
            "target": {"bucket": target.bucket, "prefix": target.prefix, "role_arn": target.role_arn},
            "mode": spec.mode, "compare": spec.compare, "filters": spec.filters, "tags": spec.tags,
            "storage_class": spec.storage_class, "archived": spec.archived, "on_change": spec.on_change,
            "multipart_threshold_bytes": spec.multipart_threshold_bytes, "part_bytes": spec.part_bytes,
            "rounds_max": spec.rounds_max, "verify": spec.verify,
        });
        let options = [
            ("kms_key_arn", json!(spec.kms_key_arn)),
            ("sse", json!(spec.sse)),
            ("acl", json!(spec.acl)),
            ("request_payer", json!(source.request_payer)),
        ];
        for (field, option) in options {
            if !matches!(option, Value::Null | Value::Bool(false)) {
                value[field] = option;
            }
        }
        if let Some(transform) = &spec.transform {
            value["transform"] = json!(transform);
            for of_copies in ["compare", "multipart_threshold_bytes", "part_bytes"] {
                value[of_copies] = Value::Null;
            }
        }
        if let Some(list) = &spec.list {
            value["source"]["list"] = json!(list);
        }
        Self::of(&TypedInput::from(value), target.external_id.as_ref())
    }

    /// What a run was asked that has no record, so that nobody knows which external id must not be told: nothing but an
    /// input without any field, or that of the nightly schedule.
    #[must_use]
    pub fn if_empty(typed: &TypedInput) -> Option<Self> {
        let value = without_starter(typed.json().ok()?);
        (value == json!({})).then(|| Self(Map::new()))
    }

    /// The same run again.
    #[must_use]
    pub fn again(&self) -> String {
        self.written()
    }

    /// The run of which this was a dry run.
    #[must_use]
    pub fn copying(&self) -> String {
        let mut copying = self.clone();
        copying.0.remove("dry_run");
        copying.written()
    }

    /// A run over the same objects in another mode.
    #[must_use]
    pub fn in_mode(&self, mode: Mode) -> String {
        let mut other = self.clone();
        other.0.insert("mode".to_owned(), json!(mode));
        other.written()
    }

    fn written(&self) -> String {
        printable_json(&Value::Object(self.0.clone()).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(input: Value) -> Option<AskedInput> {
        let own = ExternalId::new("own-id").unwrap();
        AskedInput::of(&TypedInput::from(input), Some(&own))
    }

    #[test]
    fn the_next_run_is_over_the_same_pair_with_the_same_filters() {
        let filters = json!({"exclude": ["**.tmp"]});
        let dry = json!({"mode": "mirror", "filters": filters, "dry_run": true});
        let asked = asked(dry.clone()).unwrap();
        let read = |text: String| serde_json::from_str::<Value>(&text).unwrap();
        assert_eq!(read(asked.again()), dry);
        assert_eq!(
            read(asked.copying()),
            json!({"mode": "mirror", "filters": filters})
        );
        assert_eq!(
            read(asked.in_mode(Mode::Sync)),
            json!({"mode": "sync", "filters": filters, "dry_run": true})
        );
    }

    #[test]
    fn an_external_id_and_what_is_no_input_stand_in_no_report() {
        assert_eq!(asked(json!({"target": {"external_id": "canary"}})), None);
        assert_eq!(asked(json!({"external_id": "canary"})), None);
        assert_eq!(asked(json!({"source": {"prefix": "own-id/"}})), None);
        assert_eq!(
            asked(
                json!({"filters": {"include": vec!["k"; 90], "exclude": vec!["kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"; 99]}})
            ),
            None
        );
        assert!(asked(json!({})).is_some());
    }
}
