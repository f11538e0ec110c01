//! The shape of the definition. Unknown fields, states and operators are refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A state machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Definition {
    /// Why it is as it is.
    pub comment: Option<String>,
    /// Always `JSONPath`.
    pub query_language: String,
    /// When Step Functions ends an execution.
    pub timeout_seconds: u64,
    /// The first state.
    pub start_at: String,
    /// The states.
    pub(super) states: States,
}

pub(super) type States = BTreeMap<String, State>;

#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "Type")]
pub(super) enum State {
    Pass(Pass),
    Task(Task),
    Choice(Choice),
    Map(Box<Map>),
    Succeed(Succeed),
    Fail(Fail),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Pass {
    #[serde(rename = "Comment")]
    _comment: Option<String>,
    pub(super) parameters: Value,
    #[serde(default = "whole")]
    pub(super) result_path: Option<String>,
    pub(super) next: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Task {
    #[serde(rename = "Comment")]
    _comment: Option<String>,
    pub(super) resource: String,
    pub(super) parameters: Value,
    pub(super) timeout_seconds: u64,
    pub(super) result_selector: Option<Value>,
    #[serde(default = "whole")]
    pub(super) result_path: Option<String>,
    #[serde(default)]
    pub(super) retry: Vec<Retrier>,
    #[serde(default)]
    pub(super) catch: Vec<Catcher>,
    pub(super) next: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Choice {
    #[serde(rename = "Comment")]
    _comment: Option<String>,
    pub(super) choices: Vec<Rule>,
    pub(super) default: String,
}

/// A rule: all of its conditions hold.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Rule {
    #[serde(rename = "Comment")]
    _comment: Option<String>,
    pub(super) and: Vec<Condition>,
    pub(super) next: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Condition {
    pub(super) variable: String,
    pub(super) is_present: Option<bool>,
    pub(super) is_string: Option<bool>,
    pub(super) is_numeric: Option<bool>,
    pub(super) string_equals: Option<String>,
    pub(super) numeric_greater_than_equals: Option<f64>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Map {
    #[serde(rename = "Comment")]
    _comment: Option<String>,
    #[serde(rename = "Label")]
    _label: String,
    pub(super) item_reader: ItemReader,
    pub(super) item_selector: Value,
    pub(super) max_concurrency_path: String,
    pub(super) tolerated_failure_percentage: f64,
    pub(super) item_processor: ItemProcessor,
    pub(super) result_writer: Place,
    #[serde(default = "whole")]
    pub(super) result_path: Option<String>,
    #[serde(default)]
    pub(super) retry: Vec<Retrier>,
    #[serde(default)]
    pub(super) catch: Vec<Catcher>,
    pub(super) next: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ItemReader {
    pub(super) resource: String,
    pub(super) reader_config: ReaderConfig,
    pub(super) parameters: Value,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ReaderConfig {
    pub(super) input_type: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Place {
    pub(super) resource: String,
    pub(super) parameters: Value,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ItemProcessor {
    pub(super) processor_config: ProcessorConfig,
    pub(super) start_at: String,
    pub(super) states: States,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ProcessorConfig {
    pub(super) mode: String,
    pub(super) execution_type: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Succeed {
    #[serde(rename = "Comment")]
    _comment: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Fail {
    #[serde(rename = "Comment")]
    _comment: Option<String>,
    pub(super) error_path: String,
    pub(super) cause_path: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Retrier {
    #[serde(rename = "Comment")]
    _comment: Option<String>,
    pub(super) error_equals: Vec<String>,
    pub(super) interval_seconds: f64,
    pub(super) backoff_rate: f64,
    pub(super) max_attempts: u32,
    pub(super) max_delay_seconds: f64,
    pub(super) jitter_strategy: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Catcher {
    #[serde(rename = "Comment")]
    _comment: Option<String>,
    pub(super) error_equals: Vec<String>,
    #[serde(default = "whole", deserialize_with = "path_or_null")]
    pub(super) result_path: Option<String>,
    pub(super) next: String,
}

/// Without a `ResultPath`, the result is the whole output.
fn whole() -> Option<String> {
    Some("$".to_owned())
}

fn path_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(deserializer)
}

/// Reads a definition.
///
/// # Errors
/// What is unknown in it, or missing.
pub fn read(text: &Value) -> Result<Definition, String> {
    let definition: Definition =
        serde_json::from_value(text.clone()).map_err(|error| error.to_string())?;
    if definition.query_language != "JSONPath" {
        return Err(format!(
            "the query language is {}",
            definition.query_language
        ));
    }
    for state in definition.states.values() {
        let State::Map(map) = state else { continue };
        let is_known = map.item_reader.resource == "arn:${Partition}:states:::s3:getObject"
            && map.item_reader.reader_config.input_type == "JSON"
            && map.result_writer.resource == "arn:${Partition}:states:::s3:putObject"
            && map.item_processor.processor_config.mode == "DISTRIBUTED"
            && map.item_processor.processor_config.execution_type == "STANDARD";
        if !is_known {
            return Err("the Map reads, writes or runs in a way that is not simulated".to_owned());
        }
    }
    Ok(definition)
}
