//! S3's own clock, read from the `Date` header of its responses.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::BeforeDeserializationInterceptorContextRef},
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::{DateTime, config_bag::ConfigBag, date_time::Format};
use shardlift_core::value::time::Timestamp;

/// Keeps the `Date` of the last response to a call, because the SDK's outputs leave it out.
#[derive(Debug, Clone, Default)]
pub(crate) struct ResponseDate(Arc<Mutex<Option<Timestamp>>>);

impl ResponseDate {
    /// The date in whole seconds; `None` if the response had none.
    pub(crate) fn get(&self) -> Option<Timestamp> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intercept for ResponseDate {
    fn name(&self) -> &'static str {
        "ResponseDate"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let header = context.response().headers().get("date");
        let date = header
            .and_then(|text| DateTime::from_str(text, Format::HttpDate).ok())
            .and_then(|date| timestamp(&date));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = date;
        Ok(())
    }
}

/// Converts the SDK's date; `None` if it lies outside the range of milliseconds.
pub(crate) fn timestamp(date: &DateTime) -> Option<Timestamp> {
    date.to_millis().ok().map(Timestamp::from_millis)
}
