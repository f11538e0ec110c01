//! What a handler answers, before the weather and the wire get at it.

use bytes::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use crate::error::S3Error;
use crate::rope::Rope;
use crate::xml::Xml;

/// The content of an answer.
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

/// An answer.
#[derive(Debug, Default)]
pub(crate) struct Reply {
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

impl Reply {
    /// An answer without content.
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    /// A result document.
    pub(crate) fn xml(document: Vec<u8>) -> Self {
        let mut reply = Self::empty(200);
        reply.content = Content::Bytes(document.into());
        reply.set("content-type", HeaderValue::from_static("application/xml"));
        reply
    }

    /// A refusal. Its document is left out where HTTP allows none.
    pub(crate) fn refusal(
        error: &S3Error,
        resource: &str,
        request_id: &str,
        bodiless: bool,
    ) -> Self {
        let mut reply = Self::empty(error.code.status());
        for (name, value) in &error.headers {
            reply.text(name, value);
        }
        if !bodiless && reply.status != 304 {
            reply.content = Content::Bytes(error_document(error, resource, request_id).into());
            reply.set("content-type", HeaderValue::from_static("application/xml"));
        }
        reply
    }

    pub(crate) fn set(&mut self, name: &'static str, value: HeaderValue) {
        self.headers.insert(HeaderName::from_static(name), value);
    }

    /// Sets a header from text. Bytes that no header can hold are left out: they cannot have
    /// come in by one.
    pub(crate) fn text(&mut self, name: &str, value: &str) {
        if let (Ok(name), Ok(value)) = (
            HeaderName::try_from(name),
            HeaderValue::from_bytes(value.as_bytes()),
        ) {
            self.headers.insert(name, value);
        }
    }
}

/// The document of a refusal.
pub(crate) fn error_document(error: &S3Error, resource: &str, request_id: &str) -> Vec<u8> {
    let mut xml = Xml::error();
    xml.text("Code", error.code.name());
    xml.text("Message", &error.message);
    for (name, value) in &error.details {
        xml.text(name, value);
    }
    xml.text("Resource", resource);
    xml.text("RequestId", request_id);
    xml.text("HostId", "s3-model");
    xml.finish("Error")
}
