//! HeadBucket.

use crate::lock::read;
use crate::operations::guard::{addressed_bucket, authorize_bucket};
use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::protocol::response::Response;
use crate::state::ServerState;

/// HeadBucket. A refusal names the Region of the bucket too.
pub(crate) fn head_bucket(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let found = server.require_bucket(request.bucket)?;
    let region = read(&found).region.clone();
    let with_region = |error: S3Error| error.header("x-amz-bucket-region", region.as_str());
    let bucket = addressed_bucket(server, request).map_err(|mut error| {
        error.headers.clear();
        with_region(error)
    })?;
    authorize_bucket(&read(&bucket), request, "s3:ListBucket").map_err(with_region)?;
    let mut response = Response::empty(200);
    response.set("x-amz-bucket-region", &region);
    response.set_static("x-amz-access-point-alias", "false");
    Ok(response)
}
