//! Why AWS refused a call, where it says so.
//!
//! IAM and STS name the kind of policy that decided; S3 does so for callers of the bucket's own account or organization
//! and never in the response to a HEAD, which has no body
//! (docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html#access-denied-message-examples).

use crate::value::{action::ReportedAction, arn::Arn};

/// What a refusal says beyond "no".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalReason {
    /// The action that was refused, for example `kms:Decrypt`. It need not be that of the call: one call may need several.
    pub action: ReportedAction,
    /// The ARN of what it was refused on, where AWS names it.
    pub resource: Option<Arn>,
    /// Which kind of policy decided.
    pub by: RefusingPolicy,
    /// Whether a statement refuses it, rather than none allowing it.
    pub is_explicit: bool,
}

/// The kind of policy that refused a call, seen from the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusingPolicy {
    /// A policy of the calling role.
    OfTheCaller,
    /// The policy of what was called: a bucket's, a key's, a role's trust policy.
    OfTheResource,
    /// One that is none of the documents that Shardlift needs: a service control policy, a permissions boundary, a
    /// session policy, a VPC endpoint's policy.
    Another,
}
