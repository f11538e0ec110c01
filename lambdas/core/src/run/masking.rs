//! Takes external ids out of messages. Causes, reports, notifications, logs and pages have more readers than the stack's
//! parameters, and a person who mixes up two fields of an input must not tell them all.

use serde_json::Value;

use crate::{failure::Failure, value::text::SHOWN_CHARACTERS};

/// Shorter ones are parts of ordinary words.
const BYTES_MIN: usize = 4;
/// What stands in their place.
const MASK: &str = "(an external id)";

/// The failure without this external id, and without anything that the input has under that name.
#[must_use]
pub fn without_external_ids(failure: Failure, own: Option<&str>, input: Option<&Value>) -> Failure {
    let mut ids = Vec::new();
    ids.extend(own.map(str::to_owned));
    if let Some(input) = input {
        collect(input, false, &mut ids);
    }
    // A message may hold the beginning of a long one.
    let cut = |id: &String| id.chars().take(SHOWN_CHARACTERS).collect::<String>();
    let beginnings: Vec<String> = ids.iter().map(cut).collect();
    ids.extend(beginnings);
    ids.retain(|id| id.len() >= BYTES_MIN);
    ids.sort_by_key(|id| std::cmp::Reverse(id.len()));
    let detail = ids.iter().fold(failure.detail, |detail, id| {
        detail.replace(id.as_str(), MASK)
    });
    Failure { detail, ..failure }
}

/// Every text and number below a field of that name.
fn collect(value: &Value, is_id: bool, ids: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if is_id {
                    ids.push(name.clone());
                }
                collect(value, is_id || name == "external_id", ids);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, is_id, ids)),
        Value::String(text) if is_id => ids.push(text.clone()),
        Value::Number(number) if is_id => ids.push(number.to_string()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::run::input::RunInput;

    const CANARY: &str = "canary-5f0e4a1b";
    const FIELDS: &str = "mode compare tags storage_class archived kms_key_arn sse acl request_payer \
        multipart_threshold_bytes part_bytes delete_max_percent delete_max_objects allow_empty_source on_change \
        rounds_max verify dry_run started_by rerun_of shards source target filters canary-5f0e4a1b";

    /// Every input that has the canary in a wrong place, or the wrong form in the right one.
    fn wrong_inputs() -> Vec<Value> {
        let mut inputs: Vec<Value> = FIELDS
            .split_whitespace()
            .flat_map(|field| {
                let nested = json!({ CANARY: CANARY });
                [
                    json!({ field: CANARY }),
                    json!({ field: [CANARY] }),
                    json!({ field: nested }),
                ]
            })
            .collect();
        for (side, field) in [
            ("source", "bucket"),
            ("source", "prefix"),
            ("target", "role_arn"),
            ("target", "bucket"),
            ("source", CANARY),
            ("target", CANARY),
            ("filters", "include"),
            ("filters", "exclude"),
            ("filters", "modified_after"),
            ("filters", "size_min_bytes"),
            ("filters", CANARY),
        ] {
            for value in [
                json!(format!("{CANARY}!")),
                json!([CANARY, "["]),
                json!({CANARY: 1}),
            ] {
                inputs.push(json!({side: {field: value}}));
            }
        }
        for id in [
            json!("not one: \"x y\""),
            json!([CANARY]),
            json!({ CANARY: CANARY }),
            json!(1_234_567),
        ] {
            inputs.push(json!({"target": {"external_id": id}}));
        }
        inputs.extend([
            json!(CANARY),
            json!([CANARY]),
            json!([{"external_id": "not one: \"x y\""}]),
        ]);
        inputs
    }

    #[test]
    fn no_refusal_of_an_input_shows_an_external_id() {
        let mut refused = 0;
        for input in wrong_inputs() {
            let Err(failure) = RunInput::parse(&input) else {
                continue;
            };
            refused += 1;
            let detail = without_external_ids(failure, Some(CANARY), Some(&input)).detail;
            for shown in [CANARY, "x y", "1234567"] {
                assert!(!detail.contains(shown), "{input}: {detail}");
            }
        }
        assert!(refused > 90, "{refused}");
    }

    #[test]
    fn the_beginning_of_a_long_one_is_masked_too() {
        let long = "k".repeat(600);
        let failure = RunInput::parse(&json!({"source": {"bucket": long}})).unwrap_err();
        let masked = without_external_ids(failure, Some(&long), None);
        assert!(!masked.detail.contains("kkkkkkkk"), "{}", masked.detail);
    }
}
