//! S3's error codes with their HTTP status, and the error a handler returns.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Declares the error codes that the model answers with, each with its status.
macro_rules! codes {
    ($($name:ident = $status:literal),+ $(,)?) => {
        /// An S3 error code, spelled as S3 spells it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "the names are S3's own and documented there")]
        pub enum ErrorCode { $($name),+ }

        impl ErrorCode {
            /// The code as it stands in the error document.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),+ }
            }

            /// The HTTP status that S3 sends with the code.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status),+ }
            }
        }
    };
}

codes! {
    AccessControlListNotSupported = 400,
    AccessDenied = 403,
    AnnotationLimitExceeded = 400,
    AnnotationNameTooLong = 400,
    AuthorizationHeaderMalformed = 400,
    BadDigest = 400,
    BucketAlreadyExists = 409,
    BucketAlreadyOwnedByYou = 409,
    BucketNotEmpty = 409,
    EntityTooLarge = 400,
    EntityTooSmall = 400,
    ExpiredToken = 400,
    IncompleteBody = 400,
    InternalError = 500,
    InvalidAccessKeyId = 403,
    InvalidAnnotationName = 400,
    InvalidArgument = 400,
    InvalidBucketName = 400,
    InvalidDigest = 400,
    InvalidObjectState = 403,
    InvalidPart = 400,
    InvalidPartOrder = 400,
    InvalidRange = 416,
    InvalidRequest = 400,
    InvalidStorageClass = 400,
    InvalidTag = 400,
    InvalidURI = 400,
    KeyTooLongError = 400,
    MalformedPolicy = 400,
    MalformedXML = 400,
    MetadataTooLarge = 400,
    MethodNotAllowed = 405,
    MissingContentLength = 411,
    NoSuchBucket = 404,
    NoSuchBucketPolicy = 404,
    NoSuchKey = 404,
    NoSuchUpload = 404,
    NoSuchVersion = 404,
    NotImplemented = 501,
    NotModified = 304,
    OperationAborted = 409,
    PermanentRedirect = 301,
    PreconditionFailed = 412,
    RequestTimeTooSkewed = 403,
    RequestTimeout = 400,
    ServiceUnavailable = 503,
    SignatureDoesNotMatch = 403,
    SlowDown = 503,
    UnsupportedMediaType = 415,
    XAmzContentSHA256Mismatch = 400,
}

/// A refusal: what the error document and the status line say.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}: {message}", code.name())]
pub(crate) struct S3Error {
    pub(crate) code: ErrorCode,
    pub(crate) message: Cow<'static, str>,
    /// Further elements of the error document, as S3 adds them to some codes.
    pub(crate) details: Vec<(&'static str, String)>,
    /// Headers that go with the refusal (`x-amz-bucket-region`, `x-amz-delete-marker`).
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

    pub(crate) fn malformed_xml() -> Self {
        Self::new(
            ErrorCode::MalformedXML,
            "The XML you provided was not well-formed or did not validate against our published schema",
        )
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

    pub(crate) fn access_denied(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::AccessDenied, message)
    }
}
