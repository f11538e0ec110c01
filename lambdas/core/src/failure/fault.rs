//! How a call to AWS can fail, as the ports report it: what happened, and whether it may have taken effect.

use super::{code::FailureCode, refusal::RefusalReason};

/// Why a call failed. One chapter of the adapters maps SDK codes and HTTP status to these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// A policy refused the call (403).
    AccessDenied,
    /// The role could not be assumed: refused by its trust policy, or it does not exist.
    RoleRefused,
    /// The object, or the version asked for, does not exist.
    NoSuchKey,
    /// The bucket does not exist.
    NoSuchBucket,
    /// The multipart upload does not exist: completed, aborted, or never there.
    NoSuchUpload,
    /// A table, execution or another resource does not exist.
    NoSuchResource,
    /// A condition of the call did not hold (412, or DynamoDB's conditional check).
    ConditionFailed,
    /// Another write to the same key was under way (409).
    ConcurrentWrite,
    /// The object's storage class does not allow reading it before a restore.
    Archived,
    /// The KMS key does not exist, is disabled, or is about to be deleted. No policy is at fault.
    KeyUnusable,
    /// A part, range, size or count is outside S3's limits, or the request is malformed.
    Rejected,
    /// The response is right, and yet nobody can know from it what was asked for.
    Unknowable,
    /// The bucket is owned by another account than stated, where S3 says so.
    WrongOwner,
    /// The bucket is in another Region than the client's.
    WrongRegion,
    /// The temporary credentials ended.
    SessionExpired,
    /// AWS asked to slow down (503 SlowDown, throttling).
    Throttled,
    /// AWS failed (5xx, or an error in the body of a 200).
    ServiceError,
    /// No response: connection refused, reset, or timed out.
    NoResponse,
    /// A response that makes no sense: cut off, not parsable, missing what it must contain.
    MalformedResponse,
}

/// Whether a failed call may have changed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// It surely changed nothing.
    None,
    /// It may have: the truth is to be read, never assumed.
    Unknown,
}

/// A call to AWS that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation} failed: {message}")]
pub struct CallFault {
    /// The operation as IAM names it, for example `s3:CopyObject`.
    pub operation: &'static str,
    /// Why it failed.
    pub kind: FaultKind,
    /// Whether it may have taken effect.
    pub effect: Effect,
    /// AWS's code, HTTP status, message and request ids, as far as there were any.
    pub message: String,
    /// Why it was refused, where AWS says so.
    pub reason: Option<RefusalReason>,
}

impl CallFault {
    /// A fault of this kind; its effect follows from the kind.
    #[must_use]
    pub fn new(operation: &'static str, kind: FaultKind, message: impl Into<String>) -> Self {
        Self {
            operation,
            kind,
            effect: kind.effect(),
            message: message.into(),
            reason: None,
        }
    }

    /// Whether the same call may succeed when it is simply made again later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.kind.is_transient()
    }

    /// The code of this fault. The ledger holds no objects: what would be an object's fate elsewhere is the run's there.
    #[must_use]
    pub fn failure_code(&self) -> FailureCode {
        if !self.operation.starts_with("dynamodb:") {
            return self.kind.failure_code();
        }
        match self.kind {
            FaultKind::ConditionFailed | FaultKind::ConcurrentWrite => FailureCode::LedgerConflict,
            FaultKind::Rejected => FailureCode::InvariantViolated,
            kind => kind.failure_code(),
        }
    }
}

impl FaultKind {
    /// Whether the same call may succeed when it is simply made again later.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(
            self,
            Self::Throttled
                | Self::ServiceError
                | Self::NoResponse
                | Self::MalformedResponse
                | Self::ConcurrentWrite
                | Self::SessionExpired
        )
    }

    /// Whether a call that failed so may have taken effect.
    #[must_use]
    pub const fn effect(self) -> Effect {
        match self {
            Self::ServiceError | Self::NoResponse | Self::MalformedResponse => Effect::Unknown,
            _ => Effect::None,
        }
    }

    /// The code under which a fault of this kind is reported when nothing more specific is known.
    #[must_use]
    pub const fn failure_code(self) -> FailureCode {
        match self {
            Self::AccessDenied | Self::KeyUnusable => FailureCode::AccessDenied,
            Self::RoleRefused => FailureCode::RoleUnavailable,
            Self::NoSuchKey => FailureCode::SourceMissing,
            Self::NoSuchBucket | Self::WrongRegion => FailureCode::BucketUnavailable,
            Self::ConditionFailed | Self::ConcurrentWrite => FailureCode::TargetConflict,
            Self::Archived => FailureCode::ObjectArchived,
            Self::Rejected => FailureCode::ObjectUnsupported,
            Self::Unknowable => FailureCode::InvalidRun,
            Self::WrongOwner => FailureCode::BucketOwnerMismatch,
            Self::Throttled => FailureCode::Throttled,
            Self::NoSuchUpload
            | Self::NoSuchResource
            | Self::SessionExpired
            | Self::ServiceError
            | Self::NoResponse
            | Self::MalformedResponse => FailureCode::ServiceFault,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_the_ledger_is_never_an_objects() {
        for (operation, kind, code) in [
            (
                "dynamodb:TransactWriteItems",
                FaultKind::ConcurrentWrite,
                FailureCode::LedgerConflict,
            ),
            (
                "dynamodb:PutItem",
                FaultKind::ConditionFailed,
                FailureCode::LedgerConflict,
            ),
            (
                "dynamodb:PutItem",
                FaultKind::Rejected,
                FailureCode::InvariantViolated,
            ),
            (
                "dynamodb:GetItem",
                FaultKind::Throttled,
                FailureCode::Throttled,
            ),
            (
                "s3:CopyObject",
                FaultKind::ConcurrentWrite,
                FailureCode::TargetConflict,
            ),
        ] {
            let found = CallFault::new(operation, kind, "no").failure_code();
            assert_eq!(found, code, "{operation} {kind:?}");
        }
    }

    #[test]
    fn only_a_call_without_a_clear_response_may_have_taken_effect() {
        assert_eq!(FaultKind::NoResponse.effect(), Effect::Unknown);
        assert_eq!(FaultKind::ServiceError.effect(), Effect::Unknown);
        assert_eq!(FaultKind::Throttled.effect(), Effect::None);
        assert_eq!(FaultKind::AccessDenied.effect(), Effect::None);
    }
}
