//! ListObjectVersions lists the versions and delete markers of a bucket, page by page.
//!
//! [`page_request`] sends the request, and makes the SDK read the response with [`document`]: the SDK's own parser puts
//! versions and delete markers into two lists, and which of them is the newer is lost.

mod document;
mod page_request;

pub(super) use page_request::list_versions;

/// Parses a page of versions, and panics where the parser does.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn read_version_page(body: &[u8]) {
    let _ = document::parse(body);
}
