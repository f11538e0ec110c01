//! Runs a handler as a Lambda function: [`settings`] reads the environment, [`adapters`] connects the ports, [`handler`]
//! is what a function implements, and [`invocation`] passes events to it and replies back.

mod adapters;
mod data_endpoint;
mod handler;
mod invalid_setting;
mod invocation;
mod settings;

pub use adapters::Adapters;
pub use handler::Handler;
pub use invocation::run;
pub use settings::Settings;
