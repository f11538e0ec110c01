//! A fault as a failure, with the statement that is missing where a function's own role was refused.

use super::{
    deciders::{Deciders, Needed},
    document::PolicyDocument::{self, ExecutionRole},
    grant::Realm,
};
use crate::{
    failure::{
        Failure,
        fault::{CallFault, FaultKind},
    },
    value::action::Action,
};

/// What to do about a KMS key that cannot be used: AWS's message names it, and no policy is missing anything.
const KEY_REMEDY: &str = "; the KMS key in this message cannot be used: enable it or cancel its deletion. If it is the target's, kms_key_arn or the default encryption of the target bucket can name another key in the bucket's Region";

impl From<CallFault> for Failure {
    fn from(fault: CallFault) -> Self {
        let mut detail = fault.to_string();
        if fault.kind == FaultKind::KeyUnusable {
            detail.push_str(KEY_REMEDY);
        }
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
    let reason = fault.reason.as_ref();
    match fault.kind {
        FaultKind::AccessDenied => {
            let called = own_action(fault.operation)?;
            let is_listing =
                reason.is_some_and(|reason| reason.action.known() == Some(Action::ListBucket));
            // What does not exist is forbidden to those who may not list.
            let action = if is_listing {
                Action::ListBucket
            } else {
                called
            };
            let deciders = Deciders::One(ExecutionRole).left_by(reason);
            Some(deciders.remedy(|role| role.with_statement(action, Realm::Stack)))
        }
        FaultKind::RoleRefused => {
            let (action, realm) = (Action::AssumeRole, Realm::Target);
            let deciders = Deciders::of(ExecutionRole, action, realm, Needed::Each).left_by(reason);
            Some(deciders.remedy(|document: PolicyDocument| document.with_statement(action, realm)))
        }
        _ => None,
    }
}

/// What an operation needs that only a function's own role calls: on its ledger, its documents, its notices, its lists of
/// events. Calls to the source and the target report operations of other names, but for a deletion, whose refusal the copier
/// and the preflight explain themselves, and for an abort, which may be either.
fn own_action(operation: &str) -> Option<Action> {
    match operation {
        // Needs the actions of what it holds.
        "dynamodb:TransactWriteItems" => Some(Action::PutItem),
        _ => Action::parse(operation).filter(|action| {
            matches!(
                action,
                Action::GetItem
                    | Action::PutItem
                    | Action::DeleteItem
                    | Action::Query
                    | Action::GetObject
                    | Action::PutObject
                    | Action::DeleteObject
                    | Action::ListBucket
                    | Action::Publish
                    | Action::DescribeExecution
                    | Action::StartExecution
            )
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::refusal::{RefusalReason, RefusingPolicy};

    #[test]
    fn each_call_of_a_function_to_its_own_stack_names_its_statement() {
        for (operation, sid) in [
            ("dynamodb:TransactWriteItems", "WriteTheLedger"),
            ("dynamodb:Query", "ReadTheLedger"),
            ("s3:PutObject", "WriteTheRunsDocuments"),
            ("s3:DeleteObject", "RemoveTheEvents"),
            ("s3:ListBucket", "TellMissingFromForbidden"),
            ("states:StartExecution", "StartRuns"),
            ("states:DescribeExecution", "AskWhetherALockIsStillHeld"),
        ] {
            let fault = CallFault::new(operation, FaultKind::AccessDenied, "no");
            let detail = fault.into_failure().detail;
            let named = format!("execution role (statement {sid})");
            assert!(detail.contains(&named), "{operation}: {detail}");
        }
    }

    #[test]
    fn a_function_that_was_refused_names_its_statement_unless_another_policy_refused() {
        let detail_of = |by, is_explicit| {
            let reason = RefusalReason {
                action: Action::PutItem.into(),
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
                "it must be allowed by the function's execution role (statement WriteTheLedger)",
            ),
            (
                RefusingPolicy::OfTheCaller,
                true,
                "a Deny statement of the function's execution role refuses it",
            ),
            (
                RefusingPolicy::OfTheResource,
                true,
                "another policy of the kind",
            ),
            (RefusingPolicy::Another, true, "another policy of the kind"),
        ] {
            let detail = detail_of(by, is_explicit);
            assert!(detail.contains(expected), "{by:?}: {detail}");
            assert_eq!(
                detail.contains("WriteTheLedger"),
                expected.contains("WriteTheLedger"),
                "{by:?}: {detail}"
            );
        }
    }
}
