//! Faults that are planted one by one, each of which some seed must find: how honest the simulation is.
//!
//! `planted` lists those of the ports; `target`, `ledger` and `others` are the ports in memory with one of them, or with none.
//! `machine` has those of the state machine, and `planted.json` those that only code can have.

mod ledger;
mod machine;
mod others;
mod planted;
mod target;

pub use ledger::PlantedLedger;
pub use machine::{MachineFault, machine_faults};
pub use others::{PlantedControl, PlantedExecutions, PlantedNotifier};
pub use planted::{PORT_FAULTS, PortFault};
pub use target::{PlantedAccounts, PlantedTarget};
