//! What a run stores in the control bucket.
//!
//! [`RunDocuments`] reads and writes the documents of a run through the port; start there. [`control_key`] names the
//! objects, [`manifest`] lists the objects of a shard, [`failure_list`] those that failed, [`failed_objects`] reads both
//! together. [`receipt`] lists what became of each object. [`json_lines`] is the encoding of the lists, and `bounded_lines` how both are read.
//! `list_documents` are those about the list of a run.

mod bounded_lines;
pub mod control_key;
mod document_error;
pub mod failed_objects;
pub mod failure_list;
pub mod json_lines;
mod list_documents;
pub mod manifest;
pub mod receipt;
pub mod receipt_index;
mod run_documents;

pub use document_error::{DocumentAction, DocumentError};
pub use run_documents::{RunDocument, RunDocuments};
