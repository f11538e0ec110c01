//! IAM's rule: what the identity of a caller and the policy of a bucket allow together.

use super::policy::{PolicyDocument, Verdict};
use super::principal::Caller;
use crate::protocol::error::S3Error;

/// A bucket as authorization sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owned<'a> {
    pub(crate) owner: &'a str,
    pub(crate) policy: Option<&'a PolicyDocument>,
    /// Whether callers of other accounts must state that they pay.
    pub(crate) is_requester_pays: bool,
}

/// Returns the refusal of an action on a resource, or `None` if the caller may do it. The ARN of
/// the resource is only made if a policy must be read.
///
/// A denial wins. Within the account of the bucket, one grant is enough. Across accounts, the
/// identity and the bucket policy must both grant.
pub(crate) fn refusal(
    bucket: Owned<'_>,
    caller: &Caller,
    action: &str,
    arn: impl FnOnce() -> String,
) -> Option<S3Error> {
    let principal = caller.principal.as_deref();
    let same_account = principal.is_some_and(|principal| principal.account == bucket.owner);
    if same_account
        && bucket.policy.is_none()
        && principal.is_some_and(|principal| principal.policy.is_none())
    {
        return None;
    }
    // docs.aws.amazon.com/AmazonS3/latest/userguide/ObjectsinRequesterPaysBuckets.html
    if bucket.is_requester_pays && !same_account && !caller.pays {
        return Some(S3Error::access_denied("Access Denied"));
    }
    let resource = arn();
    let by_bucket = bucket.policy.map_or(Verdict::Silent, |policy| {
        policy.verdict(
            principal.map(|principal| principal.names()),
            action,
            &resource,
            &caller.stated,
        )
    });
    let by_identity = principal.map_or(Verdict::Silent, |principal| {
        principal
            .policy
            .as_ref()
            .map_or(Verdict::Allowed, |policy| {
                policy.verdict(None, action, &resource, &caller.stated)
            })
    });
    let reason = if by_bucket == Verdict::Denied {
        "with an explicit deny in a resource-based policy".to_owned()
    } else if by_identity == Verdict::Denied {
        "with an explicit deny in an identity-based policy".to_owned()
    } else {
        let granted = match (principal, same_account) {
            (None, _) => by_bucket == Verdict::Allowed,
            (Some(_), true) => by_bucket == Verdict::Allowed || by_identity == Verdict::Allowed,
            (Some(_), false) => by_bucket == Verdict::Allowed && by_identity == Verdict::Allowed,
        };
        if granted {
            return None;
        }
        let kind = if by_identity == Verdict::Allowed {
            "resource-based"
        } else {
            "identity-based"
        };
        format!("because no {kind} policy allows the {action} action")
    };
    let who = caller.arn();
    Some(S3Error::access_denied(format!(
        "User: {who} is not authorized to perform: {action} on resource: \"{resource}\" {reason}"
    )))
}
