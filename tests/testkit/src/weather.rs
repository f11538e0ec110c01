//! The fate of every call, decided by somebody else than a script that names one call.

use std::{fmt, sync::Arc, time::Duration};

use shardlift_core::failure::fault::FaultKind;

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallFate {
    /// How long it takes until it has its effect, or has none.
    pub before: Duration,
    /// Whether it has its effect.
    pub takes_effect: bool,
    /// How long its response takes.
    pub after: Duration,
    /// What the caller sees.
    pub end: CallEnd,
}

/// What the caller of a call sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallEnd {
    /// The response.
    Response,
    /// This fault, whatever the effect was.
    Fault(FaultKind),
    /// Nothing ever again: its process is killed.
    Killed,
}

/// Decides what happens to every call of the ports that share a [`CallScript`](crate::CallScript), and sees each effect.
pub trait CallWeather: Send + Sync {
    /// What happens to the next call of this operation.
    fn fate(&self, operation: &'static str) -> CallFate;

    /// The call had its effect, or was refused by the service itself: `fault` says why.
    fn after_effect(&self, operation: &'static str, fault: Option<FaultKind>);
}

#[derive(Clone)]
pub(crate) struct Governor(pub(crate) Arc<dyn CallWeather>);

impl fmt::Debug for Governor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Governor")
    }
}
