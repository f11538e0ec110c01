//! Runs a handler as a Lambda function: [`settings`] reads the environment (single `variables`), [`adapters`] connects the ports, [`handler`]
//! is what a function implements, and [`invocation`] passes events to it and replies back.

mod adapters;
mod ceiling_variables;
mod data_endpoint;
mod handler;
mod invocation;
mod settings;
mod variables;

pub use adapters::Adapters;
pub use handler::Handler;
pub use invocation::run;
pub use settings::Settings;
