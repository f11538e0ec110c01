//! DeleteBucket.

use crate::lock::{read, write};
use crate::operations::guard::{addressed_bucket, authorize_bucket};
use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::protocol::error_code::ErrorCode;
use crate::protocol::response::Response;
use crate::state::ServerState;

/// DeleteBucket.
pub(crate) fn delete_bucket(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    let state = read(&bucket);
    authorize_bucket(&state, request, "s3:DeleteBucket")?;
    if !state.is_empty() {
        return Err(S3Error::new(
            ErrorCode::BucketNotEmpty,
            "The bucket you tried to delete is not empty",
        )
        .detail("BucketName", request.bucket));
    }
    drop(state);
    write(&server.buckets).remove(request.bucket);
    Ok(Response::empty(204))
}
