//! `failures.csv`, `shards.json` and the index of the receipts: every failed key, every shard and where every list of
//! receipts lies, streamed.
//!
//! [`Details`] walks the shards, `detail_writer` puts them into the documents, `buffered_document` gathers what is
//! written, `csv_row` and `shard_line` are the forms.

mod buffered_document;
mod csv_row;
mod detail_writer;
mod details_of_shards;
mod shard_line;

pub(crate) use buffered_document::BufferedDocument;
pub(crate) use details_of_shards::Details;
