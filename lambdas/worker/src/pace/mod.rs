//! When a call may be made, and when it is retried.
//!
//! Read `gate` first: every call of a copier passes it. `retries` counts the attempts of one call.

mod gate;
mod retries;

pub use gate::{Gate, PARTS_IN_FLIGHT_MAX};
pub use retries::BudgetedRetries;
