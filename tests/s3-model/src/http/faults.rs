//! What a fault changes about a request and its response.

use std::time::Duration;

use crate::number::{float, whole};
use crate::protocol::error::S3Error;
use crate::protocol::error_code::ErrorCode;
use crate::protocol::operation::Operation;
use crate::protocol::response::{Content, Response};
use crate::protocol::response_body::ResponseBody;
use crate::state::ServerState;
use crate::weather::fault::Fault;

/// What happens to a request before the operation takes effect.
#[derive(Debug)]
pub(super) enum BeforeEffect {
    /// The handler carries the request out.
    CarryOut,
    /// The request is refused.
    Refuse(S3Error),
    /// The request is not carried out, and the connection will be reset.
    Skip,
}

/// Returns what a fault does before the operation takes effect.
pub(super) fn before_effect(fault: Option<&Fault>) -> BeforeEffect {
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
        ) => BeforeEffect::Refuse(injected_error(*code)),
        Some(Fault::ExpireSession) => BeforeEffect::Refuse(S3Error::expired_token()),
        Some(Fault::Reset { happened: false }) => BeforeEffect::Skip,
        _ => BeforeEffect::CarryOut,
    }
}

/// What the client is sent.
#[derive(Debug)]
pub(super) enum Reported {
    Response(Response),
    Error(S3Error),
    /// Status 200 with an error document.
    ErrorIn200(S3Error),
}

/// Returns what the client is sent instead of the handler's result.
pub(super) fn reported(result: Result<Response, S3Error>, fault: Option<&Fault>) -> Reported {
    match (result, fault) {
        (
            Ok(_),
            Some(Fault::Refuse {
                code,
                happened: true,
            }),
        ) => Reported::Error(injected_error(*code)),
        (Ok(_), Some(Fault::RefuseIn200 { code, .. })) => {
            Reported::ErrorIn200(injected_error(*code))
        }
        (
            Err(error),
            Some(Fault::RefuseIn200 {
                happened: false, ..
            }),
        ) => Reported::ErrorIn200(error),
        (Ok(response), _) => Reported::Response(response),
        (Err(error), _) => Reported::Error(error),
    }
}

/// Makes an error of the weather.
pub(super) fn injected_error(code: ErrorCode) -> S3Error {
    let message = match code {
        ErrorCode::SlowDown => "Please reduce your request rate.",
        ErrorCode::InternalError => "We encountered an internal error. Please try again.",
        ErrorCode::ServiceUnavailable => "Service is unable to handle request.",
        _ => "The weather refused the request.",
    };
    S3Error::new(code, message)
}

/// Waits for the latency of a request and the delay of a fault.
pub(super) async fn pause(
    server: &ServerState,
    operation: Operation,
    copied_bytes: u64,
    fault: Option<&Fault>,
) {
    let mut latency = server.weather.latency(operation, copied_bytes);
    if let Some(Fault::Delay { ms }) = fault {
        latency += Duration::from_millis(*ms);
    }
    if !latency.is_zero() {
        tokio::time::sleep(server.clock.real(latency)).await;
    }
}

/// Cuts the document of a response, if the fault cuts it under correct framing.
pub(super) fn cut_document(response: &mut Response, fault: Option<&Fault>) {
    if let Some(Fault::CutBody {
        share,
        well_framed: true,
    }) = fault
        && let Content::Bytes(bytes) = &response.content
    {
        let kept = usize::try_from(portion(bytes.len() as u64, *share)).unwrap_or(0);
        response.content = Content::Bytes(bytes.slice(..kept));
    }
}

/// Makes the body of a response, which a fault can cut off or stall.
pub(super) fn body(server: &ServerState, content: Content, fault: Option<&Fault>) -> ResponseBody {
    let length = content.length();
    let body = ResponseBody::new(content);
    match fault {
        Some(Fault::CutBody {
            share,
            well_framed: false,
        }) => body.cut_after(portion(length, *share)),
        Some(Fault::Silence { ms }) => {
            let silence = server.clock.real(Duration::from_millis(*ms));
            body.silent_for(tokio::time::sleep(silence))
        }
        _ => body,
    }
}

/// Returns a share of a length.
fn portion(length: u64, share: f64) -> u64 {
    whole(float(length) * share.clamp(0.0, 1.0))
}
