//! The intake over the testkit's ports.

#![expect(clippy::unwrap_used, reason = "a test fails where its setup fails")]

mod faults;
mod holding;
mod interleavings;
mod starting;
mod turns;
mod world;
