//! RestoreObject.

use std::sync::Arc;

use crate::lock::write;
use crate::operations::guard::{addressed_bucket, authorize_object};
use crate::operations::lookup::{archived, find_object};
use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::protocol::response::Response;
use crate::state::ServerState;

/// RestoreObject. The model restores at once.
pub(crate) fn restore_object(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    let mut state = write(&bucket);
    authorize_object(&state, request, "s3:RestoreObject")?;
    let object = find_object(&state, &request.caller, request.bucket, request.key, None)?;
    if !object.is_archived() && !object.attributes.restored {
        return Err(archived(&object));
    }
    let restored_before = object.attributes.restored;
    state.amend(request.key, object.version, |object| {
        Arc::make_mut(&mut object.attributes).restored = true;
    })?;
    Ok(Response::empty(if restored_before { 200 } else { 202 }))
}
