//! Replaces the SDK's parser of listings by ours within the SDK's call. Signing, endpoints, retries and the handling of
//! errors stay with the SDK, and a page that cannot be read is requested again.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

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
use aws_smithy_types::{config_bag::ConfigBag, error::ErrorMetadata};

use crate::fault_mapping::ErrorDocument;

/// An operation of the SDK whose response lists something.
pub(in crate::s3) trait Listing: fmt::Debug + Send + Sync + 'static {
    /// What its response becomes.
    type Page: fmt::Debug + Send + 'static;

    /// Reads the document of a response. Whatever no intact listing contains is an error (P11).
    fn parse(body: &[u8]) -> Result<Self::Page, BoxError>;

    /// The SDK's own error of the operation, which decides on retries.
    fn error(metadata: ErrorMetadata) -> Error;

    /// The SDK's own output, without anything in it.
    fn output() -> Output;
}

/// Deserializes the page of one call, and keeps it until it is taken.
#[derive(Debug)]
pub(in crate::s3) struct PageDeserializer<L: Listing>(Arc<Mutex<Option<L::Page>>>);

impl<L: Listing> Clone for PageDeserializer<L> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<L: Listing> Default for PageDeserializer<L> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<L: Listing> PageDeserializer<L> {
    /// The page of the last successful response.
    pub(in crate::s3) fn take(&self) -> Option<L::Page> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, page: L::Page) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(page);
    }
}

/// As an interceptor it installs itself as the deserializer of the call.
impl<L: Listing> Intercept for PageDeserializer<L> {
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
impl<L: Listing> DeserializeResponse for PageDeserializer<L> {
    fn deserialize_nonstreaming_with_config(
        &self,
        response: &HttpResponse,
        _config: &ConfigBag,
    ) -> Result<Output, OrchestratorError<Error>> {
        let body = response.body().bytes().unwrap_or_default();
        let error_document = ErrorDocument::parse(body);
        if error_document.is_some() || response.status().as_u16() != 200 {
            let metadata = error_document.unwrap_or_default().into_metadata();
            return Err(OrchestratorError::operation(L::error(metadata)));
        }
        // The SDK retries after a response error.
        self.put(L::parse(body).map_err(OrchestratorError::response)?);
        Ok(L::output())
    }
}
