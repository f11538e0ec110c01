//! A request, as a handler sees it.

use bytes::Bytes;
use hyper::header::HeaderMap;
use serde::de::DeserializeOwned;

use crate::access::principal::Caller;
use crate::protocol::error::S3Error;
use crate::protocol::header::header_text;
use crate::protocol::operation::Operation;
use crate::protocol::query::Query;

/// A request, routed and identified.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) operation: Operation,
    pub(crate) bucket: &'a str,
    pub(crate) key: &'a str,
    pub(crate) query: Query<'a>,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) caller: Caller,
    pub(crate) body: Bytes,
    /// The headers after a chunked body, by lower-case name.
    pub(crate) trailers: Vec<(String, String)>,
}

impl Request<'_> {
    /// Returns a header as text. S3 refuses values that are not UTF-8.
    pub(crate) fn header(&self, name: &'static str) -> Result<Option<&str>, S3Error> {
        header_text(self.headers, name)
    }

    /// Returns a header of the request or of its trailer.
    pub(crate) fn header_or_trailer(&self, name: &'static str) -> Result<Option<&str>, S3Error> {
        if let Some(value) = self.header(name)? {
            return Ok(Some(value));
        }
        Ok(self
            .trailers
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str()))
    }

    /// Parses the XML document in the body.
    pub(crate) fn document<T: DeserializeOwned>(&self) -> Result<T, S3Error> {
        let text = std::str::from_utf8(&self.body).map_err(|_| S3Error::malformed_xml())?;
        quick_xml::de::from_str(text).map_err(|_| S3Error::malformed_xml())
    }
}
