//! CompleteMultipartUpload.

use super::assembly::assemble;
use super::completed_parts::{choose_parts, listed_parts};
use super::open_upload::{find, upload_id};
use crate::lock::write;
use crate::operations::conditions::check_completion;
use crate::operations::guard::{addressed_bucket, authorize_object};
use crate::operations::request::Request;
use crate::operations::response_headers::{set_encryption, set_version};
use crate::protocol::error::S3Error;
use crate::protocol::response::Response;
use crate::protocol::xml::Xml;
use crate::state::ServerState;

/// CompleteMultipartUpload.
pub(crate) fn complete_multipart_upload(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    let id = upload_id(request)?;
    let listed = listed_parts(request)?;
    let mut state = write(&bucket);
    authorize_object(&state, request, "s3:PutObject")?;
    let upload = find(&state, request.key, &id)?;
    let chosen = choose_parts(upload, &listed)?;
    let current = state.current(request.key.as_bytes());
    check_completion(request, upload, current.as_deref())?;
    let encryption = &upload.attributes.encryption;
    server.kms_keys.check(encryption, &state.region)?;
    let object = assemble(request, upload, &chosen)?;
    // Under SSE-KMS the response has no checksum that S3 added, though the object has it (fact 64).
    let tells_checksum = upload.algorithm.is_some() || !encryption.is_kms();
    let mut xml = Xml::result("CompleteMultipartUploadResult", 1024);
    xml.text(
        "Location",
        &format!("http://s3.amazonaws.com/{}/{}", request.bucket, request.key),
    );
    xml.text("Bucket", request.bucket);
    xml.text("Key", request.key);
    xml.text("ETag", &object.etag.quoted());
    if tells_checksum {
        let checksum = object.checksum();
        xml.text(checksum.algorithm.element(), &checksum.text());
        xml.text("ChecksumType", checksum.kind.name());
    }
    let mut response = Response::xml(xml.finish("CompleteMultipartUploadResult"));
    set_encryption(&mut response, &object.attributes.encryption);
    state.remove_upload(request.key, &id);
    let version = state.put(request.key, object);
    set_version(&mut response, state.versioning, version);
    Ok(response)
}
