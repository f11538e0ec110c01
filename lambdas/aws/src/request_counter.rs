//! Counts requests attempt by attempt, as S3 bills them: all but those to which it responds with a 5xx
//! (docs.aws.amazon.com/AmazonS3/latest/userguide/ErrorCodeBilling.html). These are counted apart, because retries would
//! hide them.

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
use shardlift_core::value::tally::{RequestCounts, SERVER_ERRORS, THROTTLED_REQUESTS};

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

    /// Takes out an attempt that was counted when it was sent.
    fn take_out(&self, operation: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(operation) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(operation);
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

/// As an interceptor of an S3 client, it counts each attempt when it is sent, since an attempt without a response may be
/// billed, and takes those out again that are not.
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
        self.add(&operation(config)?, 1);
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if context.output_or_error().is_ok() {
            return Ok(());
        }
        let response = context.response();
        let is_server_error = response.status().is_server_error();
        if is_server_error {
            self.take_out(&operation(config)?);
        }
        if is_throttled(response) {
            self.add(THROTTLED_REQUESTS, 1);
        } else if is_server_error {
            self.add(SERVER_ERRORS, 1);
        }
        Ok(())
    }
}

fn operation(config: &ConfigBag) -> Result<String, BoxError> {
    let metadata = config
        .load::<Metadata>()
        .ok_or("a request without an operation name")?;
    Ok(format!("s3:{}", metadata.name()))
}
