//! The reporter: settles the ledger of a run, offers another round for what is not done, proves that the target is
//! complete, writes the report and notifies.
//!
//! Read [`Reporter::report`] first; every step of it is a module: `round`, then `conclusion` with `sweep` and `verify`, then
//! `publication` with `details` and `page`. Every step is given the `invocation`.

mod conclusion;
mod details;
mod events;
mod invocation;
mod metrics;
mod page;
mod ports;
mod progress;
mod publication;
mod receipts;
mod reply;
mod reporter;
mod round;
mod sweep;
mod verify;

pub use ports::Ports;
pub use reporter::Reporter;
