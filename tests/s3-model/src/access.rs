//! What every handler does first: find the bucket, hold the guards, ask the policies.

use std::sync::{Arc, RwLock};

use crate::bucket::{Bucket, Version};
use crate::error::{ErrorCode, S3Error};
use crate::identity::Caller;
use crate::lock::read;
use crate::model::Inner;
use crate::object::{Object, VersionId};
use crate::policy::Verdict;
use crate::request::Call;

impl Inner {
    /// The bucket of a request, after the Region and the expected owner were checked.
    pub(crate) fn bucket(&self, call: &Call<'_>) -> Result<Arc<RwLock<Bucket>>, S3Error> {
        let bucket = self.find_bucket(call.bucket)?;
        {
            let state = read(&bucket);
            check_region(&state, &call.caller, call.bucket)?;
            check_owner(&state, call.header("x-amz-expected-bucket-owner")?)?;
        }
        Ok(bucket)
    }

    pub(crate) fn find_bucket(&self, name: &str) -> Result<Arc<RwLock<Bucket>>, S3Error> {
        read(&self.buckets)
            .get(name)
            .cloned()
            .ok_or_else(|| S3Error::no_such_bucket(name))
    }
}

/// One endpoint stands for all Regions; the signature tells which one the client meant.
fn check_region(bucket: &Bucket, caller: &Caller, name: &str) -> Result<(), S3Error> {
    match &caller.region {
        Some(region) if *region != bucket.region => Err(S3Error::new(
            ErrorCode::PermanentRedirect,
            "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
        )
        .detail("Bucket", name)
        .detail("Endpoint", format!("s3.{}.amazonaws.com", bucket.region))
        .header("x-amz-bucket-region", bucket.region.as_str())),
        _ => Ok(()),
    }
}

pub(crate) fn check_owner(bucket: &Bucket, expected: Option<&str>) -> Result<(), S3Error> {
    match expected {
        Some(owner) if owner.len() != 12 || !owner.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(S3Error::invalid_argument(
                "x-amz-expected-bucket-owner",
                owner,
                "The value of the expected bucket owner parameter must be an AWS account ID",
            ))
        }
        Some(owner) if owner != bucket.owner => Err(S3Error::access_denied("Access Denied")),
        _ => Ok(()),
    }
}

fn arn(bucket: &str, key: &str) -> String {
    if key.is_empty() {
        format!("arn:aws:s3:::{bucket}")
    } else {
        format!("arn:aws:s3:::{bucket}/{key}")
    }
}

/// Whether the caller may; `key` is empty for actions on the bucket itself.
pub(crate) fn may(bucket: &Bucket, caller: &Caller, action: &str, name: &str, key: &str) -> bool {
    refusal(bucket, caller, action, name, key).is_none()
}

/// Refuses what neither the caller's identity nor the bucket's policy grants.
pub(crate) fn authorize(
    bucket: &Bucket,
    caller: &Caller,
    action: &str,
    name: &str,
    key: &str,
) -> Result<(), S3Error> {
    refusal(bucket, caller, action, name, key).map_or(Ok(()), Err)
}

/// IAM's rule: any denial wins; within the account one grant suffices; across accounts the
/// identity and the bucket policy must both grant.
fn refusal(
    bucket: &Bucket,
    caller: &Caller,
    action: &str,
    name: &str,
    key: &str,
) -> Option<S3Error> {
    let principal = caller.principal.as_deref();
    let same_account = principal.is_some_and(|principal| principal.account == bucket.owner);
    if same_account
        && bucket.policy.is_none()
        && principal.is_some_and(|principal| principal.policy.is_none())
    {
        return None;
    }
    let resource = arn(name, key);
    let by_bucket = bucket.policy.as_ref().map_or(Verdict::Silent, |policy| {
        policy.verdict(principal, action, &resource)
    });
    let by_identity = principal.map_or(Verdict::Silent, |principal| {
        principal
            .policy
            .as_ref()
            .map_or(Verdict::Allowed, |policy| {
                policy.verdict(None, action, &resource)
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

/// The object that a read names, with the refusals that S3 has for what is not there.
pub(crate) fn readable(
    bucket: &Bucket,
    caller: &Caller,
    name: &str,
    key: &str,
    version: Option<&str>,
) -> Result<Arc<Object>, S3Error> {
    let missing = |error: S3Error| {
        // Who may not list must not learn which keys exist.
        if may(bucket, caller, "s3:ListBucket", name, "") {
            error
        } else {
            S3Error::access_denied("Access Denied")
        }
    };
    if let Some(text) = version {
        let id = VersionId::parse(text).ok_or_else(|| {
            S3Error::invalid_argument("versionId", text, "Invalid version id specified")
        })?;
        return match bucket.version(key.as_bytes(), id) {
            Some(Version::Object(object)) => Ok(object),
            Some(Version::DeleteMarker { .. }) => Err(S3Error::new(
                ErrorCode::MethodNotAllowed,
                "The specified method is not allowed against this resource.",
            )
            .header("x-amz-delete-marker", "true")
            .header("allow", "DELETE")),
            None => Err(missing(
                S3Error::new(
                    ErrorCode::NoSuchVersion,
                    "The specified version does not exist.",
                )
                .detail("Key", key),
            )),
        };
    }
    match bucket.newest(key.as_bytes()) {
        Some(Version::Object(object)) => Ok(object),
        Some(Version::DeleteMarker { version, .. }) => Err(missing(S3Error::no_such_key(key))
            .header("x-amz-delete-marker", "true")
            .header("x-amz-version-id", version.to_string())),
        None => Err(missing(S3Error::no_such_key(key))),
    }
}
