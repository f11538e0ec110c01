//! The headers that S3 stores with an object, byte for byte: read from a HEAD, and stated again when an upload is created.
//!
//! The SDK's typed fields are texts, so a value that is not UTF-8 fails the call, or panics in the case of `Expires`.
//! [`ReadableResponses`] keeps the SDK from both, [`StoredHeaders`] reads the bytes, and [`StatedHeaders`] sends them.

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
                BeforeDeserializationInterceptorContextMut,
                BeforeDeserializationInterceptorContextRef,
                BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
            },
        },
        runtime_components::RuntimeComponents,
    },
    http::{Headers, NonUtf8HeaderHandling},
};
use aws_smithy_types::config_bag::ConfigBag;
use http::{HeaderMap, HeaderName, HeaderValue, header::EXPIRES};
use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    value::header::HeaderBytes,
};

const METADATA_PREFIX: &str = "x-amz-meta-";
/// docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
const SYSTEM_HEADERS: [&str; 7] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
    "x-amz-website-redirect-location",
];

/// Headers by lower-case name.
type ByName = BTreeMap<String, HeaderBytes>;

/// Lets the SDK read responses that have headers beyond UTF-8. The client must hold it, so that it comes before the SDK's
/// interceptors of the operation.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ReadableResponses;

impl Intercept for ReadableResponses {
    fn name(&self) -> &'static str {
        "ReadableResponses"
    }

    fn read_before_execution(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        config
            .interceptor_state()
            .store_put(NonUtf8HeaderHandling::Skip);
        Ok(())
    }

    /// Removes an `Expires` that is not UTF-8: the SDK unwraps its text without looking.
    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.response_mut().headers_mut();
        if headers
            .try_get(EXPIRES.as_str())
            .is_some_and(|value| value.is_err())
        {
            headers.remove(EXPIRES.as_str());
        }
        Ok(())
    }
}

/// Keeps the stored headers of the last response to a call, as they were received.
#[derive(Debug, Clone, Default)]
pub(crate) struct StoredHeaders(Arc<Mutex<ByName>>);

impl StoredHeaders {
    /// The system headers.
    pub(crate) fn system(&self) -> ByName {
        self.chosen(|name| SYSTEM_HEADERS.contains(&name).then_some(name))
    }

    /// The user metadata, without the prefix of its headers.
    pub(crate) fn metadata(&self) -> ByName {
        self.chosen(|name| name.strip_prefix(METADATA_PREFIX))
    }

    fn chosen(&self, chosen: impl Fn(&str) -> Option<&str>) -> ByName {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter()
            .filter_map(|(name, value)| Some((chosen(name)?.to_owned(), value.clone())))
            .collect()
    }
}

impl Intercept for StoredHeaders {
    fn name(&self) -> &'static str {
        "StoredHeaders"
    }

    /// Before any interceptor changes the response.
    fn read_after_transmit(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut values: BTreeMap<String, Vec<&[u8]>> = BTreeMap::new();
        for (name, value) in context.response().headers().iter_bytes() {
            values.entry(name.to_owned()).or_default().push(value);
        }
        // A header that is sent twice means the same as its values with a comma between them (RFC 9110, section 5.3).
        let joined = values
            .into_iter()
            .map(|(name, values)| (name, HeaderBytes::from(values.join(&b","[..]))));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = joined.collect();
        Ok(())
    }
}

/// States the stored headers in a request, byte for byte.
#[derive(Debug, Clone)]
pub(crate) struct StatedHeaders(HeaderMap);

impl StatedHeaders {
    /// The headers of a request of `operation`.
    ///
    /// # Errors
    /// When a header cannot be sent as it is.
    pub(crate) fn new(
        operation: &'static str,
        system: &ByName,
        metadata: &ByName,
    ) -> Result<Self, CallFault> {
        let metadata = metadata
            .iter()
            .map(|(name, value)| (format!("{METADATA_PREFIX}{name}"), value));
        let system = system.iter().map(|(name, value)| (name.clone(), value));
        let mut stated = HeaderMap::new();
        for (name, value) in system.chain(metadata) {
            let (name, value) = header(&name, value)
                .map_err(|why| CallFault::new(operation, FaultKind::Rejected, why))?;
            stated.insert(name, value);
        }
        Ok(Self(stated))
    }
}

/// The header as it is sent, or why it cannot be.
fn header(name: &str, value: &HeaderBytes) -> Result<(HeaderName, HeaderValue), String> {
    if value.as_text().is_none() && must_be_signed(name) {
        return Err(format!(
            "its header {name} ({value:?}) is not UTF-8, and cannot be signed for a copy in parts; CopyObject carries it: \
             set multipart_threshold_bytes above the object's size (at most 5 GiB), or write the header anew"
        ));
    }
    match (
        HeaderName::try_from(name),
        HeaderValue::from_bytes(value.as_bytes()),
    ) {
        (Ok(name), Ok(value)) => Ok((name, value)),
        _ => Err(format!(
            "its header {name} ({value:?}) cannot be sent in a request"
        )),
    }
}

/// The SDK signs headers of UTF-8 only and leaves the others unsigned, which S3 takes except for these
/// (docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, CanonicalHeaders).
fn must_be_signed(name: &str) -> bool {
    name.starts_with("x-amz-") || name == "content-type"
}

impl Intercept for StatedHeaders {
    fn name(&self) -> &'static str {
        "StatedHeaders"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.request_mut().headers_mut();
        let mut all = HeaderMap::new();
        for (name, value) in headers.iter_bytes() {
            all.append(HeaderName::try_from(name)?, HeaderValue::from_bytes(value)?);
        }
        for (name, value) in &self.0 {
            all.insert(name, value.clone());
        }
        *headers = Headers::try_from(all)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stated(name: &str, value: &[u8]) -> Result<StatedHeaders, CallFault> {
        let headers = BTreeMap::from([(name.to_owned(), HeaderBytes::from(value.to_vec()))]);
        match name.strip_prefix(METADATA_PREFIX) {
            None => StatedHeaders::new("s3:X", &headers, &BTreeMap::new()),
            Some(name) => {
                let metadata = [(
                    name.to_owned(),
                    headers[&format!("{METADATA_PREFIX}{name}")].clone(),
                )];
                StatedHeaders::new("s3:X", &BTreeMap::new(), &metadata.into())
            }
        }
    }

    #[test]
    fn only_what_cannot_be_sent_as_it_is_is_refused_by_its_name() {
        for (name, value) in [
            ("content-disposition", &b"f=\"\xdc\""[..]),
            ("expires", b"\xfc"),
            ("content-type", "text/ü".as_bytes()),
            ("x-amz-meta-a", "ü".as_bytes()),
            ("x-amz-meta-empty", b""),
        ] {
            assert!(stated(name, value).is_ok(), "{name}");
        }
        for (name, value) in [
            ("content-type", &b"\xdc"[..]),
            ("x-amz-website-redirect-location", b"/\xdc"),
            ("x-amz-meta-a", b"\xdc"),
            ("cache-control", b"a\nb"),
        ] {
            let fault = stated(name, value).unwrap_err();
            assert_eq!(fault.kind, FaultKind::Rejected);
            assert!(fault.message.contains(name), "{}", fault.message);
        }
    }
}
