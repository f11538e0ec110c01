//! GetBucketLocation.

use crate::lock::read;
use crate::operations::guard::{addressed_bucket, authorize_bucket};
use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::protocol::response::Response;
use crate::protocol::xml::Xml;
use crate::state::ServerState;
use crate::storage::bucket_spec::DEFAULT_REGION;

/// GetBucketLocation. The location of a bucket in us-east-1 is empty.
pub(crate) fn get_bucket_location(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    let state = read(&bucket);
    authorize_bucket(&state, request, "s3:GetBucketLocation")?;
    let mut xml = Xml::result("LocationConstraint", 256);
    if state.region != DEFAULT_REGION {
        xml.escape(state.region.as_bytes());
    }
    Ok(Response::xml(xml.finish("LocationConstraint")))
}
