//! Entity tags, which S3 writes between quotation marks.

use shardlift_core::{failure::fault::CallFault, value::object::ETag};

use crate::fault_mapping::malformed_response;

/// The ETag as the conditional headers take it.
pub(crate) fn quoted(etag: &ETag) -> String {
    format!("\"{etag}\"")
}

/// The ETag of a response to `operation`.
///
/// # Errors
/// When the response has none, or an empty one.
pub(crate) fn unquoted(operation: &'static str, etag: Option<&str>) -> Result<ETag, CallFault> {
    let text = etag.ok_or_else(|| malformed_response(operation, "the response has no ETag"))?;
    ETag::new(text.trim_matches('"')).map_err(|problem| malformed_response(operation, problem))
}
