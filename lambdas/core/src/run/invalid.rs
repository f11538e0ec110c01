//! The refusal of an input.

use crate::{
    failure::{Failure, FailureCode, fault::CallFault},
    value::{
        arn::{KmsKeyArn, Region},
        text::{SHOWN_CHARACTERS, cut},
    },
};

/// What stands in an input may be long, and the cause of a failed execution holds 32,768 characters
/// (docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html); a refused glob of the greatest length is shown whole.
const PROBLEM_CHARACTERS_MAX: usize = 2_000;

/// An `InvalidRun` that names the field and says what is wrong with it.
pub(crate) fn invalid(field: &str, problem: &str) -> Failure {
    let subject = if field.is_empty() {
        "the input".to_owned()
    } else {
        format!("field `{}`", cut(field, SHOWN_CHARACTERS))
    };
    let problem = cut(problem, PROBLEM_CHARACTERS_MAX);
    Failure::new(
        FailureCode::InvalidRun,
        format!("{subject}: {problem}. Nothing was changed; correct it and start a new execution"),
    )
}

/// What the reader of an input found wrong, without the names that numbers have in Rust.
pub(super) fn in_words(problem: &str) -> String {
    ["u64", "u32", "u16", "u8", "usize"]
        .iter()
        .find_map(|name| problem.strip_suffix(&format!("expected {name}")))
        .map_or_else(
            || problem.to_owned(),
            |begin| format!("{begin}expected a whole number, 0 or more"),
        )
}

/// The refusal of a key that is not in the target bucket's Region: S3 knows no key of another one (docs/MODEL.md, fact 71),
/// not even a replica of the same multi-Region key.
#[must_use]
pub fn key_of_another_region(key: &KmsKeyArn, bucket: &Region) -> Option<Failure> {
    (key.region() != bucket.as_str()).then(|| {
        let problem = format!(
            "the key is in {}, and the target bucket in {bucket}: name a key in the bucket's Region",
            key.region()
        );
        invalid("kms_key_arn", &problem)
    })
}

/// The refusal of a run whose `kms_key_arn` is a key that cannot be used, as its preflight found.
#[must_use]
pub fn unusable_key(fault: &CallFault) -> Failure {
    let problem = format!(
        "the key cannot be used for the target bucket ({fault}). Enable it, cancel its deletion, or name a key in the bucket's Region"
    );
    invalid("kms_key_arn", &problem)
}

/// What a JSON value is, without the value.
pub(super) const fn kind_of(value: &serde_json::Value) -> &'static str {
    match value {
        serde_json::Value::Null => "null",
        serde_json::Value::Bool(_) => "true or false",
        serde_json::Value::Number(_) => "a number",
        serde_json::Value::String(_) => "a text",
        serde_json::Value::Array(_) => "a list",
        serde_json::Value::Object(_) => "an object",
    }
}
