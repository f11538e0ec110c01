//! `PUT` and `GET /_model/buckets/<name>`.

use serde::Deserialize;
use serde_json::json;

use super::outcome::{Outcome, done, existing_bucket, parse, refused};
use crate::access::policy::PolicyDocument;
use crate::key_space::spec::KeySpaceSpec;
use crate::lock::read;
use crate::state::ServerState;
use crate::storage::bucket_spec::{BucketSpec, DEFAULT_ACCOUNT, DEFAULT_REGION};
use crate::storage::version::Versioning;

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct BucketRequest {
    owner: String,
    region: String,
    versioned: bool,
    policy: Option<PolicyDocument>,
    /// The KMS key for objects whose request names no encryption.
    default_encryption: Option<String>,
    /// Whether requesters of other accounts pay.
    requester_pays: bool,
    key_space: Option<KeySpaceSpec>,
}

impl Default for BucketRequest {
    fn default() -> Self {
        Self {
            owner: DEFAULT_ACCOUNT.to_owned(),
            region: DEFAULT_REGION.to_owned(),
            versioned: false,
            policy: None,
            default_encryption: None,
            requester_pays: false,
            key_space: None,
        }
    }
}

/// Creates a bucket.
pub(super) fn put_bucket(server: &ServerState, name: &str, body: &[u8]) -> Outcome {
    let request: BucketRequest = if body.is_empty() {
        BucketRequest::default()
    } else {
        parse(body)?
    };
    if name.is_empty() {
        return Err(refused("name the bucket in the path"));
    }
    let mut spec = BucketSpec::new(name)
        .owner(request.owner)
        .region(request.region);
    spec.policy = request.policy;
    spec.is_requester_pays = request.requester_pays;
    if let Some(kms_key_arn) = request.default_encryption {
        spec = spec.default_encryption(kms_key_arn);
    }
    spec.key_space = request.key_space;
    spec.versioning = if request.versioned {
        Versioning::Enabled
    } else {
        Versioning::Off
    };
    server.create_bucket(spec).map_err(refused)?;
    done()
}

/// Returns the settings of a bucket, and how much it holds.
pub(super) fn describe_bucket(server: &ServerState, name: &str) -> Outcome {
    let bucket = existing_bucket(server, name)?;
    let state = read(&bucket);
    Ok(json!({
        "owner": state.owner,
        "region": state.region,
        "computed_keys": state.space.as_ref().map_or(0, |space| space.len()),
        "stored_keys": state.slots.len(),
        "open_uploads": state.uploads.len(),
        "partitions": server.partitions.count(name),
    }))
}
