//! How a call to AWS can fail, as the ports report it: what happened, and whether it may have taken effect.

use crate::{
    access::denial::{Documents, PolicyDocument, TO_ENTER, own_statement},
    failure::{Failure, FailureCode, refusal::RefusalReason},
};

/// Why a call failed. One adapter file maps SDK codes and HTTP status to these.
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
    /// A part, range, size or count is outside S3's limits, or the request is malformed.
    Rejected,
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
    /// No answer: connection refused, reset, or timed out.
    NoAnswer,
    /// An answer that makes no sense: cut off, not parsable, missing what it must contain.
    BadAnswer,
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

    /// This fault as a failure; callers that know better (which object, which policy) say so instead.
    #[must_use]
    pub fn into_failure(self) -> Failure {
        let mut detail = self.to_string();
        if let Some(told) = self.missing_of_ones_own() {
            detail.push_str(&format!("; {told}"));
        }
        Failure::new(self.failure_code(), detail)
    }

    /// The code of this fault. The ledger holds no objects: what would be an object's fate elsewhere is the run's there.
    fn failure_code(&self) -> FailureCode {
        if !self.operation.starts_with("dynamodb:") {
            return self.kind.failure_code();
        }
        match self.kind {
            FaultKind::ConditionFailed | FaultKind::ConcurrentWrite => FailureCode::LedgerConflict,
            FaultKind::Rejected => FailureCode::InvariantViolated,
            kind => kind.failure_code(),
        }
    }

    /// What the function's own role lacks, when it was that role that was refused.
    fn missing_of_ones_own(&self) -> Option<String> {
        match self.kind {
            FaultKind::AccessDenied => {
                let asked = own_statement(self.operation)?;
                let is_listing = self
                    .reason
                    .as_ref()
                    .is_some_and(|reason| reason.action == "s3:ListBucket");
                let sid = if is_listing {
                    // What does not exist is forbidden to those who may not list.
                    "TellMissingFromForbidden"
                } else {
                    asked
                };
                let left =
                    Documents::One(PolicyDocument::ExecutionRole).left_by(self.reason.as_ref());
                Some(left.told(|role| format!("{role} (statement {sid})")))
            }
            FaultKind::RoleRefused => Some(
                TO_ENTER
                    .left_by(self.reason.as_ref())
                    .told(|document| document.with_statement("sts:AssumeRole", false)),
            ),
            _ => None,
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
                | Self::NoAnswer
                | Self::BadAnswer
                | Self::ConcurrentWrite
                | Self::SessionExpired
        )
    }

    /// Whether a call that failed so may have taken effect.
    #[must_use]
    pub const fn effect(self) -> Effect {
        match self {
            Self::ServiceError | Self::NoAnswer | Self::BadAnswer => Effect::Unknown,
            _ => Effect::None,
        }
    }

    /// The code under which a fault of this kind is reported when nothing more specific is known.
    #[must_use]
    pub const fn failure_code(self) -> FailureCode {
        match self {
            Self::AccessDenied => FailureCode::AccessDenied,
            Self::RoleRefused => FailureCode::RoleUnavailable,
            Self::NoSuchKey => FailureCode::SourceMissing,
            Self::NoSuchBucket | Self::WrongRegion => FailureCode::BucketUnavailable,
            Self::ConditionFailed | Self::ConcurrentWrite => FailureCode::TargetConflict,
            Self::Archived => FailureCode::ObjectArchived,
            Self::Rejected => FailureCode::ObjectUnsupported,
            Self::WrongOwner => FailureCode::BucketOwnerMismatch,
            Self::Throttled => FailureCode::Throttled,
            Self::NoSuchUpload
            | Self::NoSuchResource
            | Self::SessionExpired
            | Self::ServiceError
            | Self::NoAnswer
            | Self::BadAnswer => FailureCode::ServiceFault,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::refusal::RefusingPolicy;

    #[test]
    fn a_function_that_was_refused_names_its_statement_unless_another_policy_refused() {
        let told = |by, is_explicit| {
            let reason = RefusalReason {
                action: "dynamodb:PutItem".into(),
                resource: None,
                by,
                is_explicit,
            };
            let fault = CallFault {
                reason: Some(reason),
                ..CallFault::new("dynamodb:PutItem", FaultKind::AccessDenied, "no")
            };
            fault.into_failure().detail
        };
        for (by, is_explicit, expected) in [
            (
                RefusingPolicy::OfTheCaller,
                false,
                "it must be allowed by the function's execution role (statement KeepTheLedger)",
            ),
            (
                RefusingPolicy::OfTheCaller,
                true,
                "a statement of the function's execution role refuses it",
            ),
            (RefusingPolicy::OfTheResource, true, "but another policy"),
            (RefusingPolicy::Another, true, "but another policy"),
        ] {
            let detail = told(by, is_explicit);
            assert!(detail.contains(expected), "{by:?}: {detail}");
            assert_eq!(
                detail.contains("KeepTheLedger"),
                expected.contains("KeepTheLedger"),
                "{by:?}: {detail}"
            );
        }
    }

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
            let failure = CallFault::new(operation, kind, "no").into_failure();
            assert_eq!(failure.code, code, "{operation} {kind:?}");
        }
    }

    #[test]
    fn only_a_call_without_a_clear_answer_may_have_taken_effect() {
        assert_eq!(FaultKind::NoAnswer.effect(), Effect::Unknown);
        assert_eq!(FaultKind::ServiceError.effect(), Effect::Unknown);
        assert_eq!(FaultKind::Throttled.effect(), Effect::None);
        assert_eq!(FaultKind::AccessDenied.effect(), Effect::None);
    }
}
