//! AbortMultipartUpload.

use super::open_upload::{no_such_upload, upload_id};
use crate::lock::write;
use crate::operations::guard::{addressed_bucket, authorize_object};
use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::protocol::response::Response;
use crate::state::ServerState;

/// AbortMultipartUpload.
pub(crate) fn abort_multipart_upload(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    let id = upload_id(request)?;
    let mut state = write(&bucket);
    authorize_object(&state, request, "s3:AbortMultipartUpload")?;
    state
        .remove_upload(request.key, &id)
        .ok_or_else(|| no_such_upload(&id))?;
    Ok(Response::empty(204))
}
