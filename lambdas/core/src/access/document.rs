//! The policies by name.

use serde::{Deserialize, Serialize};

/// The policy documents in the two accounts that together allow a run. Their contents are in
/// [`policy`](crate::access::policy).
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
