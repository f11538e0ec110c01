//! The response that a handler makes.

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use super::error::S3Error;
use crate::content::rope::Rope;

/// The content of a response.
#[derive(Debug, Clone, Default)]
pub(crate) enum Content {
    #[default]
    Empty,
    Bytes(Bytes),
    /// Generated while it is sent.
    Rope(Rope),
}

impl Content {
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Empty => 0,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Rope(rope) => rope.length(),
        }
    }
}

/// A response, before the weather changes it and the server sends it.
#[derive(Debug, Default)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) content: Content,
    /// Bytes that were copied inside the server.
    pub(crate) copied_bytes: u64,
    /// Copied bytes that crossed Regions.
    pub(crate) crossed_bytes: u64,
    /// Keys and common prefixes listed.
    pub(crate) listed: u64,
}

/// Whether a response may have a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyRule {
    /// The response to HEAD has headers only.
    HeadersOnly,
    Body,
}

impl Response {
    /// Makes a response without content.
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// Makes a response with a result document.
    pub(crate) fn xml(document: Vec<u8>) -> Self {
        Self::empty(200).with_document("application/xml", document)
    }

    /// Makes an error response. It has no document where HTTP allows none.
    pub(crate) fn error(
        error: &S3Error,
        resource: &str,
        request_id: &str,
        body_rule: BodyRule,
    ) -> Self {
        let mut response = Self::empty(error.code.status());
        for (name, value) in &error.headers {
            response.set(name, value);
        }
        if body_rule == BodyRule::HeadersOnly || response.status == 304 {
            return response;
        }
        response.with_document("application/xml", error.document(resource, request_id))
    }

    /// Sets the content to a document of a media type.
    pub(crate) fn with_document(mut self, media_type: &'static str, document: Vec<u8>) -> Self {
        self.content = Content::Bytes(document.into());
        self.set_static("content-type", media_type);
        self
    }

    /// Sets a header to a fixed value.
    pub(crate) fn set_static(&mut self, name: &'static str, value: &'static str) {
        self.headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }

    /// Sets a header.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.set_bytes(name, value.as_bytes());
    }

    /// Sets a header. Bytes that no header can hold are left out: they cannot have come from one.
    pub(crate) fn set_bytes(&mut self, name: &str, value: &[u8]) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value))
        {
            self.headers.insert(name, value);
        }
    }
}
