//! ListObjectsV2 lists the objects of a bucket, page by page.
//!
//! [`page_request`] sends the request. [`page_deserializer`] makes the SDK read the response with [`document`], which
//! tries [`plain_reader`] first and falls back to [`xml_reader`]; both fill in a [`page_draft`].

mod document;
mod page_deserializer;
mod page_draft;
mod page_request;
mod plain_reader;
#[cfg(test)]
mod reader_agreement;
mod xml_reader;

pub(super) use page_request::{first_object, list_page};
