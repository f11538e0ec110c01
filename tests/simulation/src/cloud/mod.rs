//! The world in which the functions run.
//!
//! `sky` decides what happens to each call and does what others do, `environment` is a process of a function over the ports,
//! `lambda` invokes functions as Lambda does at its worst, `execution` runs the state machine, `world` holds it all.

mod clock;
mod environment;
mod execution;
mod lambda;
mod sky;
mod trouble;
mod world;

pub use clock::{VirtualClock, began_at};
pub use execution::execute;
pub use world::{Cloud, Planted};
