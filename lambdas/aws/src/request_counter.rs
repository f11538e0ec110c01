//! Counts requests attempt by attempt, because AWS bills every attempt except those that fail with a 5xx. It also counts
//! throttled attempts, which are otherwise hidden by retries.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            Intercept,
            context::{
                AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
            },
        },
        orchestrator::Metadata,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::ConfigBag;
use shardlift_core::value::tally::{RequestCounts, THROTTLED_REQUESTS};

use crate::fault_mapping::is_throttled;

/// Counts by operation, under the names that the cost estimate has prices for: `s3:CopyObject`, `dynamodb:PutItem`.
#[derive(Debug, Clone, Default)]
pub(crate) struct RequestCounter(Arc<Mutex<BTreeMap<String, u64>>>);

impl RequestCounter {
    pub(crate) fn add(&self, operation: &str, count: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match counts.get_mut(operation) {
            Some(known) => *known += count,
            None => {
                counts.insert(operation.to_owned(), count);
            }
        }
    }

    pub(crate) fn counts(&self) -> RequestCounts {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// As an interceptor of an S3 client, it counts each attempt.
impl Intercept for RequestCounter {
    fn name(&self) -> &'static str {
        "RequestCounter"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let metadata = config
            .load::<Metadata>()
            .ok_or("a request without an operation name")?;
        self.add(&format!("s3:{}", metadata.name()), 1);
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if context.output_or_error().is_err() && is_throttled(context.response()) {
            self.add(THROTTLED_REQUESTS, 1);
        }
        Ok(())
    }
}
