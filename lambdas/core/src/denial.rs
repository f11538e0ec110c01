//! A refused call, told so that a person can mend it: who, what, on what, and which document must grant it.

use crate::{
    failure::{Failure, FailureCode},
    fault::CallFault,
};

/// The policy documents in the two accounts that together allow a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PolicyDocument {
    /// Source account: the policy of the source bucket.
    SourceBucketPolicy,
    /// Source account: the role of one of the functions.
    ExecutionRole,
    /// Target account: the permission policy of the target role.
    TargetRolePermissions,
    /// Target account: the trust policy of the target role.
    TargetRoleTrust,
    /// Target account: the policy of the target bucket.
    TargetBucketPolicy,
    /// Either account: the key policy of the KMS key.
    KeyPolicy,
}

impl std::fmt::Display for PolicyDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::SourceBucketPolicy => "the source bucket's policy",
            Self::ExecutionRole => "the function's execution role",
            Self::TargetRolePermissions => "the target role's permission policy",
            Self::TargetRoleTrust => "the target role's trust policy",
            Self::TargetBucketPolicy => "the target bucket's policy",
            Self::KeyPolicy => "the KMS key's policy",
        })
    }
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
    /// The documents that must allow it, in the order in which to look.
    pub documents: &'static [PolicyDocument],
}

impl Denial {
    /// The denial as the failure that ends in reports and notifications.
    #[must_use]
    pub fn into_failure(self, fault: &CallFault) -> Failure {
        let documents: Vec<String> = self.documents.iter().map(ToString::to_string).collect();
        Failure::new(
            FailureCode::AccessDenied,
            format!(
                "{principal} may not {action} on {resource}; it must be allowed by {documents}. AWS said: {fault}",
                principal = self.principal,
                action = self.action,
                resource = self.resource,
                documents = documents.join(" and by "),
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::FaultKind;

    #[test]
    fn a_denial_names_principal_action_resource_and_document() {
        let denial = Denial {
            principal: "arn:aws:iam::222222222222:role/Target".into(),
            action: "s3:GetObject",
            resource: "arn:aws:s3:::source/data/x".into(),
            documents: &[
                PolicyDocument::SourceBucketPolicy,
                PolicyDocument::TargetRolePermissions,
            ],
        };
        let failure = denial.into_failure(&CallFault::new(
            "s3:CopyObject",
            FaultKind::AccessDenied,
            "403",
        ));
        for part in [
            "role/Target",
            "s3:GetObject",
            "arn:aws:s3:::source/data/x",
            "source bucket's policy",
            "permission policy",
        ] {
            assert!(
                failure.detail.contains(part),
                "{part} in {}",
                failure.detail
            );
        }
    }
}
