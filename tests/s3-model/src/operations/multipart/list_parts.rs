//! ListParts.

use super::open_upload::{find, upload_id};
use super::upload_xml::write_upload;
use crate::date::iso;
use crate::lock::read;
use crate::operations::guard::{addressed_bucket, authorize_object};
use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::protocol::response::Response;
use crate::protocol::xml::Xml;
use crate::state::ServerState;
use crate::storage::upload::Part;

/// A page holds at most 1,000 parts.
const PAGE_MAX: u32 = 1000;

/// ListParts.
pub(crate) fn list_parts(server: &ServerState, request: &Request<'_>) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    let state = read(&bucket);
    authorize_object(&state, request, "s3:ListMultipartUploadParts")?;
    let id = upload_id(request)?;
    let upload = find(&state, request.key, &id)?;
    let marker = request
        .query
        .number("part-number-marker", i32::MAX.unsigned_abs())?
        .unwrap_or(0);
    let max = request.query.page_size("max-parts", PAGE_MAX)?;
    let mut after = upload
        .parts
        .iter()
        .filter(|(number, _)| u32::from(**number) > marker);
    let page: Vec<_> = after.by_ref().take(max as usize).collect();
    let is_truncated = after.next().is_some();
    let mut xml = Xml::result("ListPartsResult", 1024 + 300 * page.len());
    xml.text("Bucket", request.bucket);
    xml.text("Key", request.key);
    xml.text("UploadId", &id);
    write_upload(&mut xml, upload, &state.owner);
    xml.number("PartNumberMarker", u64::from(marker));
    xml.number(
        "NextPartNumberMarker",
        page.last().map_or(0, |(number, _)| u64::from(**number)),
    );
    xml.number("MaxParts", u64::from(max));
    xml.boolean("IsTruncated", is_truncated);
    for (number, part) in page {
        write_part(&mut xml, *number, part);
    }
    Ok(Response::xml(xml.finish("ListPartsResult")))
}

fn write_part(xml: &mut Xml, number: u16, part: &Part) {
    xml.open("Part");
    xml.number("PartNumber", u64::from(number));
    xml.text("LastModified", &iso(part.modified_s));
    xml.text("ETag", &part.etag.quoted());
    xml.number("Size", part.rope.length());
    if let Some(checksum) = &part.checksum {
        xml.text(checksum.algorithm.element(), &checksum.text());
    }
    xml.close("Part");
}
