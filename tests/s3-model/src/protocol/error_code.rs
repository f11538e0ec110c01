//! S3's error codes, each with its HTTP status.

use serde::{Deserialize, Serialize};

/// Spells a code: as its variant, unless it has a spelling of its own.
macro_rules! spelled {
    ($name:ident) => {
        stringify!($name)
    };
    ($name:ident $text:literal) => {
        $text
    };
}

/// Declares the error codes of the model, each with its status.
macro_rules! codes {
    ($($name:ident $(as $text:literal)? = $status:literal),+ $(,)?) => {
        /// An S3 error code, spelled as S3 spells it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "the names are S3's own and documented there")]
        pub enum ErrorCode { $($(#[serde(rename = $text)])? $name),+ }

        impl ErrorCode {
            /// Returns the code as the error document spells it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => spelled!($name $($text)?)),+ }
            }

            /// Returns the HTTP status that S3 sends with the code.
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
    ConditionalRequestConflict = 409,
    EntityTooLarge = 400,
    EntityTooSmall = 400,
    ExpiredToken = 400,
    IncompleteBody = 400,
    InternalError = 500,
    InvalidAccessKeyId = 403,
    InvalidAnnotationName = 400,
    InvalidArgument = 400,
    InvalidBucketName = 400,
    InvalidBucketOwnerAWSAccountID = 400,
    InvalidDigest = 400,
    InvalidObjectState = 403,
    InvalidPart = 400,
    InvalidPartNumber = 416,
    InvalidPartOrder = 400,
    InvalidRange = 416,
    InvalidRequest = 400,
    InvalidStorageClass = 400,
    InvalidTag = 400,
    InvalidURI = 400,
    KeyTooLongError = 400,
    KmsDisabled as "KMS.DisabledException" = 400,
    KmsInvalidState as "KMS.KMSInvalidStateException" = 400,
    KmsNotFound as "KMS.NotFoundException" = 400,
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
    RequestHeaderSectionTooLarge = 400,
    RequestTimeTooSkewed = 403,
    RequestTimeout = 400,
    ServiceUnavailable = 503,
    SignatureDoesNotMatch = 403,
    SlowDown = 503,
    UnsupportedMediaType = 415,
    XAmzContentSHA256Mismatch = 400,
}
