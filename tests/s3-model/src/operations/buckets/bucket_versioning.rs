//! GetBucketVersioning and PutBucketVersioning.

use serde::Deserialize;

use crate::lock::{read, write};
use crate::operations::guard::{addressed_bucket, authorize_bucket};
use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::protocol::response::Response;
use crate::protocol::xml::Xml;
use crate::state::ServerState;
use crate::storage::version::Versioning;

#[derive(Debug, Deserialize)]
struct VersioningConfiguration {
    #[serde(rename = "Status")]
    status: Option<String>,
}

/// GetBucketVersioning.
pub(crate) fn get_bucket_versioning(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    let state = read(&bucket);
    authorize_bucket(&state, request, "s3:GetBucketVersioning")?;
    let mut xml = Xml::result("VersioningConfiguration", 256);
    match state.versioning {
        Versioning::Off => {}
        Versioning::Enabled => xml.text("Status", "Enabled"),
        Versioning::Suspended => xml.text("Status", "Suspended"),
    }
    Ok(Response::xml(xml.finish("VersioningConfiguration")))
}

/// PutBucketVersioning.
pub(crate) fn put_bucket_versioning(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    let mut state = write(&bucket);
    authorize_bucket(&state, request, "s3:PutBucketVersioning")?;
    let configuration: VersioningConfiguration = request.document()?;
    state.versioning = match configuration.status.as_deref() {
        Some("Enabled") => Versioning::Enabled,
        Some("Suspended") => Versioning::Suspended,
        _ => return Err(S3Error::malformed_xml()),
    };
    Ok(Response::empty(200))
}
