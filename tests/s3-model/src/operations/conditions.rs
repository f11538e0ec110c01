//! Conditional requests: conditions on what is read, copied, overwritten or deleted.

use super::request::Request;
use crate::content::etag::ETag;
use crate::date::parse_http_date;
use crate::protocol::error::S3Error;
use crate::protocol::error_code::ErrorCode;
use crate::storage::object::Object;
use crate::storage::version::Version;

/// The names of the four headers.
struct Names {
    if_match: &'static str,
    if_none_match: &'static str,
    if_modified_since: &'static str,
    if_unmodified_since: &'static str,
}

const READ: Names = Names {
    if_match: "if-match",
    if_none_match: "if-none-match",
    if_modified_since: "if-modified-since",
    if_unmodified_since: "if-unmodified-since",
};

const COPY_SOURCE: Names = Names {
    if_match: "x-amz-copy-source-if-match",
    if_none_match: "x-amz-copy-source-if-none-match",
    if_modified_since: "x-amz-copy-source-if-modified-since",
    if_unmodified_since: "x-amz-copy-source-if-unmodified-since",
};

/// Whether the tags of a header include this one. `*` includes every tag.
pub(super) fn matches(header: &str, etag: ETag) -> bool {
    header == "*"
        || header
            .split(',')
            .any(|tag| tag.trim().trim_start_matches("W/").trim_matches('"') == etag.to_string())
}

/// Returns the name of the condition that fails, if any. A matching If-Match outweighs
/// If-Unmodified-Since, and If-None-Match outweighs If-Modified-Since.
fn failing(
    request: &Request<'_>,
    object: &Object,
    names: &Names,
) -> Result<Option<&'static str>, S3Error> {
    let date = |name| Ok::<_, S3Error>(request.header(name)?.and_then(parse_http_date));
    match request.header(names.if_match)? {
        Some(tag) if !matches(tag, object.etag) => return Ok(Some(names.if_match)),
        Some(_) => {}
        None => {
            if date(names.if_unmodified_since)?.is_some_and(|since| object.modified_s > since) {
                return Ok(Some(names.if_unmodified_since));
            }
        }
    }
    match request.header(names.if_none_match)? {
        Some(tag) if matches(tag, object.etag) => return Ok(Some(names.if_none_match)),
        Some(_) => {}
        None => {
            if date(names.if_modified_since)?.is_some_and(|since| object.modified_s <= since) {
                return Ok(Some(names.if_modified_since));
            }
        }
    }
    Ok(None)
}

/// Refuses a GET or HEAD whose conditions fail: 412, or 304 if the content is the same.
pub(super) fn check_read(request: &Request<'_>, object: &Object) -> Result<(), S3Error> {
    match failing(request, object, &READ)? {
        None => Ok(()),
        Some(name) if name == READ.if_none_match || name == READ.if_modified_since => {
            Err(S3Error::new(ErrorCode::NotModified, "Not Modified")
                .header("etag", object.etag.quoted()))
        }
        Some(name) => Err(S3Error::precondition(name)),
    }
}

/// Refuses a copy whose conditions on the source fail.
pub(super) fn check_copy_source(request: &Request<'_>, object: &Object) -> Result<(), S3Error> {
    failing(request, object, &COPY_SOURCE)?.map_or(Ok(()), |name| Err(S3Error::precondition(name)))
}

/// Refuses a write whose conditions fail. `current` is the object that it would overwrite.
pub(super) fn check_write(request: &Request<'_>, current: Option<&Object>) -> Result<(), S3Error> {
    let (wanted, unwanted) = (
        request.header("if-match")?,
        request.header("if-none-match")?,
    );
    match (unwanted, wanted) {
        (Some(_), Some(_)) | (Some(_), None) if unwanted != Some("*") || wanted.is_some() => {
            Err(S3Error::new(
                ErrorCode::NotImplemented,
                "A header you provided implies functionality that is not implemented",
            )
            .detail("Header", "If-None-Match"))
        }
        (Some(_), _) if current.is_some() => Err(S3Error::precondition("If-None-Match")),
        (None, Some(tag)) => match current {
            None => Err(S3Error::no_such_key(request.key)),
            Some(object) if !matches(tag, object.etag) => Err(S3Error::precondition("If-Match")),
            Some(_) => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Refuses a delete whose condition fails. Only the newest version counts, whichever version the
/// request deletes.
pub(super) fn check_delete(
    wanted: &str,
    key: &str,
    newest: Option<Version>,
) -> Result<(), S3Error> {
    match newest {
        None => Err(S3Error::no_such_key(key)),
        Some(Version::Object(object)) if matches(wanted, object.etag) => Ok(()),
        Some(_) => Err(S3Error::precondition("If-Match")),
    }
}
