//! DeleteObject and DeleteObjects.

use std::borrow::Cow;

use serde::Deserialize;

use crate::access::authorize;
use crate::bucket::{Bucket, Deleted};
use crate::conditions::check_delete;
use crate::error::S3Error;
use crate::lock::write;
use crate::model::Inner;
use crate::object::VersionId;
use crate::put::verify_body;
use crate::reply::Reply;
use crate::request::Call;
use crate::xml::Xml;

/// One request deletes at most 1,000 keys.
const KEYS_MAX: usize = 1000;

/// The document of DeleteObjects.
#[derive(Debug, Deserialize)]
struct Delete {
    #[serde(rename = "Object", default)]
    objects: Vec<Named>,
    #[serde(rename = "Quiet", default)]
    quiet: bool,
}

#[derive(Debug, Deserialize)]
struct Named {
    #[serde(rename = "Key")]
    key: String,
    #[serde(rename = "VersionId")]
    version: Option<String>,
    /// The condition that the newest version has this ETag.
    #[serde(rename = "ETag")]
    etag: Option<String>,
}

fn delete_one(
    model: &Inner,
    state: &mut Bucket,
    call: &Call<'_>,
    named: &Named,
) -> Result<Deleted, S3Error> {
    let key = named.key.as_str();
    let action = if named.version.is_some() {
        "s3:DeleteObjectVersion"
    } else {
        "s3:DeleteObject"
    };
    authorize(state, &call.caller, action, call.bucket, key)?;
    if let Some(etag) = &named.etag {
        // The answer tells what lies there, so it takes the right to read it too.
        authorize(state, &call.caller, "s3:GetObject", call.bucket, key)?;
        check_delete(etag, key, state.newest(key.as_bytes()))?;
    }
    match &named.version {
        None => Ok(state.delete(key, model.clock.now_s())),
        Some(text) => {
            let id = VersionId::parse(text).ok_or_else(|| {
                S3Error::invalid_argument("versionId", text, "Invalid version id specified")
            })?;
            Ok(state.delete_version(key, id))
        }
    }
}

/// DeleteObject. Without a condition, a key that does not exist is deleted as well as any.
pub(crate) fn delete_object(model: &Inner, call: &Call<'_>) -> Result<Reply, S3Error> {
    let bucket = model.bucket(call)?;
    let named = Named {
        key: call.key.to_owned(),
        version: call.query.get("versionId")?.map(Cow::into_owned),
        etag: call.header("if-match")?.map(str::to_owned),
    };
    let deleted = delete_one(model, &mut write(&bucket), call, &named)?;
    let mut reply = Reply::empty(204);
    if let Some(version) = deleted.version {
        reply.text("x-amz-version-id", &version.to_string());
    }
    if deleted.marker {
        reply.text("x-amz-delete-marker", "true");
    }
    Ok(reply)
}

/// DeleteObjects. Refusals of single keys stand in the answer's body.
pub(crate) fn delete_objects(model: &Inner, call: &Call<'_>) -> Result<Reply, S3Error> {
    let bucket = model.bucket(call)?;
    let md5 = call.headers.contains_key("content-md5");
    if verify_body(call, None)?.is_none() && !md5 {
        return Err(S3Error::invalid_request(
            "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
        ));
    }
    let text = std::str::from_utf8(&call.body).map_err(|_| S3Error::malformed_xml())?;
    let delete: Delete = quick_xml::de::from_str(text).map_err(|_| S3Error::malformed_xml())?;
    if delete.objects.is_empty() || delete.objects.len() > KEYS_MAX {
        return Err(S3Error::malformed_xml());
    }
    let mut state = write(&bucket);
    let mut xml = Xml::result("DeleteResult", 256 * delete.objects.len());
    for named in &delete.objects {
        match delete_one(model, &mut state, call, named) {
            Ok(_) if delete.quiet => {}
            Ok(deleted) => write_deleted(&mut xml, named, deleted),
            Err(error) => {
                xml.open("Error");
                xml.text("Key", &named.key);
                if let Some(version) = &named.version {
                    xml.text("VersionId", version);
                }
                xml.text("Code", error.code.name());
                xml.text("Message", &error.message);
                xml.close("Error");
            }
        }
    }
    Ok(Reply::xml(xml.finish("DeleteResult")))
}

fn write_deleted(xml: &mut Xml, named: &Named, deleted: Deleted) {
    xml.open("Deleted");
    xml.text("Key", &named.key);
    if let Some(version) = &named.version {
        xml.text("VersionId", version);
    }
    if deleted.marker {
        xml.boolean("DeleteMarker", true);
        if let Some(version) = deleted.version {
            xml.text("DeleteMarkerVersionId", &version.to_string());
        }
    }
    xml.close("Deleted");
}
