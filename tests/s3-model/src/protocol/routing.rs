//! Which operation a request is.

use hyper::Method;
use hyper::header::HeaderMap;

use super::error::S3Error;
use super::error_code::ErrorCode;
use super::operation::Operation;
use super::query::Query;
use super::resource::Resource;

/// Determines the operation of a request.
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
            S3Error::method_not_allowed()
        }
    })
}

/// Subresources that the model does not implement. A request for one must not be taken for a
/// request for the bucket or the object.
const OTHER_SUBRESOURCES: [&str; 16] = [
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
    let unknown = OTHER_SUBRESOURCES
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
    if OTHER_SUBRESOURCES.iter().any(|name| query.has(name)) {
        return None;
    }
    if query.has("annotation") {
        // The model does not implement GetObjectAnnotation and DeleteObjectAnnotation.
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
