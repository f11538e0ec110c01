//! `PUT /_model/kms-keys/<ARN>`.

use serde::Deserialize;

use super::outcome::{Outcome, done, parse, refused};
use crate::state::ServerState;
use crate::storage::kms_keys::KmsKeyState;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KmsKeyRequest {
    state: KmsKeyState,
}

/// Registers a KMS key, or changes its state.
pub(super) fn put_kms_key(server: &ServerState, arn: &str, body: &[u8]) -> Outcome {
    if arn.is_empty() {
        return Err(refused("name the key's ARN in the path"));
    }
    let request: KmsKeyRequest = parse(body)?;
    server.kms_keys.set(arn, request.state);
    done()
}
