//! What the state machine hands to the Lambdas and gets back.

use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

use crate::{
    failure::{Failure, FailureCode},
    value::{
        arn::ExecutionArn,
        bucket::BucketName,
        id::{RunId, ShardId},
        time::{Timestamp, rfc3339},
    },
};

/// The version of the payloads; a running execution may meet newer code.
pub const EVENT_VERSION: u32 = 1;

/// To the planner.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannerEvent {
    /// Always [`EVENT_VERSION`].
    pub schema_version: u32,
    /// The execution's name.
    pub run_id: RunId,
    /// The execution.
    pub execution_arn: ExecutionArn,
    /// When it started.
    #[serde(with = "rfc3339")]
    pub started_at: Timestamp,
    /// The input as the person typed it.
    pub input: TypedInput,
}

/// The longest input. All lists of globs at their longest take as much; Step Functions refuses 256 KiB, with what it adds.
pub const INPUT_BYTES_MAX: usize = 220 * 1024;

/// The input of a run, read as late as possible: an input that cannot be read still has a run, and a report.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TypedInput(Box<RawValue>);

impl TypedInput {
    /// Its length in bytes.
    #[must_use]
    pub fn length(&self) -> usize {
        self.0.get().len()
    }

    /// The input as JSON.
    ///
    /// # Errors
    /// `InvalidRun` when it is longer than [`INPUT_BYTES_MAX`], or nested deeper than 127 levels; no option is nested deeper
    /// than three.
    pub fn json(&self) -> Result<Value, Failure> {
        if self.length() > INPUT_BYTES_MAX {
            return Err(Failure::new(
                FailureCode::InvalidRun,
                format!(
                    "the input has {} bytes; at most {INPUT_BYTES_MAX} are read",
                    self.length()
                ),
            ));
        }
        serde_json::from_str(self.0.get()).map_err(|error| {
            Failure::new(
                FailureCode::InvalidRun,
                format!("the input cannot be read: {error}; the nightly input is {{}}"),
            )
        })
    }
}

impl From<Value> for TypedInput {
    /// Panics never: a value is JSON.
    fn from(value: Value) -> Self {
        Self(serde_json::value::to_raw_value(&value).expect("a value is JSON"))
    }
}

/// From the planner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannerResult {
    /// Always [`EVENT_VERSION`].
    pub schema_version: u32,
    /// What comes next.
    pub status: PlannerStatus,
    /// The round that the index belongs to.
    pub round: u32,
    /// The index of the round's shards; absent when there is nothing to copy.
    pub index: Option<IndexLocation>,
    /// The most copiers at once.
    pub max_concurrency: u32,
    /// Which function works on the shards.
    pub kind: RunKind,
}

/// Which function works on the shards of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunKind {
    /// The copier.
    Copy,
    /// The renderer.
    Render,
}

/// What comes after an invocation of the planner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PlannerStatus {
    /// The planner again.
    Continue,
    /// The copiers.
    Copy,
    /// The reporter: there is nothing to copy.
    Report,
}

/// Where the Map finds its items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexLocation {
    /// The control bucket.
    pub bucket: BucketName,
    /// The key of a JSON array of shard ids.
    pub key: String,
}

/// To a copier or a renderer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkerEvent {
    /// Always [`EVENT_VERSION`].
    pub schema_version: u32,
    /// The run.
    pub run_id: RunId,
    /// The run's execution, the parent of the Map's.
    pub execution_arn: ExecutionArn,
    /// The round.
    pub round: u32,
    /// The shard.
    pub shard_id: ShardId,
}

/// From a copier or a renderer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerResult {
    /// Always [`EVENT_VERSION`].
    pub schema_version: u32,
    /// What comes next.
    pub status: WorkerStatus,
}

/// What comes after an invocation of a copier or a renderer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WorkerStatus {
    /// The same function again, for the same shard.
    Yield,
    /// Nothing: every object has an outcome.
    Done,
}

/// To the reporter.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReporterEvent {
    /// Always [`EVENT_VERSION`].
    pub schema_version: u32,
    /// The run.
    pub run_id: RunId,
    /// Its execution.
    pub execution_arn: ExecutionArn,
    /// When it started.
    #[serde(with = "rfc3339")]
    pub started_at: Timestamp,
    /// The input as the person typed it.
    pub input: TypedInput,
    /// The round that ended.
    pub round: u32,
    /// What broke in planning or copying, if anything.
    pub problem: Option<Problem>,
}

/// A state of the machine that failed for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The state.
    pub state: String,
    /// The error's name: a failure code, or Step Functions' own.
    pub error: String,
    /// The cause as Step Functions tells it; for a Lambda, JSON with `errorMessage`.
    pub cause: String,
}

/// From the reporter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReporterResult {
    /// Always [`EVENT_VERSION`].
    pub schema_version: u32,
    /// What comes next.
    pub status: ReporterStatus,
    /// The round that comes next, or the last one.
    pub round: u32,
    /// The index of the next round.
    pub index: Option<IndexLocation>,
    /// The most copiers at once.
    pub max_concurrency: u32,
    /// Which function works on the shards.
    pub kind: RunKind,
    /// The failure code that the console shows; empty when nothing failed.
    pub code: String,
    /// One sentence for the console.
    pub summary: String,
}

/// What comes after an invocation of the reporter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReporterStatus {
    /// The reporter again.
    Continue,
    /// The copiers again, for what is not done.
    Round,
    /// Everything arrived.
    Complete,
    /// A dry run was planned.
    Planned,
    /// Something is missing; the report says what.
    Incomplete,
    /// The run broke; the report says where.
    Failed,
}

/// Reads a payload of the state machine.
///
/// # Errors
/// `InvalidRun` when the payload is not of this version and shape, for example from a machine that was deployed
/// with other functions.
pub fn parse<T: serde::de::DeserializeOwned>(payload: &RawValue) -> Result<T, Failure> {
    #[derive(Deserialize)]
    struct Version {
        schema_version: Option<Value>,
    }
    let invalid = |problem: String| Failure::new(FailureCode::InvalidRun, problem);
    let version = serde_json::from_str::<Version>(payload.get())
        .ok()
        .and_then(|payload| payload.schema_version);
    if version != Some(Value::from(EVENT_VERSION)) {
        let found = version.map_or_else(|| "none".to_owned(), |version| version.to_string());
        return Err(invalid(format!(
            "field `schema_version`: expected {EVENT_VERSION}, found {found}; deploy the state machine and the functions from one release"
        )));
    }
    let mut reader = serde_json::Deserializer::from_str(payload.get());
    serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        invalid(format!(
            "field `{}` of the payload: {}",
            error.path(),
            error.inner()
        ))
    })
}

/// As [`parse`], of a payload that is a value.
///
/// # Errors
/// As [`parse`].
pub fn parse_value<T: serde::de::DeserializeOwned>(payload: &Value) -> Result<T, Failure> {
    parse(&TypedInput::from(payload.clone()).0)
}

impl Problem {
    /// The error message within the cause, which for a Lambda is JSON with `errorMessage`.
    #[must_use]
    pub fn message(&self) -> String {
        serde_json::from_str::<serde_json::Value>(&self.cause)
            .ok()
            .and_then(|cause| {
                cause
                    .get("errorMessage")
                    .and_then(|message| message.as_str().map(str::to_owned))
            })
            .unwrap_or_else(|| self.cause.clone())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_execution_name_that_is_no_run_id_is_refused_by_its_field() {
        let failure = parse_value::<PlannerEvent>(&json!({
            "schema_version": 1, "run_id": "a b", "execution_arn": "arn:aws:states:us-east-1:111111111111:execution:m:a",
            "started_at": "2026-11-22T01:00:00.000Z", "input": {},
        }))
        .unwrap_err();
        assert!(failure.detail.contains("`run_id`"), "{}", failure.detail);
    }

    #[test]
    fn an_input_that_is_nested_too_deeply_is_refused_where_it_is_read() {
        let input = format!("{}1{}", r#"{"source":"#.repeat(200), "}".repeat(200));
        let payload = format!(
            r#"{{"schema_version": 1, "run_id": "a", "execution_arn": "arn:aws:states:us-east-1:111111111111:execution:m:a",
                "started_at": "2026-11-22T01:00:00.000Z", "input": {input}}}"#
        );
        let payload: Box<RawValue> = serde_json::from_str(&payload).unwrap();
        let event: PlannerEvent = parse(&payload).unwrap();
        let failure = event.input.json().unwrap_err();
        assert_eq!(failure.code, FailureCode::InvalidRun);
        assert!(
            failure.detail.contains("recursion limit"),
            "{}",
            failure.detail
        );
    }

    #[test]
    fn another_version_is_refused() {
        let failure = parse_value::<WorkerEvent>(&json!({"schema_version": 2})).unwrap_err();
        assert!(failure.detail.contains("schema_version"));
    }

    #[test]
    fn the_message_is_found_within_a_lambda_cause() {
        let mut problem = Problem {
            state: "PlanShards".into(),
            error: "AccessDenied".into(),
            cause: json!({"errorType": "AccessDenied", "errorMessage": "no"}).to_string(),
        };
        assert_eq!(problem.message(), "no");
        problem.cause = "plain".into();
        assert_eq!(problem.message(), "plain");
    }
}
