//! What a run is asked to do.
//!
//! [`input`] is what a person types, [`spec`] is the same with every default filled in and every contradiction refused.
//! [`option`] holds the choices, [`pair`] the source and the target, [`filter`] which objects take part (by globs, `glob`), [`list`] the list that may name them, [`instant`] the time whose state is meant, [`rerun`] what a
//! rerun refers to, [`transform`] what is made of each object instead of a copy. [`record`] is the run's record in the ledger, [`lock`] its lock there, [`renditions`] what is known of renditions at a target, [`masking`] keeps external ids out of messages, [`event`] the payloads between the state machine and the
//! functions.

pub mod event;
pub mod filter;
mod glob;
pub mod input;
pub mod instant;
pub mod invalid;
mod json_object;
pub mod list;
pub mod lock;
pub mod masking;
pub mod option;
pub mod pair;
pub mod record;
pub mod renditions;
pub mod rerun;
pub mod spec;
pub mod starter;
mod stated_input;
pub mod transform;

pub(crate) use invalid::invalid;
