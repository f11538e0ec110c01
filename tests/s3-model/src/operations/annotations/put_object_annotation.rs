//! PutObjectAnnotation.

use std::sync::Arc;

use super::annotation::{ANNOTATIONS_MAX, annotated_object, checked_name, checked_payload, etag};
use crate::lock::write;
use crate::operations::conditions::matches;
use crate::operations::guard::addressed_bucket;
use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::protocol::error_code::ErrorCode;
use crate::protocol::response::Response;
use crate::protocol::xml::Xml;
use crate::state::ServerState;
use crate::storage::version::Versioning;

/// PutObjectAnnotation.
pub(crate) fn put_object_annotation(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    let object = annotated_object(&bucket, request, "s3:PutObjectAnnotation")?;
    if let Some(wanted) = request.header("x-amz-object-if-match")?
        && !matches(wanted, object.etag)
    {
        return Err(S3Error::precondition("x-amz-object-if-match"));
    }
    let name = checked_name(request)?;
    let payload = checked_payload(request)?;
    let known = &object.attributes.annotations;
    if known.len() >= ANNOTATIONS_MAX && !known.contains_key(&name) {
        return Err(S3Error::new(
            ErrorCode::AnnotationLimitExceeded,
            "The request would exceed the maximum number of annotations allowed per object.",
        ));
    }
    let mut xml = Xml::result("PutObjectAnnotationOutput", 256);
    xml.text("Key", request.key);
    xml.text("AnnotationName", &name);
    let mut response = Response::xml(xml.finish("PutObjectAnnotationOutput"));
    response.set("etag", &etag(&payload).quoted());
    let mut state = write(&bucket);
    state.amend(request.key, object.version, |object| {
        let attributes = Arc::make_mut(&mut object.attributes);
        attributes.annotations.insert(name, payload);
    })?;
    if state.versioning != Versioning::Off {
        response.set("x-amz-object-version-id", &object.version.to_string());
    }
    Ok(response)
}
