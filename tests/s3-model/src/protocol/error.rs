//! The error that a handler returns, and its document.

use std::borrow::Cow;

use super::error_code::ErrorCode;
use super::xml::Xml;

/// An S3 error, with everything in its document and its headers.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: {message}", code.name())]
pub(crate) struct S3Error {
    pub(crate) code: ErrorCode,
    pub(crate) message: Cow<'static, str>,
    /// Further elements of the error document, which S3 adds to some codes.
    pub(crate) details: Vec<(&'static str, String)>,
    /// Headers of the response (`x-amz-bucket-region`, `x-amz-delete-marker`).
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl S3Error {
    pub(crate) fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            details: Vec::new(),
            headers: Vec::new(),
        }
    }

    pub(crate) fn detail(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.push((name, value.into()));
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Writes the error document.
    pub(crate) fn document(&self, resource: &str, request_id: &str) -> Vec<u8> {
        let mut xml = Xml::error();
        xml.text("Code", self.code.name());
        xml.text("Message", &self.message);
        for (name, value) in &self.details {
            xml.text(name, value);
        }
        xml.text("Resource", resource);
        xml.text("RequestId", request_id);
        xml.text("HostId", "s3-model");
        xml.finish("Error")
    }

    pub(crate) fn invalid_argument(
        name: &str,
        value: &str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::new(ErrorCode::InvalidArgument, message)
            .detail("ArgumentName", name)
            .detail("ArgumentValue", value)
    }

    pub(crate) fn invalid_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::InvalidRequest, message)
    }

    pub(crate) fn invalid_uri() -> Self {
        Self::new(ErrorCode::InvalidURI, "Couldn't parse the specified URI.")
    }

    pub(crate) fn malformed_xml() -> Self {
        Self::new(
            ErrorCode::MalformedXML,
            "The XML you provided was not well-formed or did not validate against our published schema",
        )
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            ErrorCode::MethodNotAllowed,
            "The specified method is not allowed against this resource.",
        )
    }

    pub(crate) fn entity_too_large(length: u64, max: u64) -> Self {
        Self::new(
            ErrorCode::EntityTooLarge,
            "Your proposed upload exceeds the maximum allowed size",
        )
        .detail("ProposedSize", length.to_string())
        .detail("MaxSizeAllowed", max.to_string())
    }

    pub(crate) fn no_such_key(key: &str) -> Self {
        Self::new(ErrorCode::NoSuchKey, "The specified key does not exist.").detail("Key", key)
    }

    pub(crate) fn no_such_bucket(bucket: &str) -> Self {
        Self::new(
            ErrorCode::NoSuchBucket,
            "The specified bucket does not exist",
        )
        .detail("BucketName", bucket)
    }

    pub(crate) fn precondition(condition: &'static str) -> Self {
        Self::new(
            ErrorCode::PreconditionFailed,
            "At least one of the pre-conditions you specified did not hold",
        )
        .detail("Condition", condition)
    }

    pub(crate) fn not_implemented(header: &'static str) -> Self {
        Self::new(
            ErrorCode::NotImplemented,
            "A header you provided implies functionality that is not implemented",
        )
        .detail("Header", header)
    }

    pub(crate) fn no_such_version(key: &str) -> Self {
        Self::new(
            ErrorCode::NoSuchVersion,
            "The specified version does not exist.",
        )
        .detail("Key", key)
    }

    pub(crate) fn access_denied(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::AccessDenied, message)
    }

    pub(crate) fn expired_token() -> Self {
        Self::new(ErrorCode::ExpiredToken, "The provided token has expired.")
    }
}
