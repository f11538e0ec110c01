//! What says in the input of a run that it started it.

use serde::Deserialize;
use serde_json::Value;

/// What started a run, as its input says. A run of events is told by what it takes up, and whoever says nothing is taken for
/// a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Starter {
    /// The schedule of the stack.
    Schedule,
}

/// The input without it: whoever asks for the same run again starts that one themselves.
#[must_use]
pub fn without_starter(mut input: Value) -> Value {
    if let Value::Object(fields) = &mut input {
        fields.remove("started_by");
    }
    input
}

/// As [`without_starter`], of an input that may be no JSON, which stays as it is.
#[must_use]
pub fn text_without_starter(input: String) -> String {
    match serde_json::from_str::<Value>(&input) {
        Ok(value) if value.get("started_by").is_some() => without_starter(value).to_string(),
        _ => input,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::run::input::RunInput;

    #[test]
    fn the_schedule_names_itself_and_nothing_else_does() {
        let read = |input: &Value| RunInput::parse(input).map(|input| input.started_by);
        assert_eq!(read(&json!({})), Ok(None));
        let schedule = json!({"started_by": "schedule"});
        assert_eq!(read(&schedule), Ok(Some(Starter::Schedule)));
        let refused = read(&json!({"started_by": "events"})).unwrap_err();
        assert!(refused.detail.contains("`started_by`"), "{refused}");
    }

    #[test]
    fn the_same_input_again_is_a_persons() {
        let again = |input: &str| text_without_starter(input.to_owned());
        assert_eq!(again(r#"{"started_by": "schedule"}"#), "{}");
        assert_eq!(again(r#"{ "mode": "copy" }"#), r#"{ "mode": "copy" }"#);
        assert_eq!(again("no JSON"), "no JSON");
    }
}
