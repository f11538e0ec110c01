//! ListObjectsV2 lists the objects of a bucket, page by page.
//!
//! [`page_request`] sends the request, and makes the SDK read the response with [`document`], which
//! tries [`plain_reader`] first and falls back to [`xml_reader`]; both fill in a [`page_draft`].

mod document;
pub(super) mod page_draft;
mod page_request;
mod plain_reader;
#[cfg(test)]
mod reader_agreement;
pub(super) mod xml_reader;

pub(super) use page_request::{first_object, in_own_task, list_page};

/// Parses a page; panics where the plain reader takes what the XML reader refuses, or reads it differently.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn read_page_twice(body: &[u8]) {
    if let Some(page) = plain_reader::read(body) {
        assert_eq!(xml_reader::read(body).as_ref(), Ok(&page));
    }
    let _ = document::parse(body);
}
