//! The state machine as `statemachine/sync.asl.json` has it: read without leniency, and executed.
//!
//! What the definition holds and this chapter does not know is an error, so that the simulation cannot drift from the
//! machine that is deployed. `definition` is its shape, `template` evaluates paths and intrinsic functions, `choice` the
//! rules of a Choice, `retry` the retriers, `interpreter` walks the states.

mod choice;
mod definition;
mod interpreter;
mod retry;
mod template;

pub use definition::{Definition, read};
pub use interpreter::{Ending, Interpreter, Progress, TaskError, Tasks};
