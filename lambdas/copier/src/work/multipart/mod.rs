//! One object in parts.
//!
//! Read `multipart_copy` first: it takes an upload from its creation to its end. `upload_creation` creates it with what
//! CopyObject would carry along, `upload_parts` lists and copies its parts, `upload_completion` completes it and finds out
//! what became of one that is gone, and `assembled_etag` is the ETag that the object will have.

mod assembled_etag;
mod multipart_copy;
mod upload_completion;
mod upload_creation;
mod upload_parts;

pub(super) use multipart_copy::MultipartCopy;
pub(super) use upload_creation::UploadCreation;
pub(crate) use upload_creation::UploadSharing;
pub(super) use upload_parts::UploadParts;
