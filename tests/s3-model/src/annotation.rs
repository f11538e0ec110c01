//! Object annotations: named texts that hang on an object. They are put and listed; CopyObject takes them along, a copy in
//! parts does not.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crate::access::{authorize, readable};
use crate::bucket::Versioning;
use crate::conditions::matches;
use crate::digest::ETag;
use crate::error::{ErrorCode, S3Error};
use crate::get::modified_text;
use crate::lock::{read, write};
use crate::model::Inner;
use crate::object::Object;
use crate::put::verify_body;
use crate::reply::Reply;
use crate::request::Call;
use crate::rope::Rope;
use crate::xml::Xml;

const ANNOTATIONS_MAX: usize = 1000;
const NAME_BYTES_MAX: usize = 512;
const PAYLOAD_BYTES_MAX: usize = 1 << 20;

/// The texts of an object by name.
pub(crate) type Annotations = BTreeMap<String, String>;

/// PutObjectAnnotation.
pub(crate) fn put_object_annotation(model: &Inner, call: &Call<'_>) -> Result<Reply, S3Error> {
    let bucket = model.bucket(call)?;
    let action = "s3:PutObjectAnnotation";
    let object = named_object(model, call, action)?;
    if let Some(wanted) = call.header("x-amz-object-if-match")?
        && !matches(wanted, object.etag)
    {
        return Err(S3Error::precondition("x-amz-object-if-match"));
    }
    let name = checked_name(call)?;
    let payload = checked_payload(call)?;
    let known = &object.attributes.annotations;
    if known.len() >= ANNOTATIONS_MAX && !known.contains_key(&name) {
        return Err(S3Error::new(
            ErrorCode::AnnotationLimitExceeded,
            "The request would exceed the maximum number of annotations allowed per object.",
        ));
    }
    let mut xml = Xml::result("PutObjectAnnotationOutput", 256);
    xml.text("Key", call.key);
    xml.text("AnnotationName", &name);
    let mut reply = Reply::xml(xml.finish("PutObjectAnnotationOutput"));
    reply.text("etag", &etag(&payload).quoted());
    write(&bucket).amend(call.key, object.version, |object| {
        let attributes = Arc::make_mut(&mut object.attributes);
        attributes.annotations.insert(name, payload);
    })?;
    if read(&bucket).versioning != Versioning::Off {
        reply.text("x-amz-object-version-id", &object.version.to_string());
    }
    Ok(reply)
}

/// ListObjectAnnotations. The token of a page is the last name on it.
pub(crate) fn list_object_annotations(model: &Inner, call: &Call<'_>) -> Result<Reply, S3Error> {
    let object = named_object(model, call, "s3:ListObjectAnnotations")?;
    let results_max = results_max(call)?;
    let prefix = call.query.get("annotation-prefix")?.unwrap_or_default();
    let after = call.query.get("continuation-token")?;
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
        xml.text("LastModified", &modified_text(&object));
        xml.text("ETag", &etag(payload).quoted());
        xml.text("Size", &payload.len().to_string());
        xml.close("AnnotationEntry");
        (count, last) = (count + 1, Some(name));
    }
    xml.close("Annotations");
    xml.text("Bucket", call.bucket);
    xml.text("Key", call.key);
    xml.text("AnnotationCount", &count.to_string());
    xml.text("MaxAnnotationResults", &results_max.to_string());
    if let (Some(_), Some(last)) = (names.peek(), last) {
        xml.text("NextContinuationToken", last);
    }
    Ok(Reply::xml(xml.finish("ListObjectAnnotationsOutput")))
}

fn named_object(model: &Inner, call: &Call<'_>, action: &str) -> Result<Arc<Object>, S3Error> {
    let bucket = model.bucket(call)?;
    let state = read(&bucket);
    let version = call.query.get("versionId")?;
    authorize(&state, &call.caller, action, call.bucket, call.key)?;
    readable(
        &state,
        &call.caller,
        call.bucket,
        call.key,
        version.as_deref(),
    )
}

fn checked_name(call: &Call<'_>) -> Result<String, S3Error> {
    let name = call.query.get("annotationName")?.unwrap_or_default();
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

fn checked_payload(call: &Call<'_>) -> Result<String, S3Error> {
    verify_body(call, None)?;
    if call.body.is_empty() || call.body.len() > PAYLOAD_BYTES_MAX {
        return Err(S3Error::invalid_request(
            "An annotation payload must be between 1 byte and 1 MiB.",
        ));
    }
    String::from_utf8(call.body.to_vec()).map_err(|_| {
        S3Error::new(
            ErrorCode::UnsupportedMediaType,
            "The annotation payload is not valid UTF-8 encoded text.",
        )
    })
}

fn results_max(call: &Call<'_>) -> Result<usize, S3Error> {
    let Some(text) = call.query.get("max-annotation-results")? else {
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

fn etag(payload: &str) -> ETag {
    ETag::of_content(&Rope::literal(payload.as_bytes().to_vec().into()))
}
