//! One after the other: a call, and what its answer says about the permissions.

use shardlift_core::{
    access::{
        denial::{Denial, Documents, PolicyDocument},
        policy::{Agreement, Extras},
        preflight::{self, Check, Preflight},
    },
    failure::{
        Failure,
        fault::{CallFault, FaultKind},
    },
    run::{
        option::{Mode, TagPolicy},
        spec::RunSpec,
    },
    value::{arn::AccountId, bucket::BucketName, id::RunId, key::ObjectKey, object::Encryption},
};

/// What is known so far.
pub(super) struct Trial<'a> {
    pub(super) spec: &'a RunSpec,
    pub(super) run_id: &'a RunId,
    pub(super) table: Preflight,
    agreement: Agreement,
    caller: String,
}

impl<'a> Trial<'a> {
    /// Trials under `principal`, as STS names it.
    pub(super) fn new(
        spec: &'a RunSpec,
        run_id: &'a RunId,
        principal: &str,
    ) -> Result<Self, Failure> {
        let account = principal.split(':').nth(4).unwrap_or_default();
        let source_account = AccountId::new(account).map_err(|invalid| {
            Failure::invariant(format!("STS named the principal {principal:?}: {invalid}"))
        })?;
        Ok(Self {
            spec,
            run_id,
            table: Preflight::default(),
            agreement: Agreement {
                source_account,
                pair: spec.pair.clone(),
                extras: Extras {
                    without_tags: spec.tags == TagPolicy::Ignore,
                    deletes: spec.mode == Mode::Mirror,
                    target_key: spec.kms_key_arn.clone(),
                    ..Extras::default()
                },
            },
            caller: role_of(principal),
        })
    }

    /// Whose the source is: what the statements are limited to.
    pub(super) fn source_owner(&mut self, owner: &AccountId) {
        self.agreement.source_account = owner.clone();
    }

    /// Notes what an answer says. Nothing when the call was refused.
    ///
    /// # Errors
    /// What is no refusal, as `tell` tells it.
    pub(super) fn judge<T>(
        &mut self,
        check: Check,
        denial: &Denial,
        answer: Result<T, CallFault>,
        tell: impl FnOnce(CallFault) -> Failure,
    ) -> Result<Option<T>, Failure> {
        match answer {
            Ok(value) => {
                self.table.works(check);
                Ok(Some(value))
            }
            Err(fault)
                if matches!(fault.kind, FaultKind::AccessDenied | FaultKind::RoleRefused) =>
            {
                self.refuse(check, denial, &fault);
                Ok(None)
            }
            Err(fault) => Err(tell(fault)),
        }
    }

    /// Notes a refusal.
    pub(super) fn refuse(&mut self, check: Check, denial: &Denial, fault: &CallFault) {
        self.table
            .refused(check, denial, fault, &self.agreement, &self.caller);
    }

    /// A refusal of the planner's own role to list the source.
    pub(super) fn own_listing_denial(&self) -> Denial {
        Denial {
            principal: self.caller.clone(),
            action: "s3:ListBucket",
            resource: self.bucket_arn(&self.spec.pair.source.bucket),
            documents: Documents::One(PolicyDocument::ExecutionRole),
        }
    }

    /// A refusal of the planner's own role to enter the target account.
    pub(super) fn entry_denial(&self) -> Denial {
        Denial::to_enter(self.caller.clone(), self.role())
    }

    /// A refusal of the target role at the source.
    pub(super) fn source_denial(&self, action: &'static str, resource: String) -> Denial {
        Denial::at_source(self.role(), action, resource)
    }

    /// A refusal of the target role at the target.
    pub(super) fn target_denial(&self, action: &'static str, resource: String) -> Denial {
        Denial::at_target(self.role(), action, resource)
    }

    /// A refusal of the target role to copy a part of an object whose head it may read into an upload that it began. Where
    /// AWS does not say what is missing, only the key of the source is left; so it is of the keys when the `upload` has none.
    pub(super) fn part_denial(
        &self,
        key: &ObjectKey,
        upload: Encryption,
        fault: &CallFault,
    ) -> Denial {
        let object = self.source_arn(key);
        match &fault.reason {
            Some(reason) if upload == Encryption::Kms || !reason.action.starts_with("kms:") => {
                self.source_denial("s3:GetObject", object)
            }
            _ => Denial::of_source_key(self.role(), object),
        }
    }

    fn role(&self) -> String {
        self.spec.pair.target.role_arn.to_string()
    }

    pub(super) fn bucket_arn(&self, bucket: &BucketName) -> String {
        format!(
            "arn:{}:s3:::{bucket}",
            self.spec.pair.target.role_arn.partition()
        )
    }

    pub(super) fn source_arn(&self, key: &ObjectKey) -> String {
        format!("{}/{key}", self.bucket_arn(&self.spec.pair.source.bucket))
    }

    pub(super) fn target_arn(&self, key: &ObjectKey) -> String {
        format!("{}/{key}", self.bucket_arn(&self.spec.pair.target.bucket))
    }

    /// What the trials' own keys end in.
    pub(super) fn probe_name(&self) -> String {
        preflight::probe_name(self.run_id)
    }
}

/// The role of an assumed-role session, as a policy names it; a path of the role is not in the session's name.
fn role_of(principal: &str) -> String {
    let fields: Vec<&str> = principal.splitn(6, ':').collect();
    let role = match fields.as_slice() {
        [arn, partition, "sts", region, account, session] => session
            .strip_prefix("assumed-role/")
            .and_then(|session| session.split('/').next())
            .map(|name| format!("{arn}:{partition}:iam:{region}:{account}:role/{name}")),
        _ => None,
    };
    role.unwrap_or_else(|| principal.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_told_as_its_role() {
        assert_eq!(
            role_of("arn:aws:sts::111111111111:assumed-role/planner/function-name"),
            "arn:aws:iam::111111111111:role/planner"
        );
        assert_eq!(
            role_of("arn:aws:iam::111111111111:user/me"),
            "arn:aws:iam::111111111111:user/me"
        );
    }
}
