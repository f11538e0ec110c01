//! A page of a listing.

use super::start::Start;
use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::protocol::response::Response;
use crate::protocol::xml::{KeyEncoding, Xml};

/// A page holds at most 1,000 keys and common prefixes.
pub(super) const PAGE_KEYS_MAX: u32 = 1000;
/// Space for one entry: about 220 bytes and the key.
pub(super) const ENTRY_BYTES: usize = 320;

/// What a page is asked for.
pub(super) struct Page<'a> {
    pub(super) prefix: &'a [u8],
    pub(super) delimiter: &'a [u8],
    pub(super) start: Option<Start>,
    pub(super) keys_max: u32,
    pub(super) encoding: KeyEncoding,
    pub(super) with_owner: bool,
    /// Whether the state of restores is asked for.
    pub(super) with_restore_status: bool,
}

/// The entries of a page, in XML.
pub(super) struct Entries {
    pub(super) xml: Vec<u8>,
    pub(super) count: u32,
    /// Where the next page begins, if there is one.
    pub(super) next: Option<Start>,
}

/// Returns how keys are written: `encoding-type`.
pub(in crate::operations) fn encoding(request: &Request<'_>) -> Result<KeyEncoding, S3Error> {
    match request.query.get("encoding-type")?.as_deref() {
        None => Ok(KeyEncoding::Xml),
        Some("url") => Ok(KeyEncoding::Url),
        Some(other) => Err(S3Error::invalid_argument(
            "encoding-type",
            other,
            "Invalid Encoding Method specified in Request",
        )),
    }
}

/// Returns whether a request asks for the state of restores: `x-amz-optional-object-attributes`
/// (docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html), whose one value is RestoreStatus.
pub(super) fn with_restore_status(request: &Request<'_>) -> Result<bool, S3Error> {
    const HEADER: &str = "x-amz-optional-object-attributes";
    match request.header(HEADER)? {
        None => Ok(false),
        Some("RestoreStatus") => Ok(true),
        Some(other) => Err(S3Error::invalid_argument(
            HEADER,
            other,
            "Invalid attribute name specified",
        )),
    }
}

/// Writes the elements at the end of the head, which all listings share, and the entries.
pub(super) fn finish_page(
    mut xml: Xml,
    page: &Page<'_>,
    entries: &Entries,
    root: &str,
) -> Response {
    xml.number("MaxKeys", u64::from(page.keys_max));
    if !page.delimiter.is_empty() {
        xml.key("Delimiter", page.delimiter, page.encoding);
    }
    if page.encoding == KeyEncoding::Url {
        xml.text("EncodingType", "url");
    }
    xml.boolean("IsTruncated", entries.next.is_some());
    xml.raw(&entries.xml);
    let mut response = Response::xml(xml.finish(root));
    response.listed = u64::from(entries.count);
    response
}
