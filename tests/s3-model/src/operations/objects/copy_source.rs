//! The source of a copy.

use std::sync::Arc;

use percent_encoding::percent_decode_str;

use crate::lock::read;
use crate::operations::conditions::check_copy_source;
use crate::operations::guard::{authorize, check_owner};
use crate::operations::lookup::{archived, find_object};
use crate::operations::request::Request;
use crate::operations::written_attributes::refuse_customer_key;
use crate::protocol::error::S3Error;
use crate::protocol::error_code::ErrorCode;
use crate::protocol::request_body::UPLOAD_BYTES_MAX;
use crate::protocol::resource::check_key;
use crate::protocol::response::Response;
use crate::state::ServerState;
use crate::storage::object::{Object, VersionId};

/// The object that a copy reads.
#[derive(Debug)]
pub(crate) struct CopySource {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) object: Arc<Object>,
    region: String,
    /// The id of the version, unless it is the null version.
    version: Option<String>,
    /// Whether the request named a version.
    pub(crate) named_version: bool,
}

/// The three parts of a decoded `x-amz-copy-source`.
#[derive(Debug, PartialEq, Eq)]
struct SourceName {
    bucket: String,
    key: String,
    version: Option<String>,
}

impl CopySource {
    /// Finds the object that a copy reads, and checks the permission to read it and the
    /// conditions on it.
    pub(in crate::operations) fn find(
        server: &ServerState,
        request: &Request<'_>,
    ) -> Result<Self, S3Error> {
        refuse_customer_key(request, "x-amz-copy-source-")?;
        let header = request.header("x-amz-copy-source")?.unwrap_or("");
        let name = parse_source(header)?;
        let bucket = server.require_bucket(&name.bucket)?;
        let state = read(&bucket);
        check_owner(
            &state,
            request.header("x-amz-source-expected-bucket-owner")?,
        )?;
        let action = if name.version.is_some() {
            "s3:GetObjectVersion"
        } else {
            "s3:GetObject"
        };
        authorize(&state, &request.caller, action, &name.bucket, &name.key)?;
        let object = find_object(
            &state,
            &request.caller,
            &name.bucket,
            &name.key,
            name.version.as_deref(),
        )
        .map_err(|error| match error.code {
            ErrorCode::MethodNotAllowed => S3Error::invalid_request(
                "The source of a copy request may not specifically refer to a delete marker by version id.",
            ),
            _ => error,
        })?;
        check_copy_source(server, request, &object)?;
        if object.is_archived() {
            return Err(archived(&object));
        }
        server
            .kms_keys
            .check(&object.attributes.encryption, &state.region)?;
        // S3 does not name the null version (fact 19).
        let version = (object.version != VersionId::NULL).then(|| object.version.to_string());
        let named_version = name.version.is_some();
        Ok(Self {
            bucket: name.bucket,
            key: name.key,
            object,
            region: state.region.clone(),
            version,
            named_version,
        })
    }

    /// Refuses an action on the source object.
    pub(super) fn authorize(
        &self,
        server: &ServerState,
        request: &Request<'_>,
        action: &str,
    ) -> Result<(), S3Error> {
        let bucket = server.require_bucket(&self.bucket)?;
        authorize(
            &read(&bucket),
            &request.caller,
            action,
            &self.bucket,
            &self.key,
        )
    }

    /// Refuses a source that is too large for one copy request.
    pub(in crate::operations) fn check_size(&self) -> Result<(), S3Error> {
        if self.object.size() > UPLOAD_BYTES_MAX {
            return Err(S3Error::invalid_request(format!(
                "The specified copy source is larger than the maximum allowable size for a copy source: {UPLOAD_BYTES_MAX}"
            )));
        }
        Ok(())
    }

    /// Completes the response of a copy: the version of the source, and the bytes to count.
    pub(in crate::operations) fn complete(
        &self,
        response: &mut Response,
        copied_bytes: u64,
        target_region: &str,
    ) {
        response.copied_bytes = copied_bytes;
        if self.region != target_region {
            response.crossed_bytes = copied_bytes;
        }
        if let Some(version) = &self.version {
            response.set("x-amz-copy-source-version-id", version);
        }
    }
}

fn invalid_source(header: &str, message: &'static str) -> S3Error {
    S3Error::invalid_argument("x-amz-copy-source", header, message)
}

/// Parses the header. S3 decodes it, and reads `+` as a space: a raw key with such characters
/// names another object, or none.
fn parse_source(header: &str) -> Result<SourceName, S3Error> {
    const ENCODING: &str = "Invalid copy source encoding.";
    let bytes = header.as_bytes();
    let raw = bytes.iter().any(|byte| !byte.is_ascii_graphic());
    let truncated_escape = header
        .split('%')
        .skip(1)
        .any(|rest| rest.len() < 2 || !rest.as_bytes()[..2].iter().all(u8::is_ascii_hexdigit));
    if raw || truncated_escape {
        return Err(invalid_source(header, ENCODING));
    }
    let (path, version) = match header.split_once("?versionId=") {
        Some((path, version)) => (path, Some(version.to_owned())),
        None => (header, None),
    };
    let spaced = path.replace('+', " ");
    let decoded = percent_decode_str(&spaced)
        .decode_utf8()
        .map_err(|_| invalid_source(header, ENCODING))?;
    let decoded = decoded.strip_prefix('/').unwrap_or(&decoded);
    match decoded.split_once('/') {
        Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => {
            check_key(key)?;
            Ok(SourceName {
                bucket: bucket.to_owned(),
                key: key.to_owned(),
                version,
            })
        }
        // S3 repeats the name of the header instead of its value (fact 21).
        _ => Err(invalid_source(
            "x-amz-copy-source",
            "Invalid copy source object key",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_source_is_decoded_and_must_have_been_encoded() {
        let parsed = parse_source("/b/a%20b%2Bc+d%C3%A9/e?versionId=null").expect("well-formed");
        let expected = SourceName {
            bucket: "b".into(),
            key: "a b+c dé/e".into(),
            version: Some("null".into()),
        };
        assert_eq!(parsed, expected);
        for refused in ["b/a b", "b/é", "b/100%", "b/%zz", "b", "b/", "/b", "b/%ff"] {
            assert!(parse_source(refused).is_err(), "{refused} was accepted");
        }
    }
}
