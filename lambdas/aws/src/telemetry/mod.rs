//! What the functions report about themselves: [`logging`] starts JSON logs, [`field`] names their fields, and
//! [`metrics`] writes metrics in between.

pub mod field;
mod logging;
pub mod metrics;

pub use logging::init;
