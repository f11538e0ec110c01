use std::future::Future;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use shardlift_core::{failure::Failure, run::event, value::deadline::Deadline};

/// What a function does with an event of the state machine. An event may arrive twice.
pub trait Handler: Send + Sync {
    /// What the state machine sends.
    type Event: DeserializeOwned + Send;
    /// What the function returns to it.
    type Reply: Serialize + Send;

    /// Reads a payload. That of the state machine has a version.
    ///
    /// # Errors
    /// `InvalidRun` for a payload of another release, or none.
    fn read(payload: &RawValue) -> Result<Self::Event, Failure> {
        event::parse(payload)
    }

    /// Handles one event, and stops before `deadline`.
    fn handle(
        &self,
        event: Self::Event,
        deadline: Deadline,
    ) -> impl Future<Output = Result<Self::Reply, Failure>> + Send;
}

/// A function whose setup failed reports the failure for every invocation, so that the state machine sees its code
/// instead of a process that exited.
impl<H: Handler> Handler for Result<H, Failure> {
    type Event = H::Event;
    type Reply = H::Reply;

    fn read(payload: &RawValue) -> Result<H::Event, Failure> {
        H::read(payload)
    }

    async fn handle(&self, event: H::Event, deadline: Deadline) -> Result<H::Reply, Failure> {
        match self {
            Ok(handler) => handler.handle(event, deadline).await,
            Err(failure) => Err(failure.clone()),
        }
    }
}
