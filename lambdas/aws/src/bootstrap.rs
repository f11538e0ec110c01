//! From the Lambda runtime to a handler and back: JSON is read and written here, and a failure leaves under its stable
//! code.

use std::{future::Future, panic::AssertUnwindSafe, time::Instant};

use futures::FutureExt;
use lambda_runtime::{Context, Diagnostic, LambdaEvent, service_fn};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use shardlift_core::{
    failure::Failure,
    port::Clock,
    run::event,
    value::{deadline::Deadline, time::Timestamp},
};

pub use crate::settings::Settings;
use crate::{system_clock::SystemClock, telemetry::field};

/// What a function does with an event of the state machine. An event may come twice.
pub trait Handler: Send + Sync {
    /// What the state machine sends.
    type Event: DeserializeOwned + Send;
    /// What it gets back.
    type Reply: Serialize + Send;

    /// Handles one event, and stops in time for `deadline`.
    fn handle(
        &self,
        event: Self::Event,
        deadline: Deadline,
    ) -> impl Future<Output = Result<Self::Reply, Failure>> + Send;
}

/// A function that could not be set up answers every invocation with the reason, so that the state machine sees its
/// code and not a process that ended.
impl<H: Handler> Handler for Result<H, Failure> {
    type Event = H::Event;
    type Reply = H::Reply;

    async fn handle(&self, event: H::Event, deadline: Deadline) -> Result<H::Reply, Failure> {
        match self {
            Ok(handler) => handler.handle(event, deadline).await,
            Err(failure) => Err(failure.clone()),
        }
    }
}

/// Serves invocations until the environment ends.
///
/// # Errors
/// When the Lambda runtime API fails.
pub async fn run(handler: impl Handler) -> Result<(), lambda_runtime::Error> {
    let handler = &handler;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        let LambdaEvent { payload, context } = event;
        answer(handler, &payload, deadline(&context), &context.request_id)
            .await
            .map_err(Refusal)
    }))
    .await
}

/// Handles one payload; a panic becomes `InvariantViolated`. Failures are logged here and nowhere else.
async fn answer(
    handler: &impl Handler,
    payload: &Value,
    deadline: Deadline,
    request_id: &str,
) -> Result<Value, Failure> {
    let began = Instant::now();
    let handled = AssertUnwindSafe(handle(handler, payload, deadline))
        .catch_unwind()
        .await
        .unwrap_or_else(|panic| Err(Failure::invariant(format!("panic: {}", told(&*panic)))));
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    match &handled {
        Ok(_) => tracing::info!(
            { field::AWS_REQUEST_ID } = request_id,
            { field::DURATION_MS } = duration_ms,
            "invocation answered"
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
    payload: &Value,
    deadline: Deadline,
) -> Result<Value, Failure> {
    let reply = handler.handle(event::parse(payload)?, deadline).await?;
    serde_json::to_value(reply)
        .map_err(|error| Failure::invariant(format!("the reply cannot be written: {error}")))
}

/// What a panic said.
fn told(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a message")
}

fn deadline(context: &Context) -> Deadline {
    let ends_at = Timestamp::from_millis(i64::try_from(context.deadline).unwrap_or(i64::MAX));
    Deadline::new(SystemClock.now(), ends_at)
}

/// A failure as Lambda tells it: `errorType` is what the state machine's `ErrorEquals` matches.
#[derive(Debug)]
struct Refusal(Failure);

impl From<Refusal> for Diagnostic {
    fn from(Refusal(failure): Refusal) -> Self {
        Self {
            error_type: failure.code.name().to_owned(),
            error_message: failure.detail,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shardlift_core::failure::FailureCode;

    use super::*;

    struct Answering(fn() -> Result<Value, Failure>);

    impl Handler for Answering {
        type Event = Value;
        type Reply = Value;

        async fn handle(&self, _: Value, _: Deadline) -> Result<Value, Failure> {
            (self.0)()
        }
    }

    async fn answered(handler: impl Handler, payload: &Value) -> Result<Value, Failure> {
        let now = SystemClock.now();
        answer(&handler, payload, Deadline::new(now, now), "id").await
    }

    fn payload() -> Value {
        json!({"schema_version": event::EVENT_VERSION})
    }

    #[tokio::test]
    async fn a_panic_is_a_violated_invariant_that_says_what_was_found() {
        let broken = Answering(|| panic!("two and two are {}", 5));
        let failure = answered(broken, &payload()).await.unwrap_err();
        assert_eq!(failure.code, FailureCode::InvariantViolated);
        assert!(failure.detail.contains("two and two are 5"));
    }

    #[tokio::test]
    async fn a_function_that_could_not_be_set_up_says_why_each_time() {
        let broken: Result<Answering, Failure> =
            Err(Failure::new(FailureCode::InvalidRun, "LEDGER_TABLE"));
        let failure = answered(broken, &payload()).await.unwrap_err();
        assert_eq!(failure.code, FailureCode::InvalidRun);
        assert_eq!(failure.detail, "LEDGER_TABLE");
    }

    #[tokio::test]
    async fn a_payload_of_another_release_is_refused_before_it_is_handled() {
        let never = || panic!("it was handled");
        let later = json!({"schema_version": event::EVENT_VERSION + 1});
        let failure = answered(Answering(never), &later).await.unwrap_err();
        assert_eq!(failure.code, FailureCode::InvalidRun);
    }

    #[test]
    fn the_error_type_is_the_code() {
        let refusal = Refusal(Failure::new(FailureCode::Throttled, "slow down"));
        let diagnostic = Diagnostic::from(refusal);
        assert_eq!(diagnostic.error_type, "Throttled");
        assert_eq!(diagnostic.error_message, "slow down");
    }
}
