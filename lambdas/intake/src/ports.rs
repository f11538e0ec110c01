//! The ports of the intake.

use shardlift_core::port;

/// The adapters that an intake works with.
pub trait Ports {
    /// The ledger, for the lock of the pair.
    type Ledger: port::Ledger;
    /// The control bucket, with the lists that wait.
    type Control: port::ControlStore + port::EventLists;
    /// Whether the execution behind a lock still runs.
    type Executions: port::Executions;
    /// Starts runs.
    type Starts: port::RunStarts;
    /// The clock.
    type Clock: port::Clock;
}
