//! The HTTP server.
//!
//! Read `server` first (the listener), then `connection`, then `exchange` (the path of a request
//! through the weather to its handler and back), then `faults` (what the weather changes on the
//! way) and `origin` (web pages are refused).

mod connection;
mod exchange;
mod faults;
mod origin;
pub(crate) mod server;
