//! DeleteObjects.

use serde::Deserialize;

use super::deletion::{ObjectToDelete, delete};
use crate::lock::write;
use crate::operations::body_digest::verify_body;
use crate::operations::guard::addressed_bucket;
use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::protocol::response::Response;
use crate::protocol::xml::Xml;
use crate::state::ServerState;
use crate::storage::bucket::{Bucket, Deleted};
use crate::storage::object::VersionId;

/// One request deletes at most 1,000 keys.
const KEYS_MAX: usize = 1000;

/// The document of DeleteObjects.
#[derive(Debug, Deserialize)]
struct Delete {
    #[serde(rename = "Object", default)]
    objects: Vec<ObjectToDelete>,
    #[serde(rename = "Quiet", default)]
    quiet: bool,
}

/// DeleteObjects. The body of the response lists the errors of single keys.
pub(crate) fn delete_objects(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    let has_md5 = request.headers.contains_key("content-md5");
    if verify_body(request, None)?.is_none() && !has_md5 {
        return Err(S3Error::invalid_request(
            "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
        ));
    }
    let document: Delete = request.document()?;
    if document.objects.is_empty() || document.objects.len() > KEYS_MAX {
        return Err(S3Error::malformed_xml());
    }
    let conditional = |object: &ObjectToDelete| object.size.is_some() || object.modified.is_some();
    if document.objects.iter().any(conditional) {
        return Err(S3Error::not_implemented("Size,LastModifiedTime"));
    }
    let mut state = write(&bucket);
    let mut xml = Xml::result("DeleteResult", 256 * document.objects.len());
    for object in &document.objects {
        match delete_named(server, &mut state, request, object) {
            Ok(_) if document.quiet => {}
            Ok(deleted) => write_deleted(&mut xml, object, deleted),
            Err(error) => {
                xml.open("Error");
                write_name(&mut xml, object);
                xml.text("Code", error.code.name());
                xml.text("Message", &error.message);
                xml.close("Error");
            }
        }
    }
    Ok(Response::xml(xml.finish("DeleteResult")))
}

/// Deletes an object. A version id that is malformed, which DeleteObject refuses, is the id of no
/// version here (fact 88).
fn delete_named(
    server: &ServerState,
    bucket: &mut Bucket,
    request: &Request<'_>,
    object: &ObjectToDelete,
) -> Result<Deleted, S3Error> {
    let is_malformed = |id: &String| VersionId::parse(id).is_none();
    if object.version.as_ref().is_some_and(is_malformed) {
        return Err(S3Error::no_such_version(&object.key));
    }
    delete(server, bucket, request, object)
}

fn write_name(xml: &mut Xml, object: &ObjectToDelete) {
    xml.text("Key", &object.key);
    if let Some(version) = &object.version {
        xml.text("VersionId", version);
    }
}

fn write_deleted(xml: &mut Xml, object: &ObjectToDelete, deleted: Deleted) {
    xml.open("Deleted");
    write_name(xml, object);
    if deleted.marker {
        xml.boolean("DeleteMarker", true);
        if let Some(version) = deleted.version {
            xml.text("DeleteMarkerVersionId", &version.to_string());
        }
    }
    xml.close("Deleted");
}
