use serde::{Deserialize, Serialize};

/// The policy documents in the two accounts that together allow a run. The data behind them is [`crate::access::policy`].
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

    /// The document with the name of its statement that allows `action`, as a person looks for it.
    pub(crate) fn with_statement(self, action: &str, about_source: bool) -> String {
        match self.sid(action, about_source) {
            Some(sid) => format!("{self} (statement {sid})"),
            None => self.to_string(),
        }
    }

    /// The document with its statement for either side, where it is not known which of the two refused `action`.
    pub(crate) fn with_statement_of_either_side(self, action: &str) -> String {
        match (self.sid(action, true), self.sid(action, false)) {
            (Some(source), Some(target)) if source != target => format!(
                "{self} (statement {source} for the source's key, {target} for the target's)"
            ),
            _ => self.with_statement(action, true),
        }
    }
}
