//! The S3 operations, one file for each under S3's own name (a few siblings share one).
//!
//! Read `request` first (what a handler sees), then `dispatch` (which handler gets it), then
//! `objects/get_object` and `objects/put_object`. What many handlers share has files of its own:
//! `guard` (Region, owner, permissions), `lookup` (the object that a request names),
//! `conditions` (`If-Match` and the like), `written_attributes` and `body_digest` (what an upload
//! sends), `response_headers`.

mod annotations;
mod body_digest;
mod buckets;
mod conditions;
pub(crate) mod dispatch;
mod guard;
pub(crate) mod listing;
mod lookup;
mod multipart;
mod objects;
pub(crate) mod request;
mod response_headers;
mod tagging;
mod written_attributes;

pub(crate) use written_attributes::stored_header;
