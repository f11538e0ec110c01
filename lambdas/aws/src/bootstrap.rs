//! From the Lambda runtime to a handler: raw JSON in, a stable failure code out.

use std::{future::Future, panic::AssertUnwindSafe, time::Instant};

use futures::FutureExt;
use lambda_runtime::{Context, Diagnostic, LambdaEvent, service_fn};
use serde_json::Value;
use shardlift_core::{deadline::Deadline, failure::Failure, port::Clock, time::Timestamp};

pub use crate::settings::Settings;
use crate::{system_clock::SystemClock, telemetry::field};

/// One invocation of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// When it must stop.
    pub deadline: Deadline,
    /// Its id at Lambda.
    pub request_id: String,
}

/// What a function does with a payload. An invocation may come twice.
pub trait Handler: Send + Sync {
    /// Handles one payload.
    fn handle(
        &self,
        payload: Value,
        invocation: Invocation,
    ) -> impl Future<Output = Result<Value, Failure>> + Send;
}

/// A function that could not be set up answers every invocation with the reason, so that the state machine sees its
/// code and not a process that ended.
impl<H: Handler> Handler for Result<H, Failure> {
    async fn handle(&self, payload: Value, invocation: Invocation) -> Result<Value, Failure> {
        match self {
            Ok(handler) => handler.handle(payload, invocation).await,
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
        let invocation = invocation(&event.context);
        answer(handler, event.payload, invocation)
            .await
            .map_err(Refusal)
    }))
    .await
}

/// Handles one payload; a panic becomes `InvariantViolated`. Failures are logged here and nowhere else.
async fn answer(
    handler: &impl Handler,
    payload: Value,
    invocation: Invocation,
) -> Result<Value, Failure> {
    let began = Instant::now();
    let request_id = invocation.request_id.clone();
    let handled = AssertUnwindSafe(handler.handle(payload, invocation))
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

/// What a panic said.
fn told(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("without a message")
}

fn invocation(context: &Context) -> Invocation {
    let ends_at = Timestamp::from_millis(i64::try_from(context.deadline).unwrap_or(i64::MAX));
    Invocation {
        deadline: Deadline::new(SystemClock.now(), ends_at),
        request_id: context.request_id.clone(),
    }
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
    use shardlift_core::failure::FailureCode;

    use super::*;

    struct Answering(fn() -> Result<Value, Failure>);

    impl Handler for Answering {
        async fn handle(&self, _: Value, _: Invocation) -> Result<Value, Failure> {
            (self.0)()
        }
    }

    async fn answered(handler: impl Handler) -> Result<Value, Failure> {
        let now = SystemClock.now();
        let invocation = Invocation {
            deadline: Deadline::new(now, now),
            request_id: "id".into(),
        };
        answer(&handler, Value::Null, invocation).await
    }

    #[tokio::test]
    async fn a_panic_is_a_violated_invariant_that_says_what_was_found() {
        let failure = answered(Answering(|| panic!("two and two are {}", 5)))
            .await
            .unwrap_err();
        assert_eq!(failure.code, FailureCode::InvariantViolated);
        assert!(failure.detail.contains("two and two are 5"));
    }

    #[tokio::test]
    async fn a_function_that_could_not_be_set_up_says_why_each_time() {
        let broken: Result<Answering, Failure> =
            Err(Failure::new(FailureCode::InvalidRun, "LEDGER_TABLE"));
        assert_eq!(
            answered(broken).await.unwrap_err().code,
            FailureCode::InvalidRun
        );
    }

    #[test]
    fn the_error_type_is_the_code() {
        let refusal = Refusal(Failure::new(FailureCode::Throttled, "slow down"));
        let diagnostic = Diagnostic::from(refusal);
        assert_eq!(diagnostic.error_type, "Throttled");
        assert_eq!(diagnostic.error_message, "slow down");
    }
}
