//! One request and its response: routing, the weather, the handler, the counters.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};

use super::faults::{
    BeforeEffect, Reported, before_effect, body, cut_document, injected_error, pause, reported,
};
use super::origin::{is_foreign, refused};
use crate::control::api;
use crate::date::http_date;
use crate::lock::read;
use crate::metering::counters::ResponseCount;
use crate::operations::dispatch::dispatch;
use crate::operations::listing::start::start_key;
use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::protocol::error_code::ErrorCode;
use crate::protocol::operation::Operation;
use crate::protocol::query::Query;
use crate::protocol::request_body::{RequestBody, receive};
use crate::protocol::resource::Resource;
use crate::protocol::response::{BodyRule, Content, Response};
use crate::protocol::response_body::ResponseBody;
use crate::protocol::routing::operation;
use crate::state::ServerState;
use crate::weather::fault::Fault;

/// The weather reset the connection.
#[derive(Debug, thiserror::Error)]
#[error("the weather reset the connection")]
pub(super) struct ConnectionReset;

/// A request on its way through the server.
struct Exchange<'a> {
    server: &'a ServerState,
    head: &'a Parts,
    query: Query<'a>,
    request_id: String,
    body_rule: BodyRule,
}

/// Responds to a request. `reset` is set if the weather resets the connection.
pub(super) async fn respond(
    server: Arc<ServerState>,
    reset: Arc<AtomicBool>,
    request: hyper::Request<Incoming>,
) -> Result<hyper::Response<ResponseBody>, ConnectionReset> {
    if is_foreign(request.headers()) {
        return Ok(refused());
    }
    if request.uri().path().starts_with(api::PATH) {
        return Ok(api::respond(&server, request).await);
    }
    let _in_flight = server.counters.begin();
    let (head, incoming) = request.into_parts();
    let exchange = Exchange::new(&server, &head);
    let (operation, resource) = match exchange.route() {
        Ok(routed) => routed,
        Err(error) => {
            server.counters.unrouted();
            return Ok(exchange.finish(exchange.error(&error), None));
        }
    };
    let received = receive(&head.headers, incoming).await;
    let bytes_in = received.as_ref().map_or(0, |body| body.bytes.len() as u64);
    let fault = server
        .weather
        .fault(operation, &resource.bucket, &resource.key);
    let fault = fault.as_ref();
    if let Some(fault) = fault {
        server.counters.fault(fault.name());
    }
    let result = received.and_then(|body| match before_effect(fault) {
        BeforeEffect::CarryOut => exchange.carry_out(operation, &resource, body),
        BeforeEffect::Refuse(error) => Err(error),
        BeforeEffect::Skip => Ok(Response::empty(0)),
    });
    let mut response = exchange.response(reported(result, fault), operation);
    pause(&server, operation, response.copied_bytes, fault).await;
    if let Some(Fault::Reset { .. }) = fault {
        server.counters.dropped();
        reset.store(true, Ordering::Release);
        return Err(ConnectionReset);
    }
    cut_document(&mut response, fault);
    exchange.count(operation, &response, bytes_in);
    Ok(exchange.finish(response, fault))
}

/// Refuses headers of more than 8 KB. AWS documents the limit for PUT
/// (docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html), and its answer names it for any request.
fn check_size(headers: &HeaderMap) -> Result<(), S3Error> {
    const HEADERS_BYTES_MAX: usize = 8_192;
    let line = |(name, value): (&HeaderName, &HeaderValue)| {
        name.as_str().len() + ": ".len() + value.len() + "\r\n".len()
    };
    if headers.iter().map(line).sum::<usize>() <= HEADERS_BYTES_MAX {
        return Ok(());
    }
    Err(S3Error::new(
        ErrorCode::RequestHeaderSectionTooLarge,
        "Your request header section exceeds the maximum allowed size.",
    )
    .detail("MaxSizeAllowed", HEADERS_BYTES_MAX.to_string()))
}

impl<'a> Exchange<'a> {
    fn new(server: &'a ServerState, head: &'a Parts) -> Self {
        Self {
            server,
            head,
            query: Query::new(&head.uri),
            request_id: format!("{:016X}", server.next_number()),
            body_rule: if head.method == Method::HEAD {
                BodyRule::HeadersOnly
            } else {
                BodyRule::Body
            },
        }
    }

    fn route(&self) -> Result<(Operation, Resource<'a>), S3Error> {
        let resource = Resource::new(&self.head.uri)?;
        let operation = operation(&self.head.method, &resource, self.query, &self.head.headers)?;
        Ok((operation, resource))
    }

    fn carry_out(
        &self,
        operation: Operation,
        resource: &Resource<'_>,
        body: RequestBody,
    ) -> Result<Response, S3Error> {
        self.throttle(operation, resource)?;
        check_size(&self.head.headers)?;
        let identities = read(&self.server.identities).clone();
        let caller = identities.identify(&self.head.headers, self.query, &self.server.clock)?;
        let request = Request {
            operation,
            bucket: &resource.bucket,
            key: &resource.key,
            query: self.query,
            headers: &self.head.headers,
            caller,
            body: body.bytes,
            trailers: body.trailers,
        };
        dispatch(self.server, &request)
    }

    /// Refuses a request above the limit of its key's partition.
    fn throttle(&self, operation: Operation, resource: &Resource<'_>) -> Result<(), S3Error> {
        let Some(limits) = self.server.weather.partition_limits() else {
            return Ok(());
        };
        let key = if resource.key.is_empty() {
            start_key(self.query)?
        } else {
            resource.key.clone().into_owned().into_bytes()
        };
        let now = self.server.clock.model_elapsed();
        let admitted =
            self.server
                .partitions
                .admit(&limits, operation.rate(), &resource.bucket, &key, now);
        if admitted {
            return Ok(());
        }
        self.server.counters.throttled();
        Err(injected_error(ErrorCode::SlowDown))
    }

    fn error(&self, error: &S3Error) -> Response {
        Response::error(
            error,
            self.head.uri.path(),
            &self.request_id,
            self.body_rule,
        )
    }

    fn response(&self, reported: Reported, operation: Operation) -> Response {
        match reported {
            Reported::Response(response) => response,
            Reported::Error(error) => self.error(&error),
            Reported::ErrorIn200(error) => {
                let path = self.head.uri.path();
                if operation.can_fail_in_200() {
                    Response::xml(error.document(path, &self.request_id))
                } else {
                    Response::error(&error, path, &self.request_id, BodyRule::Body)
                }
            }
        }
    }

    fn count(&self, operation: Operation, response: &Response, bytes_in: u64) {
        let bytes_out = match self.body_rule {
            BodyRule::HeadersOnly => 0,
            BodyRule::Body => response.content.length(),
        };
        self.server.counters.response(
            operation,
            ResponseCount {
                status: response.status,
                bytes_in,
                bytes_out,
                copied_bytes: response.copied_bytes,
                crossed_bytes: response.crossed_bytes,
                keys_listed: response.listed,
            },
        );
    }

    /// Converts a response to HTTP.
    fn finish(
        &self,
        mut response: Response,
        fault: Option<&Fault>,
    ) -> hyper::Response<ResponseBody> {
        response.set("x-amz-request-id", &self.request_id);
        response.set_static("x-amz-id-2", "s3-model");
        response.set_static("server", "AmazonS3");
        if self.server.clock.skew_s() != 0 {
            response.set("date", &http_date(self.server.clock.now_s()));
        }
        let content = match self.body_rule {
            BodyRule::Body => response.content,
            BodyRule::HeadersOnly => {
                if response.status < 300 {
                    let length = response.content.length();
                    response.set("content-length", &length.to_string());
                }
                Content::Empty
            }
        };
        let mut converted = hyper::Response::new(body(self.server, content, fault));
        *converted.status_mut() =
            StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        *converted.headers_mut() = response.headers;
        converted
    }
}
