//! A fault as a failure, with what the function's own role lacks when it was that role that was refused.

use super::denial::{Documents, PolicyDocument, TO_ENTER, own_statement};
use crate::failure::{
    Failure,
    fault::{CallFault, FaultKind},
};

impl From<CallFault> for Failure {
    fn from(fault: CallFault) -> Self {
        let mut detail = fault.to_string();
        if let Some(lacking) = missing_statement(&fault) {
            detail.push_str(&format!("; {lacking}"));
        }
        Self::new(fault.failure_code(), detail)
    }
}

impl CallFault {
    /// This fault as a failure; callers that know better (which object, which policy) say so instead.
    #[must_use]
    pub fn into_failure(self) -> Failure {
        self.into()
    }
}

/// What the function's own role lacks, when it was that role that was refused.
fn missing_statement(fault: &CallFault) -> Option<String> {
    match fault.kind {
        FaultKind::AccessDenied => {
            let asked = own_statement(fault.operation)?;
            let is_listing = fault
                .reason
                .as_ref()
                .is_some_and(|reason| reason.action == "s3:ListBucket");
            let sid = if is_listing {
                // What does not exist is forbidden to those who may not list.
                "TellMissingFromForbidden"
            } else {
                asked
            };
            let left = Documents::One(PolicyDocument::ExecutionRole).left_by(fault.reason.as_ref());
            Some(left.told(|role| format!("{role} (statement {sid})")))
        }
        FaultKind::RoleRefused => Some(
            TO_ENTER
                .left_by(fault.reason.as_ref())
                .told(|document| document.with_statement("sts:AssumeRole", false)),
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::refusal::{RefusalReason, RefusingPolicy};

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
}
