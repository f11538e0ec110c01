//! Weather: the fault injection profile of a server. It is what S3 may do to a client at any time
//! and an emulator never does: latency, throttling, errors, broken connections, a wrong clock.
//!
//! Read `profile` first (everything that a test or the control API sets), then `fault` and `rule`
//! (which fault happens when), then `partition` (the request rates of a key range), then
//! `current` (the profile in force, and its random draws).

pub(crate) mod current;
pub(crate) mod fault;
pub(crate) mod partition;
pub(crate) mod profile;
pub(crate) mod rule;
