//! A refused call, explained so that a person can mend it: who, what, on what, and which statement of which document must
//! grant it.

#[cfg(test)]
mod tests;

use super::{
    deciders::{Deciders, Needed},
    document::PolicyDocument,
};
use crate::{
    failure::{
        Failure, FailureCode,
        fault::{CallFault, FaultKind},
        refusal::{RefusalReason, RefusingPolicy},
    },
    run::pair::{Pair, Side},
    value::{
        action::{Action, ReportedAction},
        arn::{AccountId, Arn, KmsKeyArn, RoleArn},
    },
};

/// Who called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// A function with its own role: the role's ARN, or words where the ARN is not known.
    Function(String),
    /// The target role.
    TargetRole(RoleArn),
}

/// One refused call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    caller: Caller,
    /// Those that the call needs and that may be the refused one; the first is the most likely.
    actions: Vec<Action>,
    side: Side,
    resource: Arn,
    /// The key that the run encrypts with at the target, which a copy needs beside the source's.
    run_key: Option<KmsKeyArn>,
    /// What may be behind it beside a missing statement.
    advice: Option<String>,
}

/// What a refused call lacked, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingGrant {
    /// The action that was refused. Where AWS does not name it and the call needs several, all of them, the most likely
    /// first; never empty.
    pub actions: Vec<ReportedAction>,
    /// What it was refused on.
    pub resource: Arn,
    /// The documents, one of which or each of which does not allow it.
    pub deciders: Deciders,
    /// The side that it was refused at; nothing where it is one of the keys and AWS does not name it.
    pub side: Option<Side>,
    /// What may be behind it beside a missing statement, as a sentence fragment.
    pub advice: Option<String>,
}

/// A fault of finding or listing a bucket of the pair, with the statement that is missing when it was refused. The
/// source is listed with the function's own role, the target with the target role.
#[must_use]
pub fn listing_failure(fault: CallFault, side: Side) -> Failure {
    let (own, needed) = match side {
        Side::Source => (PolicyDocument::ExecutionRole, Needed::Each),
        Side::Target => (PolicyDocument::TargetRolePermissions, Needed::Any),
    };
    let (action, realm) = (Action::ListBucket, side.into());
    let deciders = Deciders::of(own, action, realm, needed).left_by(fault.reason.as_ref());
    let is_refused = fault.kind == FaultKind::AccessDenied;
    let mut failure = Failure::from(fault);
    if is_refused {
        let remedy = deciders.remedy(|document| document.with_statement(action, realm));
        failure.detail.push_str(&format!("; {remedy}"));
    }
    failure
}

impl Caller {
    /// Its own policy.
    const fn document(&self) -> PolicyDocument {
        match self {
            Self::Function(_) => PolicyDocument::ExecutionRole,
            Self::TargetRole(_) => PolicyDocument::TargetRolePermissions,
        }
    }

    /// How many of two policies must allow what it does at `side`. The target role and the target are of one account;
    /// all else is between two.
    const fn needed_at(&self, side: Side) -> Needed {
        match (self, side) {
            (Self::TargetRole(_), Side::Target) => Needed::Any,
            _ => Needed::Each,
        }
    }
}

impl std::fmt::Display for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Function(name) => f.write_str(name),
            Self::TargetRole(role) => role.fmt(f),
        }
    }
}

impl Denial {
    /// A function may not list the source.
    #[must_use]
    pub fn of_listing_source(function: impl Into<String>, pair: &Pair) -> Self {
        Self {
            caller: Caller::Function(function.into()),
            actions: vec![Action::ListBucket],
            side: Side::Source,
            resource: pair.bucket_arn(Side::Source),
            run_key: None,
            advice: None,
        }
    }

    /// A function may not do this on the bucket of the source, which it lists in its versions.
    #[must_use]
    pub fn of_reading_history(function: impl Into<String>, pair: &Pair, operation: &str) -> Self {
        let action = match operation {
            "s3:GetBucketVersioning" => Action::GetBucketVersioning,
            _ => Action::ListBucketVersions,
        };
        Self {
            actions: vec![action],
            ..Self::of_listing_source(function, pair)
        }
    }

    /// A function may not enter the target account.
    #[must_use]
    pub fn of_entry(function: impl Into<String>, pair: &Pair) -> Self {
        Self {
            caller: Caller::Function(function.into()),
            actions: vec![Action::AssumeRole],
            side: Side::Target,
            resource: pair.target.role_arn.arn().clone(),
            run_key: None,
            advice: None,
        }
    }

    /// The target role may not do one of these on a resource of this side.
    #[must_use]
    pub fn of_target_role(pair: &Pair, side: Side, actions: &[Action], resource: Arn) -> Self {
        Self {
            caller: Caller::TargetRole(pair.target.role_arn.clone()),
            actions: actions.to_vec(),
            side,
            resource,
            run_key: None,
            advice: None,
        }
    }

    /// The target role may not list the target.
    #[must_use]
    pub fn of_listing_target(pair: &Pair) -> Self {
        let bucket = pair.bucket_arn(Side::Target);
        Self::of_target_role(pair, Side::Target, &[Action::ListBucket], bucket)
    }

    /// The same, in a run that encrypts with this key at the target.
    #[must_use]
    pub fn with_run_key(mut self, key: Option<KmsKeyArn>) -> Self {
        self.run_key = key;
        self
    }

    /// The same, with what may be behind it beside a missing statement.
    #[must_use]
    pub fn with_advice(mut self, advice: Option<String>) -> Self {
        self.advice = advice;
        self
    }

    /// Who called.
    #[must_use]
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// What is missing: an action of this call from its documents, unless AWS's reason is more exact.
    #[must_use]
    pub fn missing_grant(&self, reason: Option<&RefusalReason>) -> MissingGrant {
        let missing = MissingGrant {
            actions: self.actions.iter().copied().map(Into::into).collect(),
            resource: self.resource.clone(),
            deciders: self.deciders(self.actions[0], self.caller.needed_at(self.side)),
            side: Some(self.side),
            advice: self.advice.clone(),
        };
        let Some(reason) = reason else {
            return missing;
        };
        let (deciders, side) = if reason.action.is_of_kms() {
            self.about_key(reason)
        } else {
            (missing.deciders, missing.side)
        };
        MissingGrant {
            actions: vec![reason.action.clone()],
            resource: reason.resource.clone().unwrap_or(missing.resource),
            deciders: deciders.left_by(Some(reason)),
            side,
            // It is about the main action of the call, and not about a key.
            advice: missing
                .advice
                .filter(|_| reason.action.known() == Some(self.actions[0])),
        }
    }

    /// The denial as the failure that ends in reports and notifications.
    #[must_use]
    pub fn into_failure(self, fault: &CallFault) -> Failure {
        let missing = self.missing_grant(fault.reason.as_ref());
        Failure::new(
            FailureCode::AccessDenied,
            format!(
                "{} may not {} on {}; {}. AWS reported: {fault}",
                self.caller,
                missing.action_names(),
                missing.resource,
                missing.remedy(),
            ),
        )
    }

    fn deciders(&self, action: Action, needed: Needed) -> Deciders {
        Deciders::of(self.caller.document(), action, self.side.into(), needed)
    }

    /// Which documents decide about the key that refused, and whose it is.
    ///
    /// The policy of a key in the role's own account lets that account's policies decide. Where it does not, AWS says that
    /// no resource-based policy allows: then the key's policy alone is missing.
    fn about_key(&self, reason: &RefusalReason) -> (Deciders, Option<Side>) {
        let is_own = is_key_of(&self.caller, reason.resource.as_ref());
        let needed = if is_own && reason.by == RefusingPolicy::OfTheCaller {
            Needed::Any
        } else {
            Needed::Each
        };
        let deciders = self.deciders(Action::Decrypt, needed);
        (deciders, self.side_of_key(reason, is_own))
    }

    /// Whose key refused; nothing where that is not known. A copy that reads at the source uses the target's key too, and
    /// AWS need not name the key that may not decrypt.
    fn side_of_key(&self, reason: &RefusalReason, is_own: bool) -> Option<Side> {
        let is_run_key = match (&reason.resource, &self.run_key) {
            (Some(named), Some(key)) => named == key.arn(),
            _ => false,
        };
        if is_own || is_run_key || reason.action.known() == Some(Action::GenerateDataKey) {
            return Some(Side::Target);
        }
        let is_unknown = reason.resource.is_none()
            && self.side == Side::Source
            && !self.actions.contains(&Action::Decrypt);
        (!is_unknown).then_some(self.side)
    }
}

fn is_key_of(caller: &Caller, key: Option<&Arn>) -> bool {
    let owner: Option<AccountId> = key.and_then(Arn::account);
    match caller {
        Caller::TargetRole(role) => owner == Some(role.account()),
        Caller::Function(_) => false,
    }
}

impl MissingGrant {
    /// The refused action, or the most likely one.
    #[must_use]
    pub fn action(&self) -> &ReportedAction {
        &self.actions[0]
    }

    /// What a person must do, as a sentence fragment: which document must allow it, by which statement.
    #[must_use]
    pub fn remedy(&self) -> String {
        self.advised(self.deciders.remedy(|document| self.statement_in(document)))
    }

    /// A remedy, followed by the advice.
    pub(super) fn advised(&self, remedy: String) -> String {
        match &self.advice {
            Some(advice) => format!("{remedy}; {advice}"),
            None => remedy,
        }
    }

    /// The document with the id of the statement that it lacks.
    pub(super) fn statement_in(&self, document: PolicyDocument) -> String {
        match (self.action().known(), self.side) {
            (Some(action), Some(side)) => document.with_statement(action, side.into()),
            (Some(action), None) => document.with_statement_of_either_key(action),
            (None, _) => document.to_string(),
        }
    }

    /// The actions as a message names them: `s3:PutObject (or s3:PutObjectTagging)`.
    fn action_names(&self) -> String {
        let mut names = self.action().to_string();
        for other in &self.actions[1..] {
            let key = if other.is_of_kms() {
                " with the run's key"
            } else {
                ""
            };
            names.push_str(&format!(" (or {other}{key})"));
        }
        names
    }
}
