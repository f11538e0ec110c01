//! The ports of the planner.

use shardlift_core::port::{Accounts, Clock, ControlStore, Executions, Ledger, ListFiles};

use crate::source_listing::SourceListing;

/// The adapters that a planner works with.
pub trait Ports {
    /// Opens the two sides.
    type Accounts: Accounts;
    /// The ledger.
    type Ledger: Ledger;
    /// The control bucket.
    type Control: ControlStore;
    /// The files of lists.
    type Lists: ListFiles;
    /// Whether the execution behind a lock still runs.
    type Executions: Executions;
    /// The clock.
    type Clock: Clock;
}

/// The source bucket of a planner.
pub(crate) type SourceOf<P> = <<P as Ports>::Accounts as Accounts>::Source;
/// What a planner takes for the listing of the source.
pub(crate) type SourceListingOf<'a, P> = SourceListing<'a, SourceOf<P>>;
/// The target bucket of a planner.
pub(crate) type TargetOf<P> = <<P as Ports>::Accounts as Accounts>::Target;
