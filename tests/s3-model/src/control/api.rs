//! The routes of the control API.

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::{Method, Request, Response, StatusCode};
use serde_json::json;

use super::buckets::{describe_bucket, put_bucket};
use super::comparison::compare_prefixes;
use super::kms_keys::put_kms_key;
use super::objects::put_objects;
use super::outcome::{Outcome, document, done, missing, refused};
use super::principals::put_principal;
use super::weather::{get_weather, put_weather};
use crate::protocol::response::Content;
use crate::protocol::response_body::ResponseBody;
use crate::state::ServerState;

/// The prefix of all routes. No bucket can have this name, so the routes hide nothing of S3.
pub(crate) const PATH: &str = "/_model/";

/// Responds to a control request.
pub(crate) async fn respond(
    server: &ServerState,
    request: Request<Incoming>,
) -> Response<ResponseBody> {
    let (parts, incoming) = request.into_parts();
    let result = match incoming.collect().await {
        Ok(body) => {
            let path = parts.uri.path().strip_prefix(PATH).unwrap_or("");
            route(server, &parts.method, path, &body.to_bytes())
        }
        Err(error) => Err(refused(error)),
    };
    let (status, value) = match result {
        Ok(value) => (StatusCode::OK, value),
        Err((status, reason)) => (status, json!({ "error": reason })),
    };
    let content = Content::Bytes(format!("{value}\n").into());
    let mut response = Response::new(ResponseBody::new(content));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert("content-type", HeaderValue::from_static("application/json"));
    response
}

fn route(server: &ServerState, method: &Method, path: &str, body: &[u8]) -> Outcome {
    let (head, name) = path.split_once('/').unwrap_or((path, ""));
    match (method.as_str(), head) {
        ("GET", "health") => Ok(json!({ "status": "ok" })),
        ("POST", "reset") => {
            server.reset();
            done()
        }
        ("GET", "counters") => document(server.counters.snapshot()),
        ("DELETE", "counters") => {
            server.counters.reset();
            done()
        }
        ("GET", "weather") => get_weather(server),
        ("PUT", "weather") => put_weather(server, body),
        ("PUT", "principals") => put_principal(server, name, body),
        ("PUT", "kms-keys") => put_kms_key(server, name, body),
        ("PUT", "buckets") => put_bucket(server, name, body),
        ("GET", "buckets") => describe_bucket(server, name),
        ("POST", "objects") => put_objects(server, name, body),
        ("POST", "compare") => compare_prefixes(server, body),
        _ => Err(missing("this route of the control API")),
    }
}
