//! `POST /_model/objects/<bucket>`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::outcome::{Outcome, done, existing_bucket, parse, refused};
use crate::lock::write;
use crate::operations::stored_header;
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
    /// Headers that S3 stores, in ISO-8859-1: each character is a byte, so that any bytes can be named.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
    #[serde(default)]
    storage_class: StorageClass,
    #[serde(default)]
    restored: bool,
    #[serde(default)]
    archive_tier: bool,
    #[serde(default)]
    modified_s: Option<u64>,
}

impl ObjectRequest {
    fn spec(&self, seed: u64) -> Outcome<ObjectSpec> {
        let mut spec =
            ObjectSpec::synthetic(seed, self.size_bytes).storage_class(self.storage_class);
        for (name, value) in &self.metadata {
            spec = spec.metadata(name, value);
        }
        for (key, value) in &self.tags {
            spec = spec.tag(key, value);
        }
        for (name, payload) in &self.annotations {
            spec = spec.annotation(name, payload);
        }
        for (name, value) in &self.headers {
            let name = stored_header(name)
                .ok_or_else(|| refused(format!("{name} is no header that S3 stores")))?;
            let bytes: Result<Vec<u8>, _> = value.chars().map(u8::try_from).collect();
            let bytes = bytes.map_err(|_| refused(format!("{name} is beyond ISO-8859-1")))?;
            spec = spec.system_header(name, bytes);
        }
        if self.restored {
            spec = spec.restored();
        }
        if self.archive_tier {
            spec = spec.archive_tier();
        }
        if let Some(modified_s) = self.modified_s {
            spec = spec.modified_s(modified_s);
        }
        Ok(spec)
    }
}

/// Puts objects into a bucket.
pub(super) fn put_objects(server: &ServerState, bucket: &str, body: &[u8]) -> Outcome {
    let request: ObjectRequest = parse(body)?;
    let bucket = existing_bucket(server, bucket)?;
    let put = |key: &str, seed: u64| {
        let object = request.spec(seed)?.into_object(server.clock.now_s());
        write(&bucket).put(key, object);
        done()
    };
    match request.count {
        None => put(&request.key, request.seed),
        Some(count) => {
            for number in 0..count {
                let key = format!("{}{number:09}", request.key);
                put(&key, request.seed.wrapping_add(number))?;
            }
            done()
        }
    }
}
