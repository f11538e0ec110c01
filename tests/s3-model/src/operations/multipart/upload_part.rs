//! UploadPart.

use super::open_upload::PartTarget;
use crate::content::rope::Rope;
use crate::operations::body_digest::verify_body;
use crate::operations::guard::addressed_bucket;
use crate::operations::request::Request;
use crate::operations::written_attributes::refuse_customer_key;
use crate::protocol::error::S3Error;
use crate::protocol::response::Response;
use crate::state::ServerState;

/// UploadPart.
pub(crate) fn upload_part(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    refuse_customer_key(request, "")?;
    let part = PartTarget::find(server, &bucket, request)?;
    let checksum = verify_body(request, part.algorithm)?;
    let mut response = Response::empty(200);
    if let Some(checksum) = &checksum {
        response.set(checksum.algorithm.header(), &checksum.text());
    }
    let rope = Rope::literal(request.body.clone());
    let etag = part.store(server, &bucket, request, rope, checksum)?;
    response.set("etag", &etag.quoted());
    Ok(response)
}
