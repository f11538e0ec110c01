//! The reporter: settles the ledger of a run, offers another round for what is not done, proves that the target is
//! complete, writes the report and notifies.
//!
//! Read [`Reporter::report`] first; every step of it is a module.

mod documents;
mod failed_objects;
mod findings;
mod manifests;
mod metrics;
mod page;
mod proof;
mod relist;
mod replanned;
mod reporter;
mod rounds;
mod settle;
mod uploads;

pub use reporter::Reporter;
