//! The report of a run.
//!
//! [`settlement`] adds up the ledger, [`draft`] puts the report together, [`Report`] is the result, [`notice`] writes it for people, [`cost`] prices requests.

pub mod cost;
pub mod draft;
pub mod notice;
mod remedy;
mod run_report;
pub mod settlement;
mod shard_summary;

pub use remedy::Remedy;
pub use run_report::{
    CopySeconds, Cost, DeletedCount, NotPlanned, REPORT_VERSION, Report, ReportLocation,
    ReportedProblem, Verdict, Verification, cut,
};
pub use shard_summary::{NOT_DONE_SHOWN_MAX, ShardSummary};
