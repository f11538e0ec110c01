//! A refused call, told so that a person can mend it: who, what, on what, and which statement of which document must
//! grant it.

use serde::{Deserialize, Serialize};

use crate::{
    failure::{Failure, FailureCode},
    fault::{CallFault, FaultKind},
};

/// The policy documents in the two accounts that together allow a run. The data behind them is [`crate::policy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

impl PolicyDocument {
    /// The Sid of its statement that allows `action`; `about_source` tells the two buckets apart, where a document
    /// allows the same action on both. Nothing where the document does not deal with the action.
    ///
    /// A test holds these names equal to the documents themselves.
    #[must_use]
    pub fn sid(self, action: &str, about_source: bool) -> Option<&'static str> {
        Some(match (self, action) {
            (Self::SourceBucketPolicy, "s3:ListBucket") => "ShardliftListSource",
            (
                Self::SourceBucketPolicy,
                "s3:GetObject"
                | "s3:GetObjectTagging"
                | "s3:GetObjectAnnotation"
                | "s3:ListObjectAnnotations",
            ) => "ShardliftReadSource",
            (Self::ExecutionRole, "sts:AssumeRole") => "EnterTheTargetAccount",
            (Self::ExecutionRole, "s3:ListBucket") if about_source => "ListTheSource",
            (Self::TargetRoleTrust, "sts:AssumeRole") => "LetTheFunctionsEnter",
            (Self::TargetRolePermissions, "s3:ListBucket") if about_source => "ListTheSource",
            (Self::TargetRolePermissions, "s3:ListBucket") => "ListTheTarget",
            (Self::TargetRolePermissions, "s3:ListBucketMultipartUploads") => {
                "ListTheUploadsOfTheTarget"
            }
            (
                Self::TargetRolePermissions,
                "s3:GetObject"
                | "s3:GetObjectTagging"
                | "s3:GetObjectAnnotation"
                | "s3:ListObjectAnnotations",
            ) if about_source => "ReadTheSource",
            (
                Self::TargetRolePermissions,
                "s3:PutObject"
                | "s3:GetObject"
                | "s3:PutObjectTagging"
                | "s3:PutObjectAnnotation"
                | "s3:AbortMultipartUpload"
                | "s3:ListMultipartUploadParts",
            ) => "WriteTheTarget",
            (Self::TargetRolePermissions, "s3:DeleteObject") => "DeleteAtTheTarget",
            (Self::TargetRolePermissions, "kms:Decrypt") if about_source => "DecryptTheSource",
            (Self::TargetRolePermissions, "kms:Decrypt" | "kms:GenerateDataKey") => {
                "EncryptTheTarget"
            }
            (Self::TargetBucketPolicy, "s3:ListBucket") => "LetTheRoleList",
            (Self::TargetBucketPolicy, "s3:ListBucketMultipartUploads") => "LetTheRoleListUploads",
            (
                Self::TargetBucketPolicy,
                "s3:PutObject"
                | "s3:GetObject"
                | "s3:PutObjectTagging"
                | "s3:PutObjectAnnotation"
                | "s3:AbortMultipartUpload"
                | "s3:ListMultipartUploadParts"
                | "s3:DeleteObject",
            ) => "LetTheRoleWrite",
            (Self::KeyPolicy, "kms:Decrypt") if about_source => "ShardliftDecryptSource",
            (Self::KeyPolicy, "kms:Decrypt" | "kms:GenerateDataKey") => "ShardliftEncryptTarget",
            _ => return None,
        })
    }
}

/// The Sid of the statement in a function's execution role that allows this operation of the function's own: its ledger,
/// its documents, its notices. The target and its source are another matter, see [`Denial`]: their operations have other
/// names than these.
#[must_use]
pub fn own_statement(operation: &str) -> Option<&'static str> {
    match operation {
        "s3:GetObject" | "s3:PutObject" => Some("KeepTheRunsDocuments"),
        "sns:Publish" => Some("Notify"),
        "states:DescribeExecution" => Some("AskWhetherALockIsStillHeld"),
        _ if operation.starts_with("dynamodb:") => Some("KeepTheLedger"),
        _ => None,
    }
}

/// A fault of finding or listing a bucket of the pair, with the statement that is missing when it was refused. The
/// source is listed with the function's own role, the target with the target role.
#[must_use]
pub fn listing_failure(fault: CallFault, about_source: bool) -> Failure {
    let document = if about_source {
        PolicyDocument::ExecutionRole
    } else {
        PolicyDocument::TargetRolePermissions
    };
    let is_refused = fault.kind == FaultKind::AccessDenied;
    let mut failure = fault.into_failure();
    if is_refused && let Some(sid) = document.sid("s3:ListBucket", about_source) {
        let hint = format!("; it must be allowed by {document} (statement {sid})");
        failure.detail.push_str(&hint);
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
    /// The documents that must allow it, in the order in which to look.
    pub documents: &'static [PolicyDocument],
}

impl Denial {
    /// The documents with the names of their statements, as a person looks for them.
    #[must_use]
    pub fn statements(&self) -> String {
        // An action that stands for two ("s3:PutObject (or …)") is looked up by its first.
        let action = self.action.split(' ').next().unwrap_or_default();
        let about_source = self.is_about_source();
        let named: Vec<String> = self
            .documents
            .iter()
            .map(|document| match document.sid(action, about_source) {
                Some(sid) => format!("{document} (statement {sid})"),
                None => document.to_string(),
            })
            .collect();
        named.join(" and by ")
    }

    /// The denial as the failure that ends in reports and notifications.
    #[must_use]
    pub fn into_failure(self, fault: &CallFault) -> Failure {
        Failure::new(
            FailureCode::AccessDenied,
            format!(
                "{principal} may not {action} on {resource}; it must be allowed by {statements}. AWS said: {fault}",
                principal = self.principal,
                action = self.action,
                resource = self.resource,
                statements = self.statements(),
            ),
        )
    }

    /// Whether the call concerned the source. The target's bucket policy is never asked about the source, nor the
    /// source's about the target; the planner and the reporter use their own role for the source alone.
    fn is_about_source(&self) -> bool {
        self.documents.contains(&PolicyDocument::SourceBucketPolicy)
            || (self.documents.contains(&PolicyDocument::ExecutionRole)
                && self.action == "s3:ListBucket")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denial_names_principal_action_resource_document_and_statement() {
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
    fn an_action_that_stands_for_two_is_looked_up_by_its_first() {
        let denial = Denial {
            principal: "p".into(),
            action: "s3:PutObject (or s3:PutObjectTagging)",
            resource: "r".into(),
            documents: &[
                PolicyDocument::TargetRolePermissions,
                PolicyDocument::TargetBucketPolicy,
            ],
        };
        assert_eq!(
            denial.statements(),
            "the target role's permission policy (statement WriteTheTarget) and by the target bucket's policy (statement LetTheRoleWrite)"
        );
    }
}
