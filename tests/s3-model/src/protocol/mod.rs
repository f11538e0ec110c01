//! S3's protocol: how a request names what it wants, and how a response says what happened.
//!
//! Read `operation` and `error_code` first (the vocabulary). Then follow a request: `resource`
//! (bucket and key), `query`, `header`, `routing` (which operation it is), `request_body`. Then
//! a response: `xml`, `error`, `response` (as a handler makes it), `response_body` (as it is
//! sent).

pub(crate) mod encoded_word;
pub(crate) mod error;
pub(crate) mod error_code;
pub(crate) mod header;
pub(crate) mod operation;
pub(crate) mod query;
pub(crate) mod request_body;
pub(crate) mod resource;
pub(crate) mod response;
pub(crate) mod response_body;
pub(crate) mod routing;
pub(crate) mod xml;
