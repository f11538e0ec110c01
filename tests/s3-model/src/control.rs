//! The control API under `/_model/`: JSON in, JSON out, nothing counted.

use std::sync::Arc;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::{Method, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::body::WireBody;
use crate::bucket::Versioning;
use crate::bucket_calls::DEFAULT_REGION;
use crate::bucket_view::{BucketView, ObjectSpec};
use crate::comparison::compare;
use crate::identity::Principal;
use crate::key_space::KeySpaceSpec;
use crate::lock::{read, write};
use crate::model::{BucketSpec, DEFAULT_ACCOUNT, Inner};
use crate::object::StorageClass;
use crate::policy::PolicyDocument;
use crate::reply::Content;
use crate::weather::Weather;

/// No bucket can have this name, so nothing of S3 is hidden by it.
pub(crate) const PATH: &str = "/_model/";

/// `PUT /_model/buckets/<name>`.
#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct BucketRequest {
    owner: String,
    region: String,
    versioned: bool,
    policy: Option<PolicyDocument>,
    /// The KMS key under which the bucket encrypts by default.
    default_encryption: Option<String>,
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
            key_space: None,
        }
    }
}

/// `POST /_model/objects/<bucket>`: one synthetic object, or `count` of them under `key` + number.
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
    metadata: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    tags: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    storage_class: StorageClass,
}

/// `POST /_model/compare`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CompareRequest {
    source: Place,
    target: Place,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    bucket: String,
    #[serde(default)]
    prefix: String,
}

/// An answer: a status and a document.
type Answer = Result<Value, (StatusCode, String)>;

fn refused(reason: impl std::fmt::Display) -> (StatusCode, String) {
    (StatusCode::BAD_REQUEST, reason.to_string())
}

fn missing(what: &str) -> (StatusCode, String) {
    (StatusCode::NOT_FOUND, format!("{what} does not exist"))
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, (StatusCode, String)> {
    serde_json::from_slice(body).map_err(refused)
}

fn document(value: impl Serialize) -> Answer {
    serde_json::to_value(value).map_err(refused)
}

/// Answers a request of the control API.
pub(crate) async fn answer(model: &Arc<Inner>, request: Request<Incoming>) -> Response<WireBody> {
    let (parts, incoming) = request.into_parts();
    let result = match incoming.collect().await {
        Ok(body) => {
            let path = parts.uri.path().strip_prefix(PATH).unwrap_or("");
            route(model, &parts.method, path, &body.to_bytes())
        }
        Err(error) => Err(refused(error)),
    };
    let (status, value) = match result {
        Ok(value) => (StatusCode::OK, value),
        Err((status, reason)) => (status, json!({ "error": reason })),
    };
    let mut response = Response::new(WireBody::new(Content::Bytes(format!("{value}\n").into())));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert("content-type", HeaderValue::from_static("application/json"));
    response
}

fn route(model: &Arc<Inner>, method: &Method, path: &str, body: &[u8]) -> Answer {
    let (head, name) = path.split_once('/').unwrap_or((path, ""));
    match (method.as_str(), head) {
        ("GET", "health") => Ok(json!({ "status": "ok" })),
        ("POST", "reset") => {
            model.reset();
            Ok(json!({}))
        }
        ("GET", "counters") => document(model.counters.snapshot()),
        ("DELETE", "counters") => {
            model.counters.reset();
            Ok(json!({}))
        }
        ("GET", "weather") => Ok(json!({ "weather": model.sky.get(), "fired": model.sky.fired() })),
        ("PUT", "weather") => {
            let weather: Weather = parse(body)?;
            if !weather.time_scale.is_finite() || weather.time_scale <= 0.0 {
                return Err(refused("time_scale must be above 0"));
            }
            model.set_weather(weather);
            Ok(json!({}))
        }
        ("PUT", "principals") => register(model, name, body),
        ("PUT", "buckets") => put_bucket(model, name, body),
        ("GET", "buckets") => look_at_bucket(model, name),
        ("POST", "objects") => put_objects(model, name, body),
        ("POST", "compare") => compare_places(model, body),
        _ => Err(missing("this address of the control API")),
    }
}

/// An access key, or `*` for all that are not registered.
fn register(model: &Inner, access_key: &str, body: &[u8]) -> Answer {
    let principal: Principal = parse(body)?;
    let mut identities = write(&model.identities);
    let identities = Arc::make_mut(&mut identities);
    match access_key {
        "" => {
            return Err(refused(
                "name the access key in the path, or * for all others",
            ));
        }
        "*" => identities.any_other = Some(Arc::new(principal)),
        key => {
            identities.keys.insert(key.to_owned(), Arc::new(principal));
        }
    }
    Ok(json!({}))
}

fn put_bucket(model: &Inner, name: &str, body: &[u8]) -> Answer {
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
    if let Some(kms_key_arn) = request.default_encryption {
        spec = spec.default_encryption(kms_key_arn);
    }
    spec.key_space = request.key_space;
    spec.versioning = if request.versioned {
        Versioning::Enabled
    } else {
        Versioning::Off
    };
    model.create_bucket(spec).map_err(refused)?;
    Ok(json!({}))
}

fn look_at_bucket(model: &Inner, name: &str) -> Answer {
    let bucket = read(&model.buckets)
        .get(name)
        .cloned()
        .ok_or_else(|| missing("the bucket"))?;
    let state = read(&bucket);
    Ok(json!({
        "owner": state.owner,
        "region": state.region,
        "computed_keys": state.space.as_ref().map_or(0, |space| space.len()),
        "stored_keys": state.slots.len(),
        "open_uploads": state.uploads.len(),
        "partitions": model.partitions.count(name),
    }))
}

fn put_objects(model: &Arc<Inner>, bucket: &str, body: &[u8]) -> Answer {
    let request: ObjectRequest = parse(body)?;
    let bucket = read(&model.buckets)
        .get(bucket)
        .cloned()
        .ok_or_else(|| missing("the bucket"))?;
    let view = BucketView {
        model: model.clone(),
        bucket,
    };
    let spec = |seed: u64| {
        let mut spec =
            ObjectSpec::synthetic(seed, request.size_bytes).storage_class(request.storage_class);
        for (name, value) in &request.metadata {
            spec = spec.metadata(name, value);
        }
        for (key, value) in &request.tags {
            spec = spec.tag(key, value);
        }
        spec
    };
    match request.count {
        None => {
            view.put(&request.key, spec(request.seed));
        }
        Some(count) => {
            for number in 0..count {
                view.put(
                    &format!("{}{number:09}", request.key),
                    spec(request.seed.wrapping_add(number)),
                );
            }
        }
    }
    Ok(json!({}))
}

fn compare_places(model: &Inner, body: &[u8]) -> Answer {
    let CompareRequest { source, target } = parse(body)?;
    let find = |place: &Place| {
        read(&model.buckets)
            .get(&place.bucket)
            .cloned()
            .ok_or_else(|| missing("the bucket"))
    };
    let (left, right) = (find(&source)?, find(&target)?);
    let comparison = compare(&read(&left), &source.prefix, &read(&right), &target.prefix);
    document(comparison)
}
