//! The outcome of a control request.

use hyper::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::state::{ServerState, SharedBucket};

/// A document, or the status and the reason of a refusal.
pub(super) type Outcome<T = Value> = Result<T, (StatusCode, String)>;

/// Makes the empty document of a request that succeeded.
pub(super) fn done() -> Outcome {
    Ok(json!({}))
}

pub(super) fn refused(reason: impl std::fmt::Display) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, reason.to_string())
}

pub(super) fn missing(what: &str) -> (StatusCode, String) {
    (StatusCode::NOT_FOUND, format!("{what} does not exist"))
}

pub(super) fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Outcome<T> {
    serde_json::from_slice(body).map_err(refused)
}

pub(super) fn document(value: impl Serialize) -> Outcome {
    serde_json::to_value(value).map_err(refused)
}

/// Finds a bucket, or refuses the request.
pub(super) fn existing_bucket(server: &ServerState, name: &str) -> Outcome<SharedBucket> {
    server.bucket(name).ok_or_else(|| missing("the bucket"))
}
