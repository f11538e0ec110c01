//! ListObjectsV2.

use super::key_page::entries;
use super::page::{PAGE_KEYS_MAX, Page, encoding, finish_page, with_restore_status};
use super::start::Start;
use crate::lock::read;
use crate::operations::guard::{addressed_bucket, authorize_bucket};
use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::protocol::response::Response;
use crate::protocol::xml::Xml;
use crate::state::ServerState;

/// ListObjectsV2.
pub(crate) fn list_objects_v2(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    let state = read(&bucket);
    authorize_bucket(&state, request, "s3:ListBucket")?;
    let query = request.query;
    if query.get("list-type")?.as_deref() != Some("2") {
        return Err(S3Error::invalid_argument(
            "list-type",
            "",
            "Invalid list-type",
        ));
    }
    let (prefix, delimiter) = (query.text("prefix")?, query.text("delimiter")?);
    let (after, token) = (query.text("start-after")?, query.get("continuation-token")?);
    let keys_max = query.page_size("max-keys", PAGE_KEYS_MAX)?;
    let start = match (&token, after.is_empty()) {
        // An empty token is refused, and with a token the start is ignored (fact 94).
        (Some(token), _) => Some(Start::from_token(token)?),
        (None, true) => None,
        (None, false) => Some(Start::AfterKey(after.as_bytes().to_vec())),
    };
    let page = Page {
        prefix: prefix.as_bytes(),
        delimiter: delimiter.as_bytes(),
        start,
        keys_max,
        encoding: encoding(request)?,
        with_owner: query.get("fetch-owner")?.as_deref() == Some("true"),
        with_restore_status: with_restore_status(request)?,
    };
    let entries = entries(&state, &page);
    let mut xml = Xml::result("ListBucketResult", 1024 + entries.xml.len());
    xml.text("Name", request.bucket);
    xml.key("Prefix", page.prefix, page.encoding);
    if let Some(token) = token {
        xml.text("ContinuationToken", &token);
    } else if !after.is_empty() {
        xml.key("StartAfter", after.as_bytes(), page.encoding);
    }
    if let Some(next) = &entries.next {
        xml.text("NextContinuationToken", &next.token());
    }
    xml.number("KeyCount", u64::from(entries.count));
    Ok(finish_page(xml, &page, &entries, "ListBucketResult"))
}
