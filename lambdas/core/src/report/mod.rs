//! The report of a run.
//!
//! Read [`settlement`] first: it adds up the ledger. [`draft`] puts the report
//! together and [`Report`] is the result, in its stored form; its parts are the
//! [`Verdict`] and how it follows from the rest, [`Verification`], [`Cost`] at the list prices in [`prices`],
//! [`ReportedProblem`], [`ShardSummary`] and [`NotPlanned`]. `sums` checks that its counts add up. [`Emptiness`] tells a run that found nothing from one that is in step. [`Remedy`] is the run to start after it, and [`AskedInput`] what this one was asked. [`ReportedPair`] is where. [`view`] turns a report into what people read, and
//! [`notice`] lays that out as a notification.

mod asked_input;
pub mod cost;
pub mod draft;
mod emptiness;
mod failure_example;
mod judgment;
mod not_planned;
pub mod notice;
pub mod prices;
mod problem;
mod remedy;
mod reported_pair;
mod run_report;
pub mod settlement;
mod shard_summary;
mod sums;
mod verdict;
mod verification;
pub mod view;

pub use asked_input::AskedInput;
pub use cost::{CopySeconds, Cost};
pub use emptiness::Emptiness;
pub use failure_example::{FailedWork, FailureExample, FailureExamples, note_example};
pub use not_planned::NotPlanned;
pub use problem::ReportedProblem;
pub use remedy::Remedy;
pub use reported_pair::{ReportedPair, ReportedSide};
pub use run_report::{
    DeleteLimits, DeletedCount, REPORT_VERSION, Report, ReportLocation, ReportedEvents,
    ReportedWarning, SkippedObjects, StartedBy,
};
pub use shard_summary::{NOT_DONE_SHOWN_MAX, ShardSummary};
pub use verdict::Verdict;
pub use verification::{Proof, ProofMethod, Verification};
