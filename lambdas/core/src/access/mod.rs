//! Which policy must allow which call, and why a call was refused.
//!
//! Two accounts share a run, so most calls need the consent of two policies. [`document`] names the policies and
//! [`grant`] is the one table of what each of them must allow, under which statement id; [`policy`] holds their contents.
//! For a refused call, [`denial`] says who may not do what, and which of the [`deciders`] lacks which statement;
//! [`missing_permission`] turns what AWS reported, or what probes found, into a denial. [`preflight`] is the table of the
//! checks before a run, and [`ceilings`] what any run may ask for. `own_role` adds the missing statement where a function's own role was refused.
//!
//! Read `document`, `grant`, `deciders`, `denial`, then the rest. Functions only call, and ask here what a refusal means.

mod advice;
pub mod ceilings;
pub mod deciders;
pub mod denial;
pub mod document;
pub mod grant;
pub mod missing_permission;
mod own_role;
pub mod policy;
pub mod preflight;
