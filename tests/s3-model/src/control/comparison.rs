//! `POST /_model/compare`.

use serde::Deserialize;

use super::outcome::{Outcome, document, existing_bucket, parse};
use crate::lock::read;
use crate::state::ServerState;
use crate::storage::comparison::compare;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CompareRequest {
    source: Side,
    target: Side,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Side {
    bucket: String,
    #[serde(default)]
    prefix: String,
}

/// Compares the objects under two prefixes.
pub(super) fn compare_prefixes(server: &ServerState, body: &[u8]) -> Outcome {
    let CompareRequest { source, target } = parse(body)?;
    let source_bucket = existing_bucket(server, &source.bucket)?;
    let target_bucket = existing_bucket(server, &target.bucket)?;
    let comparison = compare(
        &read(&source_bucket),
        &source.prefix,
        &read(&target_bucket),
        &target.prefix,
    );
    document(comparison)
}
