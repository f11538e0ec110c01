//! The HTTP side: connections, and the way of a request through the weather to its handler.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper::body::Incoming;
use hyper::header::HeaderValue;
use hyper::{Method, Request, Response, StatusCode};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::body::WireBody;
use crate::connection::connection;
use crate::control;
use crate::counters::Tally;
use crate::error::{ErrorCode, S3Error};
use crate::handlers::dispatch;
use crate::identity::expired_token;
use crate::key_space::{float, whole};
use crate::listing;
use crate::lock::read;
use crate::model::{Inner, Model};
use crate::operation::Operation;
use crate::reply::{Content, Reply, error_document};
use crate::request::{Call, Query, Resource, operation};
use crate::upload_body::receive;
use crate::weather::Fault;

/// A running server. Dropping it closes the listener and every connection.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What an S3 client takes for its endpoint.
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Serves until the task is cancelled or the listener breaks.
    pub async fn run(mut self) {
        // The join error says that the task was cancelled, which is how a server ends.
        if (&mut self.accepting).await.is_err() {
            self.accepting.abort();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Serves a model on a listener that is already bound, on the current tokio runtime.
pub(crate) fn serve(model: Model, listener: TcpListener) -> std::io::Result<Server> {
    let address = listener.local_addr()?;
    let accepting = tokio::spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    // A connection that broke before it was accepted is the client's loss.
                    if let Ok((stream, _)) = accepted {
                        connections.spawn(connection(model.inner.clone(), stream));
                    }
                }
                Some(_) = connections.join_next() => {}
            }
        }
    });
    Ok(Server { address, accepting })
}

/// The weather reset the connection.
#[derive(Debug, thiserror::Error)]
#[error("the weather reset the connection")]
pub(crate) struct Dropped;

pub(crate) async fn answer(
    model: Arc<Inner>,
    reset: Arc<AtomicBool>,
    request: Request<Incoming>,
) -> Result<Response<WireBody>, Dropped> {
    if request.uri().path().starts_with(control::PATH) {
        return Ok(control::answer(&model, request).await);
    }
    let _in_flight = model.counters.begin();
    let (parts, incoming) = request.into_parts();
    let query = Query::new(&parts.uri);
    let routed = Resource::new(&parts.uri).and_then(|resource| {
        Ok((
            operation(&parts.method, &resource, query, &parts.headers)?,
            resource,
        ))
    });
    let request_id = format!("{:016X}", model.next_number());
    let is_head = parts.method == Method::HEAD;
    let (operation, resource) = match routed {
        Ok(routed) => routed,
        Err(error) => {
            model.counters.unrouted();
            let reply = Reply::refusal(&error, parts.uri.path(), &request_id, is_head);
            return Ok(wire(reply, &request_id, is_head, None, &model));
        }
    };
    let received = receive(&parts.headers, incoming).await;
    let fault = model.sky.fault(operation, &resource.bucket, &resource.key);
    if let Some(fault) = &fault {
        model.counters.fault(fault.name());
    }
    let bytes_in = received
        .as_ref()
        .map_or(0, |received| received.body.len() as u64);
    let result = received.and_then(|received| {
        let refused = refusal_before(fault.as_ref())?;
        if refused {
            return Ok(Reply::empty(0));
        }
        throttle(&model, operation, &resource, query)?;
        let caller =
            read(&model.identities)
                .clone()
                .identify(&parts.headers, query, &model.clock)?;
        let call = Call {
            operation,
            bucket: &resource.bucket,
            key: &resource.key,
            query,
            headers: &parts.headers,
            caller,
            body: received.body,
            trailers: received.trailers,
        };
        dispatch(&model, &call)
    });
    let mut reply = settle(
        result,
        fault.as_ref(),
        parts.uri.path(),
        &request_id,
        is_head,
        operation,
    );
    pause(&model, operation, reply.copied_bytes, fault.as_ref()).await;
    if let Some(Fault::Reset { .. }) = fault {
        model.counters.dropped();
        reset.store(true, Ordering::Release);
        return Err(Dropped);
    }
    if let Some(Fault::CutBody {
        share,
        well_framed: true,
    }) = fault
        && let Content::Bytes(bytes) = &reply.content
    {
        reply.content = Content::Bytes(
            bytes.slice(..usize::try_from(portion(bytes.len() as u64, share)).unwrap_or(0)),
        );
    }
    model.counters.answered(
        operation,
        Tally {
            status: reply.status,
            bytes_in,
            bytes_out: if is_head { 0 } else { reply.content.length() },
            copied_bytes: reply.copied_bytes,
            crossed_bytes: reply.crossed_bytes,
            keys_listed: reply.listed,
        },
    );
    Ok(wire(reply, &request_id, is_head, fault.as_ref(), &model))
}

/// Refuses what the weather refuses before the effect. `true`: the request is not to be carried
/// out, and something else than a refusal follows.
fn refusal_before(fault: Option<&Fault>) -> Result<bool, S3Error> {
    match fault {
        Some(
            Fault::Refuse {
                code,
                happened: false,
            }
            | Fault::RefuseIn200 {
                code,
                happened: false,
            },
        ) => Err(weather_error(*code)),
        Some(Fault::ExpireSession) => Err(expired_token()),
        Some(Fault::Reset { happened: false }) => Ok(true),
        _ => Ok(false),
    }
}

fn weather_error(code: ErrorCode) -> S3Error {
    let message = match code {
        ErrorCode::SlowDown => "Please reduce your request rate.",
        ErrorCode::InternalError => "We encountered an internal error. Please try again.",
        ErrorCode::ServiceUnavailable => "Service is unable to handle request.",
        _ => "The weather refused the request.",
    };
    S3Error::new(code, message)
}

/// Holds the limits of the key's partition, and of the copy source's.
fn throttle(
    model: &Inner,
    operation: Operation,
    resource: &Resource<'_>,
    query: Query<'_>,
) -> Result<(), S3Error> {
    let Some(limits) = model.sky.partition_limits() else {
        return Ok(());
    };
    let position = if resource.key.is_empty() {
        listing::position(query)?
    } else {
        resource.key.clone().into_owned().into_bytes()
    };
    let now = model.clock.model_elapsed();
    if model
        .partitions
        .admit(&limits, operation.rate(), &resource.bucket, &position, now)
    {
        return Ok(());
    }
    model.counters.throttled();
    Err(weather_error(ErrorCode::SlowDown))
}

/// Turns the handler's result into an answer, as the weather wants it.
fn settle(
    result: Result<Reply, S3Error>,
    fault: Option<&Fault>,
    resource: &str,
    request_id: &str,
    is_head: bool,
    operation: Operation,
) -> Reply {
    let refuse = |error: &S3Error| Reply::refusal(error, resource, request_id, is_head);
    match (result, fault) {
        (
            Ok(_),
            Some(Fault::Refuse {
                code,
                happened: true,
            }),
        ) => refuse(&weather_error(*code)),
        (Ok(_), Some(Fault::RefuseIn200 { code, .. })) => {
            in_200(&weather_error(*code), resource, request_id, operation)
        }
        (
            Err(error),
            Some(Fault::RefuseIn200 {
                happened: false, ..
            }),
        ) => in_200(&error, resource, request_id, operation),
        (Ok(reply), _) => reply,
        (Err(error), _) => refuse(&error),
    }
}

fn in_200(error: &S3Error, resource: &str, request_id: &str, operation: Operation) -> Reply {
    if operation.can_fail_in_200() {
        Reply::xml(error_document(error, resource, request_id))
    } else {
        Reply::refusal(error, resource, request_id, false)
    }
}

async fn pause(model: &Inner, operation: Operation, copied_bytes: u64, fault: Option<&Fault>) {
    let mut latency = model.sky.latency(operation, copied_bytes);
    if let Some(Fault::Delay { ms }) = fault {
        latency += std::time::Duration::from_millis(*ms);
    }
    if !latency.is_zero() {
        tokio::time::sleep(model.clock.real(latency)).await;
    }
}

/// A share of a length.
fn portion(length: u64, share: f64) -> u64 {
    whole(float(length) * share.clamp(0.0, 1.0))
}

/// Puts an answer on the wire.
fn wire(
    mut reply: Reply,
    request_id: &str,
    is_head: bool,
    fault: Option<&Fault>,
    model: &Inner,
) -> Response<WireBody> {
    reply.text("x-amz-request-id", request_id);
    reply.set("x-amz-id-2", HeaderValue::from_static("s3-model"));
    reply.set("server", HeaderValue::from_static("AmazonS3"));
    if model.clock.skew_s() != 0 {
        reply.text("date", &crate::clock::http_date(model.clock.now_s()));
    }
    if is_head && reply.status < 300 {
        reply.text("content-length", &reply.content.length().to_string());
    }
    let content = if is_head {
        Content::Empty
    } else {
        reply.content
    };
    let length = content.length();
    let mut body = WireBody::new(content);
    match fault {
        Some(Fault::CutBody {
            share,
            well_framed: false,
        }) => body = body.cut_after(portion(length, *share)),
        Some(Fault::Silence { ms }) => {
            let silence = model.clock.real(std::time::Duration::from_millis(*ms));
            body = body.silent_for(tokio::time::sleep(silence));
        }
        _ => {}
    }
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = reply.headers;
    response
}

/// Serves a model on a free port of the loopback interface.
pub(crate) async fn start(model: Model) -> std::io::Result<Server> {
    serve(
        model,
        TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?,
    )
}
