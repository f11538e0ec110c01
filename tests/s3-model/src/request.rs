//! Reading a request: which bucket, which key, which operation.

use std::borrow::Cow;

use bytes::Bytes;
use hyper::header::HeaderMap;
use hyper::{Method, Uri};
use percent_encoding::percent_decode_str;

use crate::error::{ErrorCode, S3Error};
use crate::operation::Operation;

/// Keys are 1 to 1,024 bytes of UTF-8.
const KEY_BYTES_MAX: usize = 1024;

/// The query string, read where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query<'a> {
    text: &'a str,
}

impl<'a> Query<'a> {
    pub(crate) fn new(uri: &'a Uri) -> Self {
        Self {
            text: uri.query().unwrap_or(""),
        }
    }

    fn pairs(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.text
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
    }

    /// Whether the parameter is there, with or without a value.
    pub(crate) fn has(self, name: &str) -> bool {
        self.pairs().any(|(found, _)| found == name)
    }

    /// The decoded value of a parameter.
    pub(crate) fn get(self, name: &str) -> Result<Option<Cow<'a, str>>, S3Error> {
        let Some((_, raw)) = self.pairs().find(|(found, _)| *found == name) else {
            return Ok(None);
        };
        if !raw.contains(['%', '+']) {
            return Ok(Some(Cow::Borrowed(raw)));
        }
        let spaced = raw.replace('+', " ");
        let decoded = percent_decode_str(&spaced)
            .decode_utf8()
            .map_err(|_| invalid_uri())?;
        Ok(Some(Cow::Owned(decoded.into_owned())))
    }

    /// A number of at most `max`.
    pub(crate) fn number(self, name: &'static str, max: u32) -> Result<Option<u32>, S3Error> {
        let Some(text) = self.get(name)? else {
            return Ok(None);
        };
        let refusal = || {
            S3Error::invalid_argument(
                name,
                &text,
                format!("Argument {name} must be an integer between 0 and {max}"),
            )
        };
        text.parse::<u32>().map(Some).map_err(|_| refusal())
    }
}

pub(crate) fn invalid_uri() -> S3Error {
    S3Error::new(ErrorCode::InvalidURI, "Couldn't parse the specified URI.")
}

/// What a path-style address names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource<'a> {
    pub(crate) bucket: Cow<'a, str>,
    pub(crate) key: Cow<'a, str>,
}

impl<'a> Resource<'a> {
    pub(crate) fn new(uri: &'a Uri) -> Result<Self, S3Error> {
        let path = uri.path().strip_prefix('/').unwrap_or("");
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let decode = |text: &'a str| {
            percent_decode_str(text)
                .decode_utf8()
                .map_err(|_| invalid_uri())
        };
        let resource = Self {
            bucket: decode(bucket)?,
            key: decode(key)?,
        };
        check_key(&resource.key)?;
        Ok(resource)
    }
}

pub(crate) fn check_key(key: &str) -> Result<(), S3Error> {
    if key.len() > KEY_BYTES_MAX {
        return Err(
            S3Error::new(ErrorCode::KeyTooLongError, "Your key is too long")
                .detail("Size", key.len().to_string())
                .detail("MaxSizeAllowed", KEY_BYTES_MAX.to_string()),
        );
    }
    Ok(())
}

/// Everything a handler may look at.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) operation: Operation,
    pub(crate) bucket: &'a str,
    pub(crate) key: &'a str,
    pub(crate) query: Query<'a>,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) caller: crate::identity::Caller,
    pub(crate) body: Bytes,
    /// Headers that a chunked upload sent after its body, by lower-case name.
    pub(crate) trailers: Vec<(String, String)>,
}

impl Call<'_> {
    /// A header as text. Metadata in other bytes than UTF-8 is refused, as S3 does.
    pub(crate) fn header(&self, name: &'static str) -> Result<Option<&str>, S3Error> {
        header_text(self.headers, name)
    }

    /// A header of the request or of its trailer.
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
}

pub(crate) fn header_text<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
) -> Result<Option<&'a str>, S3Error> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    std::str::from_utf8(value.as_bytes())
        .map(Some)
        .map_err(|_| S3Error::invalid_argument(name, "", "Header value is not valid UTF-8"))
}

/// Which operation a request is.
pub(crate) fn operation(
    method: &Method,
    resource: &Resource<'_>,
    query: Query<'_>,
    headers: &HeaderMap,
) -> Result<Operation, S3Error> {
    let found = match (resource.bucket.is_empty(), resource.key.is_empty()) {
        (true, _) => (*method == Method::GET).then_some(Operation::ListBuckets),
        (false, true) => bucket_operation(method, query),
        (false, false) => {
            object_operation(method, query, headers.contains_key("x-amz-copy-source"))
        }
    };
    found.ok_or_else(|| {
        if matches!(
            *method,
            Method::GET | Method::PUT | Method::POST | Method::DELETE | Method::HEAD
        ) {
            S3Error::new(
                ErrorCode::NotImplemented,
                "The S3 model does not implement this operation.",
            )
        } else {
            S3Error::new(
                ErrorCode::MethodNotAllowed,
                "The specified method is not allowed against this resource.",
            )
        }
    })
}

/// Sub-resources that the model does not know: a request for one must not be mistaken for a
/// plain one.
const UNKNOWN_SUBRESOURCES: [&str; 16] = [
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "replication",
    "retention",
    "torrent",
];

fn bucket_operation(method: &Method, query: Query<'_>) -> Option<Operation> {
    let unknown = UNKNOWN_SUBRESOURCES
        .iter()
        .chain(["tagging", "website"].iter())
        .any(|name| query.has(name));
    if unknown {
        return None;
    }
    let operation = match *method {
        Method::HEAD => Operation::HeadBucket,
        Method::GET if query.has("location") => Operation::GetBucketLocation,
        Method::GET if query.has("versioning") => Operation::GetBucketVersioning,
        Method::GET if query.has("policy") => Operation::GetBucketPolicy,
        Method::GET if query.has("uploads") => Operation::ListMultipartUploads,
        Method::GET if query.has("versions") => Operation::ListObjectVersions,
        Method::GET if query.has("list-type") => Operation::ListObjectsV2,
        Method::GET => Operation::ListObjects,
        Method::PUT if query.has("versioning") => Operation::PutBucketVersioning,
        Method::PUT if query.has("policy") => Operation::PutBucketPolicy,
        Method::PUT => Operation::CreateBucket,
        Method::DELETE if query.has("policy") => Operation::DeleteBucketPolicy,
        Method::DELETE => Operation::DeleteBucket,
        Method::POST if query.has("delete") => Operation::DeleteObjects,
        _ => return None,
    };
    Some(operation)
}

fn object_operation(method: &Method, query: Query<'_>, copies: bool) -> Option<Operation> {
    if UNKNOWN_SUBRESOURCES.iter().any(|name| query.has(name)) {
        return None;
    }
    if query.has("annotation") {
        // GetObjectAnnotation and DeleteObjectAnnotation are not known.
        return match *method {
            Method::GET if !query.has("annotationName") => Some(Operation::ListObjectAnnotations),
            Method::PUT => Some(Operation::PutObjectAnnotation),
            _ => None,
        };
    }
    let operation = match *method {
        Method::HEAD => Operation::HeadObject,
        Method::GET if query.has("tagging") => Operation::GetObjectTagging,
        Method::GET if query.has("attributes") => Operation::GetObjectAttributes,
        Method::GET if query.has("uploadId") => Operation::ListParts,
        Method::GET => Operation::GetObject,
        Method::PUT if query.has("tagging") => Operation::PutObjectTagging,
        Method::PUT if query.has("partNumber") && copies => Operation::UploadPartCopy,
        Method::PUT if query.has("partNumber") => Operation::UploadPart,
        Method::PUT if copies => Operation::CopyObject,
        Method::PUT => Operation::PutObject,
        Method::DELETE if query.has("tagging") => Operation::DeleteObjectTagging,
        Method::DELETE if query.has("uploadId") => Operation::AbortMultipartUpload,
        Method::DELETE => Operation::DeleteObject,
        Method::POST if query.has("uploads") => Operation::CreateMultipartUpload,
        Method::POST if query.has("uploadId") => Operation::CompleteMultipartUpload,
        Method::POST if query.has("restore") => Operation::RestoreObject,
        _ => return None,
    };
    Some(operation)
}
