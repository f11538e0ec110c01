//! Replaces the SDK's parser of listings by ours within the SDK's call. Signing, endpoints, retries and the handling of
//! errors stay with the SDK, and a page that cannot be read is requested again.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_s3::operation::list_objects_v2::{ListObjectsV2Error, ListObjectsV2Output};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            Intercept,
            context::{BeforeSerializationInterceptorContextRef, Error, Output},
        },
        orchestrator::{HttpResponse, OrchestratorError},
        ser_de::{DeserializeResponse, SharedResponseDeserializer},
    },
};
use aws_smithy_types::config_bag::ConfigBag;
use shardlift_core::port::ObjectPage;

use super::document;
use crate::fault_mapping::ErrorDocument;

/// Deserializes the page of one call, and keeps it until it is taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct PageDeserializer(Arc<Mutex<Option<ObjectPage>>>);

impl PageDeserializer {
    /// The page of the last successful response.
    pub(crate) fn take(&self) -> Option<ObjectPage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, page: ObjectPage) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(page);
    }
}

/// As an interceptor it installs itself as the deserializer of the call.
impl Intercept for PageDeserializer {
    fn name(&self) -> &'static str {
        "PageDeserializer"
    }

    fn read_before_execution(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let deserializer = SharedResponseDeserializer::new(self.clone());
        config.interceptor_state().store_put(deserializer);
        Ok(())
    }
}

/// Keeps the page, and turns an error response into the SDK's own error, which decides on retries.
impl DeserializeResponse for PageDeserializer {
    fn deserialize_nonstreaming_with_config(
        &self,
        response: &HttpResponse,
        _config: &ConfigBag,
    ) -> Result<Output, OrchestratorError<Error>> {
        let body = response.body().bytes().unwrap_or_default();
        let error_document = ErrorDocument::parse(body);
        if error_document.is_some() || response.status().as_u16() != 200 {
            let metadata = error_document.unwrap_or_default().into_metadata();
            let error = Error::erase(ListObjectsV2Error::generic(metadata));
            return Err(OrchestratorError::operation(error));
        }
        // The SDK retries after a response error.
        let page =
            document::parse(body).map_err(|problem| OrchestratorError::response(problem.into()))?;
        self.put(page);
        Ok(Output::erase(ListObjectsV2Output::builder().build()))
    }
}
