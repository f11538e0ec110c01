//! `POST /_model/objects/<bucket>`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::outcome::{Outcome, done, existing_bucket, parse};
use crate::lock::write;
use crate::state::ServerState;
use crate::storage::object_spec::ObjectSpec;
use crate::storage::storage_class::StorageClass;

/// One synthetic object, or `count` objects whose keys are `key` and a number.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ObjectRequest {
    key: String,
    size_bytes: u64,
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    count: Option<u64>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    storage_class: StorageClass,
}

impl ObjectRequest {
    fn spec(&self, seed: u64) -> ObjectSpec {
        let mut spec =
            ObjectSpec::synthetic(seed, self.size_bytes).storage_class(self.storage_class);
        for (name, value) in &self.metadata {
            spec = spec.metadata(name, value);
        }
        for (key, value) in &self.tags {
            spec = spec.tag(key, value);
        }
        spec
    }
}

/// Puts objects into a bucket.
pub(super) fn put_objects(server: &ServerState, bucket: &str, body: &[u8]) -> Outcome {
    let request: ObjectRequest = parse(body)?;
    let bucket = existing_bucket(server, bucket)?;
    let put = |key: &str, seed: u64| {
        let object = request.spec(seed).into_object(server.clock.now_s());
        write(&bucket).put(key, object);
    };
    match request.count {
        None => put(&request.key, request.seed),
        Some(count) => {
            for number in 0..count {
                let key = format!("{}{number:09}", request.key);
                put(&key, request.seed.wrapping_add(number));
            }
        }
    }
    done()
}
