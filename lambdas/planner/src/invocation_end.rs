//! How the planning of one invocation ended.

/// How the planning of one invocation ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum InvocationEnd {
    /// Every range is done.
    Complete {
        /// Manifests written by this invocation.
        manifests: u64,
    },
    /// The deadline is near; everything merged is written.
    Yielded {
        /// Manifests written by this invocation.
        manifests: u64,
    },
    /// Another invocation wrote to the same ranges.
    Superseded,
}
