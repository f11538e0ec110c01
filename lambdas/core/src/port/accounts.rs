use std::future::Future;

use super::{BucketListing, TargetBucket, VersionPage, VersionRequest, Versioning};
use crate::{
    failure::fault::CallFault,
    run::{
        pair::{Source, Target},
        record::{BucketFacts, RunRecord},
    },
    value::{
        arn::Arn,
        id::{RunId, ShardId},
        tally::RequestCounts,
    },
};

/// The name of a role session, which CloudTrail shows in the target account: 2 to 64 of `[\w+=,.@-]`
/// (docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SessionName(String);

impl SessionName {
    /// The session of the planner (`plan`) or the reporter (`report`) of a run.
    #[must_use]
    pub fn of_step(step: &str, run_id: &RunId) -> Self {
        Self::joined(step, run_id)
    }

    /// The session of the copier of a shard.
    #[must_use]
    pub fn of_shard(shard_id: &ShardId, run_id: &RunId) -> Self {
        Self::joined(shard_id.as_str(), run_id)
    }

    /// The shard stands first, so that a run id too long for the name loses its own end only. What a session's name cannot
    /// have becomes a hyphen.
    fn joined(step: &str, run_id: &RunId) -> Self {
        const SESSION_NAME_MAX: usize = 64;
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        let run_id = run_id.as_str().chars();
        let name = run_id.map(|c| if is_allowed(c) { c } else { '-' });
        let name = step.chars().chain(['@']).chain(name);
        Self(name.take(SESSION_NAME_MAX).collect())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The source bucket, read with the function's own role.
pub trait SourceBucket: BucketListing {
    /// Its Region and owner, as HeadBucket confirmed them.
    fn facts(&self) -> &BucketFacts;

    /// Requests made through this handle so far.
    fn requests(&self) -> RequestCounts;

    /// Whether it keeps versions. Idempotent. Faults: `AccessDenied`.
    fn versioning(&self) -> impl Future<Output = Result<Versioning, CallFault>> + Send;

    /// One page of its versions and delete markers. Idempotent. A refused or cut-off listing is a fault, never a short page
    /// (P11).
    fn list_versions(
        &self,
        request: &VersionRequest,
    ) -> impl Future<Output = Result<VersionPage, CallFault>> + Send;
}

/// Opens the two sides of a pair.
pub trait Accounts: Send + Sync {
    /// The source, with the function's own role.
    type Source: SourceBucket;
    /// The target and the source's objects, with the target role.
    type Target: TargetBucket;

    /// The ARN under which this process itself calls, for messages about refused calls. Idempotent; needs no permission.
    fn own_principal(&self) -> impl Future<Output = Result<Arn, CallFault>> + Send;

    /// Finds the source bucket's Region and confirms that the function's own account owns it. Idempotent.
    ///
    /// Faults: `AccessDenied`, `NoSuchBucket`, `WrongOwner`.
    fn open_source(
        &self,
        source: &Source,
    ) -> impl Future<Output = Result<Self::Source, CallFault>> + Send;

    /// Assumes the target role under `session`, finds the target bucket's Region and confirms that the role's account
    /// owns it. `source` is whose objects the handle copies. `policy` narrows the session: it may do what both the role and
    /// this policy allow. Idempotent.
    ///
    /// Faults: `RoleRefused`, `AccessDenied`, `NoSuchBucket`, `WrongOwner`.
    fn open_target(
        &self,
        target: &Target,
        source: &Source,
        session: &SessionName,
        policy: Option<&str>,
    ) -> impl Future<Output = Result<Self::Target, CallFault>> + Send;

    /// Opens the target of a run as [`open_target`](Self::open_target) does, with the facts that its record holds instead of
    /// a HeadBucket.
    ///
    /// Faults: `RoleRefused`.
    fn reopen_target(
        &self,
        run: &RunRecord,
        session: &SessionName,
        policy: &str,
    ) -> impl Future<Output = Result<Self::Target, CallFault>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_any_name_has_a_session() {
        let named = |run: &str| SessionName::of_step("plan", &RunId::new(run).unwrap()).0;
        assert_eq!(named("ops@night.1"), "plan@ops@night.1");
        assert_eq!(named("it's(me)ä"), "plan@it-s-me--");
        assert_eq!(named(&"ä".repeat(80)).len(), 64);
    }
}
