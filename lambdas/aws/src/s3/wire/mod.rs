//! How S3 writes things in requests and responses, apart from any single operation.
//!
//! Read [`escaped_key`] and [`url_encoded_key`] for keys, then [`etag`], [`checksums`], [`encryption`] and
//! [`response_date`] for what responses carry, [`stored_headers`] for what is sent again byte for byte, [`copy_source`] and [`tagging_header`] for the two request headers that
//! the SDK does not encode, [`complete_document`] for truncated XML, [`page_deserializer`] for listings,
//! and [`write_settings`] for the headers that a bucket may demand.

pub(super) mod checksums;
pub(crate) mod complete_document;
pub(super) mod copy_source;
pub(super) mod encryption;
pub(crate) mod escaped_key;
pub(super) mod etag;
pub(super) mod page_deserializer;
pub(super) mod part_number;
pub(super) mod response_date;
pub(crate) mod stored_headers;
pub(super) mod tagging_header;
pub(super) mod url_encoded_key;
pub(super) mod write_settings;
