//! CopyObject.

use std::sync::Arc;

use super::copied_attributes::copied_attributes;
use super::copy_source::CopySource;
use super::new_object::new_object;
use crate::date::iso;
use crate::lock::write;
use crate::operations::conditions::check_write;
use crate::operations::guard::{addressed_bucket, authorize_write};
use crate::operations::request::Request;
use crate::operations::response_headers::{set_encryption, set_version};
use crate::protocol::error::S3Error;
use crate::protocol::response::Response;
use crate::protocol::xml::Xml;
use crate::state::ServerState;
use crate::storage::attributes::Attributes;
use crate::storage::encryption::Encryption;
use crate::storage::object::Object;

/// CopyObject.
pub(crate) fn copy_object(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    let source = CopySource::find(server, request)?;
    source.check_size()?;
    let attributes = copied_attributes(server, request, &source)?;
    let mut state = write(&bucket);
    authorize_write(server, &state, request, &attributes)?;
    check_write(request, state.current(request.key.as_bytes()).as_deref())?;
    let copy = copied_object(server, &source, attributes.into_shared());
    let mut xml = Xml::result("CopyObjectResult", 512);
    xml.text("ETag", &copy.etag.quoted());
    xml.text("LastModified", &iso(copy.modified_s));
    let checksum = copy.checksum();
    xml.text("ChecksumType", checksum.kind.name());
    xml.text(checksum.algorithm.element(), &checksum.text());
    let mut response = Response::xml(xml.finish("CopyObjectResult"));
    set_encryption(&mut response, &copy.attributes.encryption);
    source.complete(&mut response, copy.size(), &state.region);
    let version = state.put(request.key, copy);
    set_version(&mut response, state.versioning, version);
    Ok(response)
}

/// Makes the copy. It keeps the ETag of its source where S3 would compute the same one.
fn copied_object(server: &ServerState, source: &CopySource, attributes: Arc<Attributes>) -> Object {
    let original = &source.object;
    let same_etag = original.attributes.parts.is_none()
        && original.attributes.encryption == Encryption::S3Managed
        && attributes.encryption == Encryption::S3Managed;
    if same_etag {
        return Object {
            etag: original.etag,
            modified_s: server.clock.now_s(),
            attributes,
            rope: original.rope.clone(),
            version: original.version,
        };
    }
    new_object(server, original.rope.clone(), attributes)
}
