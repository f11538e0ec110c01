//! Logs as JSON lines. They never contain credentials, session tokens, the environment, events or object bytes (P10).

use tracing::{Level, level_filters::LevelFilter};
use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

/// The variable that sets the level of the logs of our own crates: `error`, `warn`, `info` (the default), `debug`.
const LEVEL_VARIABLE: &str = "LOG_LEVEL";

/// How the names of our own crates start.
const OWN_TARGETS: [&str; 5] = ["shardlift", "planner", "copier", "renderer", "reporter"];

/// Starts logging to the standard output. A second call has no effect.
pub fn init() {
    let level = std::env::var(LEVEL_VARIABLE)
        .ok()
        .and_then(|text| text.parse::<Level>().ok())
        .unwrap_or(Level::INFO);
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_ansi(false);
    let started = tracing_subscriber::registry()
        .with(lines)
        .with(targets(level))
        .try_init();
    if started.is_err() {
        tracing::debug!("logging has already started");
    }
}

/// The AWS SDK logs access key ids and whole requests at DEBUG, so its level is always WARN. The Lambda runtime logs a
/// failed invocation a second time, so only its own errors are logged.
fn targets(level: Level) -> Targets {
    Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("lambda_runtime", LevelFilter::ERROR)
        .with_targets(OWN_TARGETS.map(|target| (target, level)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sdk_never_logs_below_warn() {
        let targets = targets(Level::TRACE);
        for target in [
            "aws_config::sts",
            "aws_smithy_runtime",
            "hyper",
            "lambda_runtime",
        ] {
            assert!(!targets.would_enable(target, &Level::INFO), "{target}");
        }
        assert!(targets.would_enable("shardlift_worker::pace", &Level::DEBUG));
    }
}
