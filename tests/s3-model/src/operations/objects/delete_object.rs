//! DeleteObject.

use std::borrow::Cow;

use super::deletion::{ObjectToDelete, delete};
use crate::lock::write;
use crate::operations::conditions::check_delete_headers;
use crate::operations::guard::addressed_bucket;
use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::protocol::response::Response;
use crate::state::ServerState;

/// DeleteObject. Without a condition, deleting a key that does not exist succeeds.
pub(crate) fn delete_object(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    check_delete_headers(request)?;
    let object = ObjectToDelete {
        key: request.key.to_owned(),
        version: request.query.get("versionId")?.map(Cow::into_owned),
        etag: request.header("if-match")?.map(str::to_owned),
        size: None,
        modified: None,
    };
    let deleted = delete(server, &mut write(&bucket), request, &object)?;
    let mut response = Response::empty(204);
    if let Some(version) = deleted.version {
        response.set("x-amz-version-id", &version.to_string());
    }
    if deleted.marker {
        response.set_static("x-amz-delete-marker", "true");
    }
    Ok(response)
}
