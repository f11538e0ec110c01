//! CreateMultipartUpload.

use std::collections::BTreeMap;

use crate::content::checksum::{ChecksumAlgorithm, ChecksumKind};
use crate::lock::write;
use crate::operations::guard::{addressed_bucket, authorize_write};
use crate::operations::request::Request;
use crate::operations::response_headers::set_encryption;
use crate::operations::written_attributes::attributes;
use crate::protocol::error::S3Error;
use crate::protocol::response::Response;
use crate::protocol::xml::Xml;
use crate::state::ServerState;
use crate::storage::upload::{Upload, upload_id_of};

/// CreateMultipartUpload. It sets the metadata, tags and storage class of the object.
pub(crate) fn create_multipart_upload(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    let attributes = attributes(&bucket, request)?;
    let (algorithm, kind) = requested_checksum(request)?;
    let mut state = write(&bucket);
    authorize_write(server, &state, request, &attributes)?;
    let number = server.next_number();
    let id = upload_id_of(number);
    let mut xml = Xml::result("InitiateMultipartUploadResult", 512);
    xml.text("Bucket", request.bucket);
    xml.text("Key", request.key);
    xml.text("UploadId", &id);
    let mut response = Response::xml(xml.finish("InitiateMultipartUploadResult"));
    set_encryption(&mut response, &attributes.encryption);
    if let Some(algorithm) = algorithm {
        response.set("x-amz-checksum-algorithm", algorithm.name());
        response.set("x-amz-checksum-type", kind.name());
    }
    let upload = Upload {
        id,
        attributes,
        algorithm,
        kind,
        parts: BTreeMap::new(),
        initiated_s: server.clock.now_s(),
        initiator: request.caller.user_id(),
        key_changed: false,
    };
    state
        .uploads
        .insert((request.key.to_owned(), number), upload);
    Ok(response)
}

fn requested_checksum(
    request: &Request<'_>,
) -> Result<(Option<ChecksumAlgorithm>, ChecksumKind), S3Error> {
    let Some(name) = request.header("x-amz-checksum-algorithm")? else {
        if request.headers.contains_key("x-amz-checksum-type") {
            return Err(S3Error::invalid_request(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
            ));
        }
        return Ok((None, ChecksumKind::FullObject));
    };
    let algorithm = ChecksumAlgorithm::parse(name)
        .ok_or_else(|| S3Error::invalid_request("Checksum algorithm provided is unsupported."))?;
    let kind = match request.header("x-amz-checksum-type")? {
        None => algorithm.default_kind(),
        Some(text) => ChecksumKind::parse(text).ok_or_else(|| {
            S3Error::invalid_request("Value for x-amz-checksum-type header is invalid.")
        })?,
    };
    if !algorithm.allows(kind) {
        return Err(S3Error::invalid_request(format!(
            "The {} checksum type cannot be used with the {} checksum algorithm.",
            kind.name(),
            algorithm.name().to_lowercase()
        )));
    }
    Ok((Some(algorithm), kind))
}
