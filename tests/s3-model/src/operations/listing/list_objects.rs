//! ListObjects, the first version.

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

/// ListObjects.
pub(crate) fn list_objects(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    let state = read(&bucket);
    authorize_bucket(&state, request, "s3:ListBucket")?;
    let query = request.query;
    let (prefix, delimiter) = (query.text("prefix")?, query.text("delimiter")?);
    let marker = query.text("marker")?;
    let keys_max = query.page_size("max-keys", PAGE_KEYS_MAX)?;
    // A marker that is a common prefix, or lies inside one, skips all of its keys (fact 95).
    let skipped = marker.strip_prefix(&*prefix).and_then(|rest| {
        let at = (!delimiter.is_empty()).then(|| rest.find(&*delimiter))??;
        Some(&marker[..prefix.len() + at + delimiter.len()])
    });
    let start = if marker.is_empty() {
        query
            .has("continuation-token")
            .then(|| Start::from_token(""))
            .transpose()?
    } else if let Some(common) = skipped {
        Some(Start::AfterPrefix(common.as_bytes().to_vec()))
    } else {
        Some(Start::AfterKey(marker.as_bytes().to_vec()))
    };
    let page = Page {
        prefix: prefix.as_bytes(),
        delimiter: delimiter.as_bytes(),
        start,
        keys_max,
        encoding: encoding(request)?,
        with_owner: true,
        with_restore_status: with_restore_status(request)?,
    };
    let entries = entries(&state, &page);
    let mut xml = Xml::result("ListBucketResult", 1024 + entries.xml.len());
    xml.text("Name", request.bucket);
    xml.key("Prefix", page.prefix, page.encoding);
    xml.key("Marker", marker.as_bytes(), page.encoding);
    if let (Some(next), false) = (&entries.next, delimiter.is_empty()) {
        xml.key("NextMarker", next.text(), page.encoding);
    }
    Ok(finish_page(xml, &page, &entries, "ListBucketResult"))
}
