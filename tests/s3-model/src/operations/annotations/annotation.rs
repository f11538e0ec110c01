//! The rules of an annotation, and the object that it is attached to.

use std::sync::Arc;

use crate::content::etag::ETag;
use crate::content::rope::Rope;
use crate::lock::read;
use crate::operations::body_digest::verify_body;
use crate::operations::guard::authorize_object;
use crate::operations::lookup::requested_object;
use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::protocol::error_code::ErrorCode;
use crate::state::SharedBucket;
use crate::storage::object::Object;

/// An object has at most 1,000 annotations.
pub(super) const ANNOTATIONS_MAX: usize = 1000;
const NAME_BYTES_MAX: usize = 512;
const PAYLOAD_BYTES_MAX: usize = 1 << 20;

/// Returns the object of a request if the caller may do `action` on its annotations.
pub(super) fn annotated_object(
    bucket: &SharedBucket,
    request: &Request<'_>,
    action: &str,
) -> Result<Arc<Object>, S3Error> {
    let state = read(bucket);
    authorize_object(&state, request, action)?;
    requested_object(&state, request)
}

/// Returns the name of the annotation.
pub(super) fn checked_name(request: &Request<'_>) -> Result<String, S3Error> {
    let name = request.query.get("annotationName")?.unwrap_or_default();
    if name.trim().is_empty() {
        return Err(S3Error::new(
            ErrorCode::InvalidAnnotationName,
            "The annotation name you provided is invalid.",
        ));
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(S3Error::new(
            ErrorCode::AnnotationNameTooLong,
            "The annotation name exceeds 512 bytes.",
        ));
    }
    Ok(name.into_owned())
}

/// Returns the text of the annotation.
pub(super) fn checked_payload(request: &Request<'_>) -> Result<String, S3Error> {
    verify_body(request, None)?;
    if request.body.is_empty() || request.body.len() > PAYLOAD_BYTES_MAX {
        return Err(S3Error::invalid_request(
            "An annotation payload must be between 1 byte and 1 MiB.",
        ));
    }
    String::from_utf8(request.body.to_vec()).map_err(|_| {
        S3Error::new(
            ErrorCode::UnsupportedMediaType,
            "The annotation payload is not valid UTF-8 encoded text.",
        )
    })
}

/// Returns the ETag of an annotation.
pub(super) fn etag(payload: &str) -> ETag {
    ETag::of_content(&Rope::literal(payload.as_bytes().to_vec().into()))
}
