//! A refused call, told so that a person can mend it: who, what, on what, and which statement of which document must
//! grant it.

mod documents;
mod policy_document;

pub use documents::{Documents, Needed};
pub use policy_document::PolicyDocument;

use crate::failure::{
    Failure, FailureCode,
    fault::{CallFault, FaultKind},
    refusal::{RefusalReason, RefusingPolicy},
};

/// Entering the target account needs the caller's own role and the role's trust.
pub(crate) const TO_ENTER: Documents = Documents::Both {
    caller: PolicyDocument::ExecutionRole,
    resource: PolicyDocument::TargetRoleTrust,
};
/// The role at the source: two accounts.
const AT_THE_SOURCE: Documents = Documents::Both {
    caller: PolicyDocument::TargetRolePermissions,
    resource: PolicyDocument::SourceBucketPolicy,
};
/// The role at the target: one account.
const AT_THE_TARGET: Documents = Documents::Either {
    caller: PolicyDocument::TargetRolePermissions,
    resource: PolicyDocument::TargetBucketPolicy,
};
/// The role and a key of another account.
const WITH_A_FOREIGN_KEY: Documents = Documents::Both {
    caller: PolicyDocument::TargetRolePermissions,
    resource: PolicyDocument::KeyPolicy,
};
/// The role and a key of its own account, whose policy lets the account's policies decide. Of one that does not, AWS says
/// that no resource-based policy allows: then the key's policy alone is missing.
const WITH_A_KEY_OF_ITS_OWN: Documents = Documents::Either {
    caller: PolicyDocument::TargetRolePermissions,
    resource: PolicyDocument::KeyPolicy,
};

/// The Sid of the statement in a function's execution role that allows this action of the function's own: its ledger,
/// its documents, its notices. The target and its source are another matter, see [`Denial`]: their operations have other
/// names than these.
#[must_use]
pub fn own_statement(action: &str) -> Option<&'static str> {
    match action {
        "s3:GetObject" | "s3:PutObject" => Some("KeepTheRunsDocuments"),
        "sns:Publish" => Some("Notify"),
        "states:DescribeExecution" => Some("AskWhetherALockIsStillHeld"),
        _ if action.starts_with("dynamodb:") => Some("KeepTheLedger"),
        _ => None,
    }
}

/// A fault of finding or listing a bucket of the pair, with the statement that is missing when it was refused. The
/// source is listed with the function's own role, the target with the target role.
#[must_use]
pub fn listing_failure(fault: CallFault, about_source: bool) -> Failure {
    let documents = if about_source {
        Documents::One(PolicyDocument::ExecutionRole)
    } else {
        AT_THE_TARGET
    };
    let reason = fault.reason.clone();
    let is_refused = fault.kind == FaultKind::AccessDenied;
    let mut failure = fault.into_failure();
    if is_refused {
        let told = documents
            .left_by(reason.as_ref())
            .told(|document| document.with_statement("s3:ListBucket", about_source));
        failure.detail.push_str(&format!("; {told}"));
    }
    failure
}

/// One refused call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// The ARN of the role that called.
    pub principal: String,
    /// The action as a policy names it, for example `s3:GetObject`.
    pub action: &'static str,
    /// The ARN of the resource.
    pub resource: String,
    /// The documents that decide about it.
    pub documents: Documents,
}

/// What a refused call lacked, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// The action that was refused.
    pub action: String,
    /// The ARN that it was refused on.
    pub resource: String,
    /// The documents, one of which or each of which does not allow it.
    pub documents: Documents,
    /// Tells the two buckets, and the two keys, apart; nothing where it is one of the keys and nobody says which.
    about_source: Option<bool>,
}

impl Denial {
    /// The target role was refused at the source.
    #[must_use]
    pub fn at_source(principal: String, action: &'static str, resource: String) -> Self {
        Self {
            principal,
            action,
            resource,
            documents: AT_THE_SOURCE,
        }
    }

    /// The target role was refused at the target.
    #[must_use]
    pub fn at_target(principal: String, action: &'static str, resource: String) -> Self {
        Self {
            principal,
            action,
            resource,
            documents: AT_THE_TARGET,
        }
    }

    /// The target role was refused the use of a key of the source, which nobody named; `object` is the ARN of the object
    /// that it encrypts.
    #[must_use]
    pub fn of_source_key(principal: String, object: String) -> Self {
        Self {
            principal,
            action: "kms:Decrypt",
            resource: object,
            documents: WITH_A_FOREIGN_KEY,
        }
    }

    /// A function was refused entering the target account; `role` is the ARN of the target role.
    #[must_use]
    pub fn to_enter(principal: String, role: String) -> Self {
        Self {
            principal,
            action: "sts:AssumeRole",
            resource: role,
            documents: TO_ENTER,
        }
    }

    /// What is missing: this call's action and documents, unless AWS's reason is more exact.
    #[must_use]
    pub fn lack(&self, reason: Option<&RefusalReason>) -> Lack {
        let mut lack = Lack {
            action: self.action.to_owned(),
            resource: self.resource.clone(),
            documents: self.documents.left_by(reason),
            about_source: Some(self.is_about_source()),
        };
        let Some(reason) = reason else { return lack };
        if reason.action.starts_with("kms:") {
            let owner = reason.resource.as_deref().and_then(account);
            let is_own = owner.is_some() && owner == account(&self.principal);
            let documents = if is_own && reason.by == RefusingPolicy::OfTheCaller {
                WITH_A_KEY_OF_ITS_OWN
            } else {
                WITH_A_FOREIGN_KEY
            };
            lack.documents = documents.left_by(Some(reason));
            lack.about_source = self.is_key_of_source(reason, is_own);
        }
        lack.action.clone_from(&reason.action);
        if let Some(resource) = &reason.resource {
            lack.resource.clone_from(resource);
        }
        lack
    }

    /// The denial as the failure that ends in reports and notifications.
    #[must_use]
    pub fn into_failure(self, fault: &CallFault) -> Failure {
        let lack = self.lack(fault.reason.as_ref());
        Failure::new(
            FailureCode::AccessDenied,
            format!(
                "{} may not {} on {}; {}. AWS said: {fault}",
                self.principal,
                lack.action,
                lack.resource,
                lack.told(),
            ),
        )
    }

    /// Whether the key is the source's; nothing where that is not told. A copy that reads at the source uses the target's
    /// key too, and AWS need not name the key that it may not use to decrypt.
    fn is_key_of_source(&self, reason: &RefusalReason, is_own: bool) -> Option<bool> {
        if is_own || reason.action == "kms:GenerateDataKey" {
            return Some(false);
        }
        let is_untold = reason.resource.is_none() && self.documents == AT_THE_SOURCE;
        (!is_untold).then(|| self.is_about_source())
    }

    /// Whether the call concerned the source. The target's bucket policy is never asked about the source, nor the
    /// source's about the target; the planner and the reporter use their own role for the source alone.
    fn is_about_source(&self) -> bool {
        self.documents == AT_THE_SOURCE
            || self.documents == WITH_A_FOREIGN_KEY
            || (self.documents == Documents::One(PolicyDocument::ExecutionRole)
                && self.action == "s3:ListBucket")
    }
}

impl Lack {
    /// Which document must allow it, by which statement.
    #[must_use]
    pub fn told(&self) -> String {
        self.documents.told(|document| self.named(document))
    }

    /// The document with the name of the statement that it lacks.
    pub(crate) fn named(&self, document: PolicyDocument) -> String {
        // An action that stands for two ("s3:PutObject (or …)") is looked up by its first.
        let action = self.action.split(' ').next().unwrap_or_default();
        match self.about_source {
            Some(about_source) => document.with_statement(action, about_source),
            None => document.with_statement_of_either_side(action),
        }
    }
}

/// The account in an ARN.
fn account(arn: &str) -> Option<&str> {
    arn.split(':').nth(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::222222222222:role/Target";

    fn reason(action: &str, resource: &str, by: RefusingPolicy) -> RefusalReason {
        RefusalReason {
            action: action.into(),
            resource: Some(resource.into()),
            by,
            is_explicit: false,
        }
    }

    fn read_refused() -> Denial {
        Denial::at_source(
            ROLE.into(),
            "s3:GetObject",
            "arn:aws:s3:::source/data/x".into(),
        )
    }

    fn refused(reason: Option<RefusalReason>) -> CallFault {
        CallFault {
            reason,
            ..CallFault::new("s3:CopyObject", FaultKind::AccessDenied, "403")
        }
    }

    #[test]
    fn a_denial_names_principal_action_resource_document_and_statement() {
        let failure = read_refused().into_failure(&refused(None));
        for part in [
            "role/Target",
            "s3:GetObject",
            "arn:aws:s3:::source/data/x",
            "source bucket's policy (statement ShardliftReadSource)",
            "permission policy (statement ReadTheSource)",
        ] {
            assert!(
                failure.detail.contains(part),
                "{part} in {}",
                failure.detail
            );
        }
    }

    #[test]
    fn with_a_reason_exactly_one_statement_is_named() {
        for (by, named, unnamed) in [
            (
                RefusingPolicy::OfTheCaller,
                "ReadTheSource",
                "ShardliftReadSource",
            ),
            (
                RefusingPolicy::OfTheResource,
                "ShardliftReadSource",
                "ReadTheSource",
            ),
        ] {
            let fault = refused(Some(reason(
                "s3:GetObject",
                "arn:aws:s3:::source/data/x",
                by,
            )));
            let failure = read_refused().into_failure(&fault);
            assert!(
                failure.detail.contains(&format!("(statement {named})")),
                "{}",
                failure.detail
            );
            assert!(
                !failure.detail.contains(&format!("(statement {unnamed})")),
                "{}",
                failure.detail
            );
        }
    }

    #[test]
    fn a_key_that_refuses_is_named_instead_of_the_bucket() {
        let key = "arn:aws:kms:eu-west-1:111111111111:key/1";
        let fault = refused(Some(reason(
            "kms:Decrypt",
            key,
            RefusingPolicy::OfTheResource,
        )));
        let failure = read_refused().into_failure(&fault);
        let named = "the KMS key's policy (statement ShardliftDecryptSource)";
        assert!(failure.detail.contains(named), "{}", failure.detail);
        assert!(failure.detail.contains(key), "{}", failure.detail);
    }

    #[test]
    fn a_key_that_aws_does_not_name_is_told_by_the_statements_of_both_sides() {
        let unnamed = |by| RefusalReason {
            resource: None,
            ..reason("kms:Decrypt", "", by)
        };
        let of_caller = unnamed(RefusingPolicy::OfTheCaller);
        assert_eq!(
            read_refused().lack(Some(&of_caller)).told(),
            "it must be allowed by the target role's permission policy (statement DecryptTheSource for the source's key, EncryptTheTarget for the target's)"
        );
        let of_key = unnamed(RefusingPolicy::OfTheResource);
        assert_eq!(
            read_refused().lack(Some(&of_key)).told(),
            "it must be allowed by the KMS key's policy (statement ShardliftDecryptSource for the source's key, ShardliftEncryptTarget for the target's)"
        );
    }

    #[test]
    fn a_key_that_aws_does_not_name_is_told_by_the_side_that_is_known() {
        let unnamed = RefusalReason {
            resource: None,
            ..reason("kms:Decrypt", "", RefusingPolicy::OfTheCaller)
        };
        let source = Denial::of_source_key(ROLE.into(), "arn:aws:s3:::source/data/x".into());
        let target = Denial::at_target(
            ROLE.into(),
            "s3:PutObject",
            "arn:aws:s3:::target/copy/x".into(),
        );
        for (denial, sid) in [(source, "DecryptTheSource"), (target, "EncryptTheTarget")] {
            assert_eq!(
                denial.lack(Some(&unnamed)).told(),
                format!(
                    "it must be allowed by the target role's permission policy (statement {sid})"
                )
            );
        }
    }

    #[test]
    fn a_key_of_the_targets_account_is_the_targets_whatever_the_call_read() {
        let key = "arn:aws:kms:eu-west-1:222222222222:key/1";
        let of_caller = reason("kms:Decrypt", key, RefusingPolicy::OfTheCaller);
        assert_eq!(
            read_refused().lack(Some(&of_caller)).told(),
            "it must be allowed by the target role's permission policy (statement EncryptTheTarget) or by the KMS key's policy (statement ShardliftEncryptTarget) (one of the two is enough)"
        );
    }

    #[test]
    fn a_key_whose_policy_leaves_nothing_to_its_account_is_missing_that_policy_alone() {
        let key = "arn:aws:kms:eu-west-1:222222222222:key/1";
        let of_key = reason("kms:Decrypt", key, RefusingPolicy::OfTheResource);
        assert_eq!(
            read_refused().lack(Some(&of_key)).told(),
            "it must be allowed by the KMS key's policy (statement ShardliftEncryptTarget)"
        );
    }

    #[test]
    fn an_action_that_stands_for_two_is_looked_up_by_its_first() {
        let denial = Denial::at_target(
            "p".into(),
            "s3:PutObject (or s3:PutObjectTagging)",
            "r".into(),
        );
        assert_eq!(
            denial.lack(None).told(),
            "it must be allowed by the target role's permission policy (statement WriteTheTarget) or by the target bucket's policy (statement LetTheRoleWrite) (one of the two is enough)"
        );
    }
}
