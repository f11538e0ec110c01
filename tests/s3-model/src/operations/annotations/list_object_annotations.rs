//! ListObjectAnnotations.

use std::ops::Bound;

use super::annotation::{ANNOTATIONS_MAX, annotated_object, etag};
use crate::date::iso;
use crate::operations::guard::addressed_bucket;
use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::protocol::response::Response;
use crate::protocol::xml::Xml;
use crate::state::ServerState;

/// ListObjectAnnotations. The continuation token of a page is its last name.
pub(crate) fn list_object_annotations(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    let action = if request.query.has("versionId") {
        "s3:ListObjectVersionAnnotations"
    } else {
        "s3:ListObjectAnnotations"
    };
    let object = annotated_object(&bucket, request, action)?;
    let results_max = results_max(request)?;
    let prefix = request.query.text("annotation-prefix")?;
    let after = request.query.get("continuation-token")?;
    let from = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
    let mut names = object
        .attributes
        .annotations
        .range::<str, _>((from, Bound::Unbounded))
        .filter(|(name, _)| name.starts_with(&*prefix))
        .peekable();
    let mut xml = Xml::result("ListObjectAnnotationsOutput", 512);
    xml.open("Annotations");
    let (mut count, mut last) = (0, None);
    while count < results_max
        && let Some((name, payload)) = names.next()
    {
        xml.open("AnnotationEntry");
        xml.text("AnnotationName", name);
        xml.text("LastModified", &iso(object.modified_s));
        xml.text("ETag", &etag(payload).quoted());
        xml.text("Size", &payload.len().to_string());
        xml.close("AnnotationEntry");
        (count, last) = (count + 1, Some(name));
    }
    xml.close("Annotations");
    xml.text("Bucket", request.bucket);
    xml.text("Key", request.key);
    xml.text("AnnotationCount", &count.to_string());
    xml.text("MaxAnnotationResults", &results_max.to_string());
    if let (Some(_), Some(last)) = (names.peek(), last) {
        xml.text("NextContinuationToken", last);
    }
    Ok(Response::xml(xml.finish("ListObjectAnnotationsOutput")))
}

fn results_max(request: &Request<'_>) -> Result<usize, S3Error> {
    let Some(text) = request.query.get("max-annotation-results")? else {
        return Ok(ANNOTATIONS_MAX);
    };
    text.parse()
        .ok()
        .filter(|max| (1..=ANNOTATIONS_MAX).contains(max))
        .ok_or_else(|| {
            S3Error::invalid_argument(
                "max-annotation-results",
                &text,
                "It must be between 1 and 1000.",
            )
        })
}
