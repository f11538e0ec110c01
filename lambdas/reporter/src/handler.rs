//! The reporter as a Lambda handler.

use shardlift_aws::bootstrap::{Handler, Invocation};
use shardlift_core::{
    event::{self, ReporterEvent},
    failure::Failure,
    port::{Accounts, Clock, ControlStore, Ledger, Notifier},
};

use crate::Reporter;

impl<A, L, C, N, K> Handler for Reporter<A, L, C, N, K>
where
    A: Accounts,
    L: Ledger,
    C: ControlStore,
    N: Notifier,
    K: Clock,
{
    async fn handle(
        &self,
        payload: serde_json::Value,
        invocation: Invocation,
    ) -> Result<serde_json::Value, Failure> {
        let event: ReporterEvent = event::parse(&payload)?;
        let result = self.report(&event, invocation.deadline).await?;
        serde_json::to_value(result)
            .map_err(|error| Failure::invariant(format!("the result is no JSON: {error}")))
    }
}
