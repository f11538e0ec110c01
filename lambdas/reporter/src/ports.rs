//! The ports of the reporter, as one parameter.

use shardlift_core::port::{self, Accounts};

/// Names an implementation of each port that the reporter uses.
pub trait Ports {
    /// Opens the two sides, to sweep uploads and to verify.
    type Accounts: port::Accounts;
    /// The ledger.
    type Ledger: port::Ledger;
    /// The control bucket.
    type Control: port::ControlStore + port::EventLists;
    /// The topic.
    type Notifier: port::Notifier;
    /// The time.
    type Clock: port::Clock;
}

/// The target bucket as the reporter's accounts open it.
pub(crate) type Target<P> = <<P as Ports>::Accounts as Accounts>::Target;
