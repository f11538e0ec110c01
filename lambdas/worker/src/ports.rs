//! The ports of a worker, as one parameter.

use shardlift_core::port::{self, Accounts};

/// Names an implementation of each port that a worker uses.
pub trait Ports {
    /// Opens the target.
    type Accounts: port::Accounts;
    /// The ledger.
    type Ledger: port::Ledger;
    /// The control bucket.
    type Control: port::ControlStore;
    /// The time.
    type Clock: port::Clock;
}

/// The target bucket as the worker's accounts open it.
pub type Target<P> = <<P as Ports>::Accounts as Accounts>::Target;

/// One implementation of each port.
pub struct Connections<P: Ports> {
    /// Opens the target.
    pub accounts: P::Accounts,
    /// The ledger.
    pub ledger: P::Ledger,
    /// The control bucket.
    pub control: P::Control,
    /// The time.
    pub clock: P::Clock,
}
