//! The ports of the copier, as one parameter.

use shardlift_core::port::{self, Accounts};

/// Names an implementation of each port that the copier uses.
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

/// The target bucket as the copier's accounts open it.
pub(crate) type Target<P> = <<P as Ports>::Accounts as Accounts>::Target;

/// One implementation of each port.
pub(crate) struct Connections<P: Ports> {
    pub(crate) accounts: P::Accounts,
    pub(crate) ledger: P::Ledger,
    pub(crate) control: P::Control,
    pub(crate) clock: P::Clock,
}
