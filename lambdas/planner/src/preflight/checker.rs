//! One after the other: a call, and what its response says about the permissions.

use std::collections::BTreeSet;

use shardlift_core::{
    access::{
        denial::Denial,
        missing_permission::MissingPermission,
        policy::{Agreement, Extras},
        preflight::{self, Check, Preflight, Refusal},
    },
    failure::{
        Failure,
        fault::{CallFault, FaultKind},
    },
    run::{
        option::{Mode, TagPolicy},
        spec::RunSpec,
    },
    value::{
        arn::{AccountId, Arn},
        id::RunId,
        key::ObjectKey,
        object::Encryption,
    },
};

use crate::access;

const UNREADABLE: &str = "no sample can be read as it is (SSE-C, a disabled key, archived, gone); their copiers will report them";

/// What a call on one of the samples responded.
pub(super) struct Trial<'a> {
    key: &'a ObjectKey,
    /// What is missing if it was refused.
    pub(super) needed: MissingPermission,
    response: Result<(), CallFault>,
}

impl<'a> Trial<'a> {
    /// The response of a call on `key` that needs this permission.
    pub(super) fn new(
        key: &'a ObjectKey,
        needed: MissingPermission,
        response: Result<(), CallFault>,
    ) -> Self {
        Self {
            key,
            needed,
            response,
        }
    }
}

/// The checks of one run: what they found so far.
pub(super) struct Checker<'a> {
    pub(super) spec: &'a RunSpec,
    pub(super) run_id: &'a RunId,
    pub(super) table: Preflight,
    agreement: Agreement,
    /// Whether a refusal offers the missing statements.
    offers_statements: bool,
    caller: Arn,
    /// The roles of all functions, this one's included.
    functions: &'a [Arn],
}

impl<'a> Checker<'a> {
    /// The checks under `principal`, as STS names it.
    pub(super) fn new(
        spec: &'a RunSpec,
        run_id: &'a RunId,
        principal: &Arn,
        functions: &'a [Arn],
        offers_statements: bool,
    ) -> Result<Self, Failure> {
        let source_account = principal.account().ok_or_else(|| {
            Failure::invariant(format!(
                "STS named the principal {principal}, which is of no account"
            ))
        })?;
        Ok(Self {
            spec,
            run_id,
            table: Preflight::default(),
            agreement: Agreement {
                source_account,
                pair: spec.pair.clone().with_masked_external_id(),
                extras: Extras {
                    without_tags: spec.tags == TagPolicy::Ignore,
                    with_acls: spec.acl.is_some(),
                    deletes: spec.mode == Mode::Mirror,
                    versions: spec.as_of.is_some(),
                    target_key: spec.kms_key_arn.clone(),
                    ..Extras::default()
                },
            },
            caller: principal.principal(),
            functions,
            offers_statements,
        })
    }

    /// Whose the source is: what the statements are limited to.
    pub(super) fn source_owner(&mut self, owner: &AccountId) {
        self.agreement.source_account = owner.clone();
    }

    /// Notes what a response says. Nothing when the call was refused.
    ///
    /// # Errors
    /// What is no refusal, as `explain` puts it.
    pub(super) fn judge<T>(
        &mut self,
        check: Check,
        denial: &Denial,
        response: Result<T, CallFault>,
        explain: impl FnOnce(CallFault) -> Failure,
    ) -> Result<Option<T>, Failure> {
        match response {
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
            Err(fault) => Err(explain(fault)),
        }
    }

    /// Notes what the response says to a call that needs one permission of the target role alone, on `key` or its bucket.
    ///
    /// # Errors
    /// What is no refusal.
    pub(super) fn judge_permission<T>(
        &mut self,
        check: Check,
        permission: MissingPermission,
        key: &ObjectKey,
        response: Result<T, CallFault>,
    ) -> Result<Option<T>, Failure> {
        let denial = permission.denial_on(self.spec, key);
        self.judge(check, &denial, response, Failure::from)
    }

    /// Notes what the responses for the samples say together. It is a refusal of the run only when every sample is refused
    /// that is not unreadable for reasons of its own: the others fail one by one. Returns the keys of the refused ones.
    ///
    /// # Errors
    /// What is no refusal.
    pub(super) fn judge_trials(
        &mut self,
        check: Check,
        trials: Vec<Trial<'_>>,
    ) -> Result<BTreeSet<ObjectKey>, Failure> {
        let (mut works, mut refused, mut keys) = (0, Vec::new(), BTreeSet::new());
        for trial in trials {
            match trial.response {
                Ok(()) => works += 1,
                Err(fault) if fault.kind == FaultKind::AccessDenied => {
                    keys.insert(trial.key.clone());
                    refused.push((trial.needed.denial_on(self.spec, trial.key), fault));
                }
                Err(fault) if is_its_own_fate(&fault) => {}
                Err(fault) => return Err(fault.into()),
            }
        }
        self.note(check, works, &refused);
        Ok(keys)
    }

    /// Notes for how many objects something works, and for how many it is refused.
    pub(super) fn note(&mut self, check: Check, works: usize, refused: &[(Denial, CallFault)]) {
        match refused.first() {
            None if works == 0 => self.table.not_checked(check, UNREADABLE),
            None => self.table.works(check),
            Some((denial, fault)) if works == 0 => self.refuse(check, denial, fault),
            Some((denial, fault)) => {
                let refusal = self.refusal(denial, fault);
                self.table
                    .works_for_some(check, works, works + refused.len(), refusal);
            }
        }
    }

    /// Notes a refusal.
    pub(super) fn refuse(&mut self, check: Check, denial: &Denial, fault: &CallFault) {
        let refusal = self.refusal(denial, fault);
        self.table.refused(check, refusal);
    }

    fn refusal(&self, denial: &Denial, fault: &CallFault) -> Refusal {
        let agreement = self.offers_statements.then_some(&self.agreement);
        Refusal::new(denial, fault, agreement, self.functions)
    }

    /// The table of all checks, with what each policy lacks. `reason` says why the checks that no row deals with were not
    /// made.
    pub(super) fn into_table(self, reason: &str) -> Preflight {
        let table = self.table.completed(reason);
        table.with_fixes(&self.agreement, self.functions)
    }

    /// A refusal of the planner's own role to list the source, or its versions.
    pub(super) fn own_listing_denial(&self, fault: Option<&CallFault>) -> Denial {
        let (caller, pair) = (self.caller.as_str(), &self.spec.pair);
        match fault {
            Some(fault) => access::source_denial(caller, pair, fault),
            None => Denial::of_listing_source(caller, pair),
        }
    }

    /// A refusal of the planner's own role to enter the target account.
    pub(super) fn entry_denial(&self) -> Denial {
        Denial::of_entry(self.caller.as_str(), &self.spec.pair)
    }

    /// A refusal of the target role to copy a part of an object whose head it may read into an upload that it began. Where
    /// AWS does not say what is missing, only the key of the source is left; so it is of the keys when the `upload` has none.
    pub(super) fn part_denial(
        &self,
        key: &ObjectKey,
        upload: Encryption,
        fault: &CallFault,
    ) -> Denial {
        let permission = match &fault.reason {
            Some(reason) if upload == Encryption::Kms || !reason.action.is_of_kms() => {
                MissingPermission::ReadObject
            }
            _ => MissingPermission::UseSourceKey,
        };
        permission.denial_on(self.spec, key)
    }

    /// What the probes' own keys end in.
    pub(super) fn probe_name(&self) -> String {
        preflight::probe_name(self.run_id)
    }
}

/// Whether a fault concerns the sample alone: the object's copier reports it, and it is no reason to end a run. A response
/// that cannot be read is one of them: what is odd about it is the object's.
pub(super) fn is_its_own_fate(fault: &CallFault) -> bool {
    matches!(
        fault.kind,
        FaultKind::ConditionFailed
            | FaultKind::NoSuchKey
            | FaultKind::Archived
            | FaultKind::KeyUnusable
            | FaultKind::MalformedResponse
            | FaultKind::Rejected
    )
}
