//! Which policy must allow which call, and why a call was refused.
//!
//! [`policy`] holds the documents of both accounts as data, [`denial`] turns a refused call into what a person must change,
//! [`diagnosis`] says which permission a refused copy lacked, [`preflight`] is the table of the checks before a run.

pub mod denial;
pub mod diagnosis;
mod own_role;
pub mod policy;
pub mod preflight;
