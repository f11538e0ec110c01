//! What a failed call to AWS means to the domain. No other chapter reads error codes or HTTP status.
//!
//! Read [`call_fault`] first: it maps the SDK's errors. [`error_codes`] has a table for each service, and [`s3`],
//! [`dynamodb`] and [`sts`] hold what only these services need. [`fault_message`] decides what a fault's message
//! contains, [`error_document`] parses S3's error responses, and [`refusal_reason`] reads which policy refused a call.

mod call_fault;
mod dynamodb;
mod error_codes;
mod error_document;
mod fault_message;
mod refusal_reason;
mod s3;
mod sts;

pub(crate) use call_fault::{call_fault, session_fault};
pub(crate) use dynamodb::transaction_fault;
pub(crate) use error_document::ErrorDocument;
pub use fault_message::causes_of;
pub(crate) use fault_message::malformed_response;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use refusal_reason::refusal_reason;
pub(crate) use s3::{is_throttled, object_fault, region_in_response};
