//! PutObject.

use super::new_object::new_object;
use crate::content::rope::Rope;
use crate::lock::write;
use crate::operations::body_digest::verify_body;
use crate::operations::conditions::check_write;
use crate::operations::guard::{addressed_bucket, authorize_write};
use crate::operations::request::Request;
use crate::operations::response_headers::{set_checksum, set_encryption, set_version};
use crate::operations::written_attributes::attributes;
use crate::protocol::error::S3Error;
use crate::protocol::response::Response;
use crate::state::ServerState;
use crate::storage::attributes::Attributes;

/// PutObject.
pub(crate) fn put_object(server: &ServerState, request: &Request<'_>) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    let attributes = attributes(&bucket, request)?;
    let rope = Rope::literal(request.body.clone());
    let checksum = verify_body(request, None)?;
    let mut state = write(&bucket);
    authorize_write(server, &state, request, &attributes)?;
    check_write(request, state.current(request.key.as_bytes()).as_deref())?;
    let attributes = Attributes {
        checksum,
        ..attributes
    };
    let object = new_object(server, rope, attributes.into_shared());
    let mut response = Response::empty(200);
    response.set("etag", &object.etag.quoted());
    set_encryption(&mut response, &object.attributes.encryption);
    set_checksum(&mut response, &object.checksum());
    let version = state.put(request.key, object);
    set_version(&mut response, state.versioning, version);
    Ok(response)
}
