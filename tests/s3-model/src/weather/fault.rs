//! What can happen to a request.

use serde::{Deserialize, Serialize};

use crate::protocol::error_code::ErrorCode;

/// What can happen to a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// An error response.
    Refuse {
        /// The error code.
        code: ErrorCode,
        /// Whether the operation takes effect nevertheless.
        #[serde(default)]
        happened: bool,
    },
    /// Status 200 with an error document, for the operations that do this on S3.
    RefuseIn200 {
        /// The error code.
        code: ErrorCode,
        /// Whether the operation takes effect nevertheless.
        #[serde(default)]
        happened: bool,
    },
    /// The connection is reset before the first byte of the response.
    Reset {
        /// Whether the operation takes effect.
        happened: bool,
    },
    /// The body is cut off.
    CutBody {
        /// The share of the body that is sent.
        share: f64,
        /// Whether HTTP's framing fits the shorter body, so that only the document is broken.
        #[serde(default)]
        well_framed: bool,
    },
    /// Status and headers are sent, then nothing for some time, then the body.
    Silence {
        /// How long, in milliseconds of model time.
        ms: u64,
    },
    /// The whole response is late.
    Delay {
        /// By how much, in milliseconds of model time.
        ms: u64,
    },
    /// The caller's session has expired.
    ExpireSession,
}

impl Fault {
    /// Returns the name in the counters.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Refuse { .. } => "refuse",
            Self::RefuseIn200 { .. } => "refuse_in_200",
            Self::Reset { .. } => "reset",
            Self::CutBody { .. } => "cut_body",
            Self::Silence { .. } => "silence",
            Self::Delay { .. } => "delay",
            Self::ExpireSession => "expire_session",
        }
    }
}
