//! Puts our own reader of listings in the place of the SDK's, within the SDK's call: signing, endpoints, retries and
//! error answers stay what they are, and a page that cannot be read is asked for again.

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

use super::{error_document::ErrorDocument, listing_document::ListingDocument};

/// Reads the page of one call, and keeps it until it is taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct ListingReader(Arc<Mutex<Option<ListingDocument>>>);

impl ListingReader {
    /// The page that was read.
    pub(crate) fn take(&self) -> Option<ListingDocument> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, document: ListingDocument) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(document);
    }
}

impl Intercept for ListingReader {
    fn name(&self) -> &'static str {
        "ListingReader"
    }

    fn read_before_execution(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let reader = SharedResponseDeserializer::new(PageDeserializer(self.clone()));
        config.interceptor_state().store_put(reader);
        Ok(())
    }
}

/// Reads pages into its reader, and error answers into the SDK's own error, which its retries look at.
#[derive(Debug)]
struct PageDeserializer(ListingReader);

impl DeserializeResponse for PageDeserializer {
    fn deserialize_nonstreaming_with_config(
        &self,
        response: &HttpResponse,
        _config: &ConfigBag,
    ) -> Result<Output, OrchestratorError<Error>> {
        let body = response.body().bytes().unwrap_or_default();
        let refusal = ErrorDocument::parse(body);
        if refusal.is_some() || response.status().as_u16() != 200 {
            let error = ListObjectsV2Error::generic(refusal.unwrap_or_default().into_metadata());
            return Err(OrchestratorError::operation(Error::erase(error)));
        }
        // A response error is one that the SDK tries again.
        let document = ListingDocument::parse(body)
            .map_err(|problem| OrchestratorError::response(problem.into()))?;
        self.0.put(document);
        Ok(Output::erase(ListObjectsV2Output::builder().build()))
    }
}
