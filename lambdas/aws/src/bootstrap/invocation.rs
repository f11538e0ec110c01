//! Connects the Lambda runtime to a handler. JSON is parsed and written here, and a failure is reported by its stable
//! code.

use std::{panic::AssertUnwindSafe, time::Instant};

use futures::FutureExt;
use lambda_runtime::{Context, Diagnostic, LambdaEvent, service_fn};
use serde_json::{Value, value::RawValue};
use shardlift_core::{
    failure::Failure,
    port::Clock,
    value::{deadline::Deadline, time::Timestamp},
};

use super::handler::Handler;
use crate::{system_clock::SystemClock, telemetry::field};

/// Serves invocations until Lambda shuts the environment down.
///
/// # Errors
/// When the Lambda runtime API fails.
pub async fn run(handler: impl Handler) -> Result<(), lambda_runtime::Error> {
    let handler = &handler;
    lambda_runtime::run(service_fn(
        move |event: LambdaEvent<Box<RawValue>>| async move {
            let LambdaEvent { payload, context } = event;
            respond(handler, &payload, deadline(&context), &context.request_id)
                .await
                .map_err(ReportedFailure)
        },
    ))
    .await
}

/// Handles one payload; a panic becomes `InvariantViolated`. Failures are logged only here.
async fn respond(
    handler: &impl Handler,
    payload: &RawValue,
    deadline: Deadline,
    request_id: &str,
) -> Result<Value, Failure> {
    let started = Instant::now();
    let handled = AssertUnwindSafe(handle(handler, payload, deadline))
        .catch_unwind()
        .await
        .unwrap_or_else(|panic| {
            Err(Failure::invariant(format!(
                "panic: {}",
                message_of(&*panic)
            )))
        });
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    match &handled {
        Ok(_) => tracing::info!(
            { field::AWS_REQUEST_ID } = request_id,
            { field::DURATION_MS } = duration_ms,
            "invocation succeeded"
        ),
        Err(failure) => tracing::error!(
            { field::AWS_REQUEST_ID } = request_id,
            { field::DURATION_MS } = duration_ms,
            { field::ERROR_CODE } = failure.code.name(),
            { field::ERROR_DETAIL } = failure.detail,
            "invocation failed"
        ),
    }
    handled
}

async fn handle<H: Handler>(
    handler: &H,
    payload: &RawValue,
    deadline: Deadline,
) -> Result<Value, Failure> {
    let reply = handler.handle(H::read(payload)?, deadline).await?;
    serde_json::to_value(reply)
        .map_err(|error| Failure::invariant(format!("the reply cannot be written: {error}")))
}

/// The message of a panic.
fn message_of(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a message")
}

fn deadline(context: &Context) -> Deadline {
    let ends_at = Timestamp::from_millis(i64::try_from(context.deadline).unwrap_or(i64::MAX));
    let memory_mb = u32::try_from(context.env_config.memory).unwrap_or(0);
    Deadline::new(SystemClock.now(), ends_at).with_memory_mb(memory_mb)
}

/// A failure as Lambda reports it; the state machine's `ErrorEquals` matches `errorType`.
#[derive(Debug)]
struct ReportedFailure(Failure);

impl From<ReportedFailure> for Diagnostic {
    fn from(ReportedFailure(failure): ReportedFailure) -> Self {
        Self {
            error_type: failure.code.name().to_owned(),
            error_message: failure.detail,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shardlift_core::{failure::FailureCode, run::event};

    use super::*;

    struct Replying(fn() -> Result<Value, Failure>);

    impl Handler for Replying {
        type Event = Value;
        type Reply = Value;

        async fn handle(&self, _: Value, _: Deadline) -> Result<Value, Failure> {
            (self.0)()
        }
    }

    async fn invoke(handler: impl Handler, payload: &Value) -> Result<Value, Failure> {
        let now = SystemClock.now();
        let payload = serde_json::value::to_raw_value(payload).unwrap();
        respond(&handler, &payload, Deadline::new(now, now), "id").await
    }

    fn payload() -> Value {
        json!({"schema_version": event::EVENT_VERSION})
    }

    #[tokio::test]
    async fn a_panic_is_a_violated_invariant_with_its_message() {
        let broken = Replying(|| panic!("two and two are {}", 5));
        let failure = invoke(broken, &payload()).await.unwrap_err();
        assert_eq!(failure.code, FailureCode::InvariantViolated);
        assert!(failure.detail.contains("two and two are 5"));
    }

    #[tokio::test]
    async fn a_function_whose_setup_failed_reports_why_each_time() {
        let broken: Result<Replying, Failure> =
            Err(Failure::new(FailureCode::InvalidRun, "LEDGER_TABLE"));
        let failure = invoke(broken, &payload()).await.unwrap_err();
        assert_eq!(failure.code, FailureCode::InvalidRun);
        assert_eq!(failure.detail, "LEDGER_TABLE");
    }

    #[tokio::test]
    async fn a_payload_of_another_release_is_rejected_before_it_is_handled() {
        let never = || panic!("it was handled");
        let later = json!({"schema_version": event::EVENT_VERSION + 1});
        let failure = invoke(Replying(never), &later).await.unwrap_err();
        assert_eq!(failure.code, FailureCode::InvalidRun);
    }

    #[test]
    fn the_error_type_is_the_code() {
        let reported = ReportedFailure(Failure::new(FailureCode::Throttled, "slow down"));
        let diagnostic = Diagnostic::from(reported);
        assert_eq!(diagnostic.error_type, "Throttled");
        assert_eq!(diagnostic.error_message, "slow down");
    }
}
