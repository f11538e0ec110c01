//! Multipart uploads.
//!
//! Read `create_multipart_upload`, `upload_part`, `upload_part_copy` and
//! `complete_multipart_upload` (with `completed_parts` and `assembly`) in the order of an upload.
//! `open_upload` finds the upload of a request.

pub(super) mod abort_multipart_upload;
mod assembly;
pub(super) mod complete_multipart_upload;
mod completed_parts;
pub(super) mod create_multipart_upload;
pub(super) mod list_multipart_uploads;
pub(super) mod list_parts;
mod open_upload;
pub(super) mod upload_part;
pub(super) mod upload_part_copy;
mod upload_xml;
