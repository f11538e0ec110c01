//! What can go wrong.
//!
//! A [`fault`] is what one call to AWS ran into, as a port returns it, with the [`refusal`] reason that AWS gave. A
//! [`Failure`] is what is reported to people: a stable [`FailureCode`] and a sentence. Read `code` first.

mod code;
pub mod fault;
pub mod refusal;
mod reported;

pub use code::{FailureCode, Retry, Scope};
pub use reported::{Context, Failure};
