//! Conditional requests: conditions on what is read, copied, overwritten or deleted.

use super::request::Request;
use crate::content::etag::ETag;
use crate::date::parse_http_date;
use crate::protocol::error::S3Error;
use crate::protocol::error_code::ErrorCode;
use crate::state::ServerState;
use crate::storage::object::Object;
use crate::storage::upload::Upload;
use crate::storage::version::Version;

/// A header with a condition, and how S3 spells it when it fails.
#[derive(Debug, Clone, Copy)]
struct Condition {
    header: &'static str,
    spelled: &'static str,
}

/// The four conditions on an object that is read.
struct Conditions {
    if_match: Condition,
    if_unmodified_since: Condition,
    if_none_match: Condition,
    if_modified_since: Condition,
}

const fn condition(header: &'static str, spelled: &'static str) -> Condition {
    Condition { header, spelled }
}

const READ: Conditions = Conditions {
    if_match: condition("if-match", "If-Match"),
    if_unmodified_since: condition("if-unmodified-since", "If-Unmodified-Since"),
    if_none_match: condition("if-none-match", "If-None-Match"),
    if_modified_since: condition("if-modified-since", "If-Modified-Since"),
};

/// S3 spells the prefix in lower case and the rest with capitals (fact 25).
const COPY_SOURCE: Conditions = Conditions {
    if_match: condition("x-amz-copy-source-if-match", "x-amz-copy-source-If-Match"),
    if_unmodified_since: condition(
        "x-amz-copy-source-if-unmodified-since",
        "x-amz-copy-source-If-Unmodified-Since",
    ),
    if_none_match: condition(
        "x-amz-copy-source-if-none-match",
        "x-amz-copy-source-If-None-Match",
    ),
    if_modified_since: condition(
        "x-amz-copy-source-if-modified-since",
        "x-amz-copy-source-If-Modified-Since",
    ),
};

/// Whether the tags of a header include this one. `*` includes every tag.
pub(super) fn matches(header: &str, etag: ETag) -> bool {
    header == "*"
        || header
            .split(',')
            .any(|tag| tag.trim().trim_start_matches("W/").trim_matches('"') == etag.to_string())
}

/// Returns the first condition that fails, if any. A matching If-Match outweighs
/// If-Unmodified-Since, and If-None-Match outweighs If-Modified-Since. An If-Modified-Since in the
/// future is ignored (fact 26).
fn failing(
    request: &Request<'_>,
    object: &Object,
    conditions: &Conditions,
    now_s: u64,
) -> Result<Option<Condition>, S3Error> {
    let date = |condition: Condition| {
        let header = request.header(condition.header)?;
        Ok::<_, S3Error>(header.and_then(parse_http_date))
    };
    match request.header(conditions.if_match.header)? {
        Some(tag) if !matches(tag, object.etag) => return Ok(Some(conditions.if_match)),
        Some(_) => {}
        None => {
            let since = date(conditions.if_unmodified_since)?;
            if since.is_some_and(|since| object.modified_s > since) {
                return Ok(Some(conditions.if_unmodified_since));
            }
        }
    }
    match request.header(conditions.if_none_match.header)? {
        Some(tag) if matches(tag, object.etag) => return Ok(Some(conditions.if_none_match)),
        Some(_) => {}
        None => {
            let since = date(conditions.if_modified_since)?.filter(|since| *since <= now_s);
            if since.is_some_and(|since| object.modified_s <= since) {
                return Ok(Some(conditions.if_modified_since));
            }
        }
    }
    Ok(None)
}

/// Refuses a GET or HEAD whose conditions fail: 412, or 304 if the content is the same.
pub(super) fn check_read(
    server: &ServerState,
    request: &Request<'_>,
    object: &Object,
) -> Result<(), S3Error> {
    let unchanged = [READ.if_none_match.header, READ.if_modified_since.header];
    match failing(request, object, &READ, server.clock.now_s())? {
        None => Ok(()),
        Some(failed) if unchanged.contains(&failed.header) => {
            Err(S3Error::new(ErrorCode::NotModified, "Not Modified")
                .header("etag", object.etag.quoted()))
        }
        Some(failed) => Err(S3Error::precondition(failed.spelled)),
    }
}

/// Refuses a copy whose conditions on the source fail.
pub(super) fn check_copy_source(
    server: &ServerState,
    request: &Request<'_>,
    object: &Object,
) -> Result<(), S3Error> {
    failing(request, object, &COPY_SOURCE, server.clock.now_s())?
        .map_or(Ok(()), |failed| Err(S3Error::precondition(failed.spelled)))
}

/// Refuses a write whose conditions fail. `current` is the object that it would overwrite.
/// If-None-Match takes `*` only, If-Match an ETag only, and a request has one of them (fact 30).
pub(super) fn check_write(request: &Request<'_>, current: Option<&Object>) -> Result<(), S3Error> {
    let conditions = (
        request.header("if-match")?,
        request.header("if-none-match")?,
    );
    match conditions {
        (Some(_), Some(_)) => Err(S3Error::not_implemented("If-Match,If-None-Match")),
        (Some("*"), None) => Err(S3Error::not_implemented("If-Match")),
        (None, Some(unwanted)) if unwanted != "*" => Err(S3Error::not_implemented("If-None-Match")),
        (None, Some(_)) if current.is_some() => Err(S3Error::precondition("If-None-Match")),
        (Some(tag), None) => match current {
            None => Err(S3Error::no_such_key(request.key)),
            Some(object) if tag.trim_matches('"') != object.etag.to_string() => {
                Err(S3Error::precondition("If-Match"))
            }
            Some(_) => Ok(()),
        },
        (None, _) => Ok(()),
    }
}

/// Refuses a completion whose conditions fail, or whose key was written or deleted since the
/// upload began: whether the condition holds now does not matter then (fact 34).
pub(super) fn check_completion(
    request: &Request<'_>,
    upload: &Upload,
    current: Option<&Object>,
) -> Result<(), S3Error> {
    check_write(request, current)?;
    let condition = match request.header("if-match")? {
        Some(_) => Some("If-Match"),
        None => request.header("if-none-match")?.map(|_| "If-None-Match"),
    };
    match condition {
        Some(name) if upload.key_changed => Err(S3Error::new(
            ErrorCode::ConditionalRequestConflict,
            "The conditional request cannot succeed due to a conflicting operation against this resource.",
        )
        .detail("Condition", name)
        .detail("Key", request.key)),
        _ => Ok(()),
    }
}

/// Refuses the conditions that a delete in a general purpose bucket cannot have: all but If-Match
/// (fact 37).
pub(super) fn check_delete_headers(request: &Request<'_>) -> Result<(), S3Error> {
    const REFUSED: [&str; 5] = [
        "x-amz-if-match-size",
        "x-amz-if-match-last-modified-time",
        "if-none-match",
        "if-modified-since",
        "if-unmodified-since",
    ];
    REFUSED
        .into_iter()
        .find(|name| request.headers.contains_key(*name))
        .map_or(Ok(()), |name| Err(S3Error::not_implemented(name)))
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
