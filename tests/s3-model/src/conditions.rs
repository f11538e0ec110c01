//! Conditional requests: on what is read, on what is copied, on what is overwritten.

use crate::bucket::Version;
use crate::clock::parse_http_date;
use crate::digest::ETag;
use crate::error::{ErrorCode, S3Error};
use crate::object::Object;
use crate::request::Call;

/// The names of the four headers, for reads and for copy sources.
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

pub(crate) fn matches(header: &str, etag: ETag) -> bool {
    header == "*"
        || header
            .split(',')
            .any(|tag| tag.trim().trim_start_matches("W/").trim_matches('"') == etag.to_string())
}

/// The condition that fails, if one does. A matching If-Match outweighs If-Unmodified-Since, and
/// a matching If-None-Match (the content is the same) outweighs If-Modified-Since.
fn failing(
    call: &Call<'_>,
    object: &Object,
    names: &Names,
) -> Result<Option<&'static str>, S3Error> {
    let date = |name| Ok::<_, S3Error>(call.header(name)?.and_then(parse_http_date));
    match call.header(names.if_match)? {
        Some(tag) if !matches(tag, object.etag) => return Ok(Some(names.if_match)),
        Some(_) => {}
        None => {
            if date(names.if_unmodified_since)?.is_some_and(|since| object.modified_s > since) {
                return Ok(Some(names.if_unmodified_since));
            }
        }
    }
    match call.header(names.if_none_match)? {
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

/// Refuses a GET or HEAD whose conditions do not hold: 412, or 304 for "only if it changed".
pub(crate) fn check_read(call: &Call<'_>, object: &Object) -> Result<(), S3Error> {
    match failing(call, object, &READ)? {
        None => Ok(()),
        Some(name) if name == READ.if_none_match || name == READ.if_modified_since => {
            Err(S3Error::new(ErrorCode::NotModified, "Not Modified")
                .header("etag", object.etag.quoted()))
        }
        Some(name) => Err(S3Error::precondition(name)),
    }
}

/// Refuses a copy whose source is not the one that was meant.
pub(crate) fn check_copy_source(call: &Call<'_>, object: &Object) -> Result<(), S3Error> {
    failing(call, object, &COPY_SOURCE)?.map_or(Ok(()), |name| Err(S3Error::precondition(name)))
}

/// Refuses a write over something else than what was meant. `current` is what lies there now.
pub(crate) fn check_write(call: &Call<'_>, current: Option<&Object>) -> Result<(), S3Error> {
    let (wanted, unwanted) = (call.header("if-match")?, call.header("if-none-match")?);
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
            None => Err(S3Error::no_such_key(call.key)),
            Some(object) if !matches(tag, object.etag) => Err(S3Error::precondition("If-Match")),
            Some(_) => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Refuses to delete something else than what was meant. `newest` is what lies there now: only the newest version counts,
/// whichever is to be deleted.
pub(crate) fn check_delete(
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
