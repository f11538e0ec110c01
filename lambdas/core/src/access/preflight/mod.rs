//! What was tried before a run was opened: one table of what works and what is refused, and for each refusal the
//! statement that is missing, ready to paste.

mod check;

use serde::{Deserialize, Serialize};

pub use self::check::Check;
use crate::{
    access::{
        denial::{Denial, Lack, Needed, PolicyDocument},
        policy::{Agreement, missing},
    },
    failure::{Failure, FailureCode, fault::CallFault},
    value::{id::RunId, printable::Printable},
};

/// The name of the table among a run's documents in the control bucket.
pub const PREFLIGHT_DOCUMENT: &str = "preflight.json";

/// What the keys of the trials of a run end in: nothing of that name is there, unless somebody meant it.
#[must_use]
pub fn probe_name(run_id: &RunId) -> String {
    format!(".shardlift-preflight/{run_id}")
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Finding {
    /// It works.
    Works,
    /// It is refused.
    Refused(Refusal),
    /// It was not tried.
    NotTried {
        /// Why not.
        why: String,
    },
}

/// A refused call, and what is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Who called.
    pub principal: String,
    /// The action as a policy names it.
    pub action: String,
    /// On what.
    pub resource: String,
    /// The statements that are missing, as far as they are known.
    pub missing: Vec<MissingStatement>,
    /// Whether each of these documents must allow it, where there are several, or one is enough.
    pub needed: Needed,
    /// What to do, in words, each statement ready to paste.
    pub remedy: String,
    /// What AWS said.
    pub aws_said: String,
}

/// A statement and the document where it belongs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingStatement {
    /// The document.
    pub document: PolicyDocument,
    /// The statement's name.
    pub sid: String,
    /// The statement, ready to paste.
    pub statement: serde_json::Value,
}

/// A check and what it found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The check.
    pub check: Check,
    /// What it found.
    #[serde(flatten)]
    pub finding: Finding,
}

/// The table.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Preflight {
    /// The rows, in the order of [`Check::ALL`].
    pub rows: Vec<Row>,
}

impl Preflight {
    /// Notes that a check works.
    pub fn works(&mut self, check: Check) {
        self.note(check, Finding::Works);
    }

    /// Notes that a check was not tried.
    pub fn not_tried(&mut self, check: Check, why: impl Into<String>) {
        self.note(check, Finding::NotTried { why: why.into() });
    }

    /// Notes that a check was refused. `caller` is the ARN of the planner's own role.
    pub fn refused(
        &mut self,
        check: Check,
        denial: &Denial,
        fault: &CallFault,
        agreement: &Agreement,
        caller: &str,
    ) {
        let lack = denial.lack(fault.reason.as_ref());
        let missing: Vec<MissingStatement> = lack
            .documents
            .listed()
            .into_iter()
            .filter_map(|document| {
                let (action, resource) = (&lack.action, &lack.resource);
                let statement = missing::statement(agreement, caller, document, action, resource)?;
                Some(MissingStatement {
                    document,
                    sid: statement.sid.to_owned(),
                    statement: serde_json::json!(statement),
                })
            })
            .collect();
        self.note(
            check,
            Finding::Refused(Refusal {
                principal: denial.principal.clone(),
                needed: lack.documents.needed(),
                remedy: remedy(&lack, &missing),
                missing,
                action: lack.action,
                resource: lack.resource,
                aws_said: fault.to_string(),
            }),
        );
    }

    fn note(&mut self, check: Check, finding: Finding) {
        self.rows.push(Row { check, finding });
    }

    /// Fills in every check that no row deals with, and puts the rows in order.
    #[must_use]
    pub fn completed(mut self, why: &str) -> Self {
        for check in Check::ALL {
            if self.rows.iter().all(|row| row.check != check) {
                self.not_tried(check, why);
            }
        }
        self.rows.sort_by_key(|row| row.check);
        self
    }

    /// The refusals.
    pub fn refusals(&self) -> impl Iterator<Item = (Check, &Refusal)> {
        self.rows.iter().filter_map(|row| match &row.finding {
            Finding::Refused(refusal) => Some((row.check, refusal)),
            Finding::Works | Finding::NotTried { .. } => None,
        })
    }

    /// The failure that ends the run when anything was refused: who may not do what, and each statement that is missing,
    /// ready to paste.
    #[must_use]
    pub fn failure(&self, run_id: &RunId) -> Option<Failure> {
        let refusals: Vec<_> = self.refusals().collect();
        let (first, _) = refusals.first()?;
        let code = if *first == Check::EnterTargetAccount {
            FailureCode::RoleUnavailable
        } else {
            FailureCode::AccessDenied
        };
        let told: Vec<String> = refusals
            .iter()
            .map(|(check, refusal)| refusal.told(*check))
            .collect();
        Some(Failure::new(
            code,
            format!(
                "nothing was copied: {} of {} checks before the run were refused (the table is runs/{run_id}/{PREFLIGHT_DOCUMENT}). {}",
                refusals.len(),
                self.rows.len(),
                told.join(" "),
            ),
        ))
    }
}

impl Refusal {
    /// The refusal as a person mends it.
    #[must_use]
    pub fn told(&self, check: Check) -> String {
        format!(
            "To {}: {} may not {} on {}; {}. AWS said: {}.",
            check.title(),
            Printable(&self.principal),
            Printable(&self.action),
            Printable(&self.resource),
            Printable(&self.remedy),
            Printable(&self.aws_said),
        )
    }
}

/// Which document must allow it, by which statement.
fn remedy(lack: &Lack, missing: &[MissingStatement]) -> String {
    lack.documents.told(|document| {
        let known = missing.iter().find(|missing| missing.document == document);
        match known {
            Some(known) => format!("{document} (statement {}: {})", known.sid, known.statement),
            // The stack does not know which key encrypts an object of the source, unless AWS named it.
            None => format!(
                "{}, as `shardlift policy` prints it with --source-key or --target-key",
                lack.named(document)
            ),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        access::policy::Extras,
        failure::{
            fault::FaultKind,
            refusal::{RefusalReason, RefusingPolicy},
        },
        run::pair::{Pair, Source, Target},
        value::{
            arn::{AccountId, RoleArn},
            bucket::BucketName,
            key::KeyPrefix,
        },
    };

    fn agreement() -> Agreement {
        Agreement {
            source_account: AccountId::new("111111111111").unwrap(),
            pair: Pair {
                source: Source {
                    bucket: BucketName::new("source").unwrap(),
                    prefix: KeyPrefix::new("data/").unwrap(),
                },
                target: Target {
                    bucket: BucketName::new("target").unwrap(),
                    prefix: KeyPrefix::new("copy/").unwrap(),
                    role_arn: RoleArn::new("arn:aws:iam::222222222222:role/T").unwrap(),
                    external_id: None,
                },
            },
            extras: Extras::default(),
        }
    }

    fn refused(check: Check, action: &'static str, resource: &str) -> Preflight {
        refused_for(None, check, action, resource)
    }

    fn refused_for(
        reason: Option<RefusalReason>,
        check: Check,
        action: &'static str,
        resource: &str,
    ) -> Preflight {
        let mut table = Preflight::default();
        let principal = "arn:aws:iam::222222222222:role/T".to_owned();
        let denial = Denial::at_source(principal, action, resource.into());
        let fault = CallFault {
            reason,
            ..CallFault::new("s3:HeadObject", FaultKind::AccessDenied, "403")
        };
        let caller = "arn:aws:iam::111111111111:role/planner";
        table.refused(check, &denial, &fault, &agreement(), caller);
        table.completed("the source could not be read")
    }

    #[test]
    fn a_refusal_carries_each_missing_statement_ready_to_paste() {
        let table = refused(
            Check::ReadSource,
            "s3:GetObject",
            "arn:aws:s3:::source/data/x",
        );
        let (_, refusal) = table.refusals().next().unwrap();
        let sids: Vec<&str> = refusal
            .missing
            .iter()
            .map(|missing| missing.sid.as_str())
            .collect();
        assert_eq!(sids, ["ReadTheSource", "ShardliftReadSource"]);
        assert_eq!(
            refusal.missing[1].statement["Principal"]["AWS"],
            "arn:aws:iam::222222222222:role/T"
        );
        let failure = table.failure(&RunId::new("r").unwrap()).unwrap();
        assert_eq!(failure.code, FailureCode::AccessDenied);
        for named in [
            "s3:GetObject",
            "\"Sid\":\"ShardliftReadSource\"",
            "runs/r/preflight.json",
        ] {
            assert!(
                failure.detail.contains(named),
                "{named}: {}",
                failure.detail
            );
        }
    }

    #[test]
    fn a_key_that_the_stack_was_not_told_of_is_named_as_aws_names_it() {
        let key = "arn:aws:kms:eu-west-1:111111111111:key/1";
        let reason = RefusalReason {
            action: "kms:Decrypt".into(),
            resource: Some(key.into()),
            by: RefusingPolicy::OfTheCaller,
            is_explicit: false,
        };
        let object = "arn:aws:s3:::source/data/x";
        let table = refused_for(Some(reason), Check::CopyPart, "s3:GetObject", object);
        let (_, refusal) = table.refusals().next().unwrap();
        assert_eq!(refusal.missing.len(), 1);
        assert_eq!(refusal.missing[0].sid, "DecryptTheSource");
        assert_eq!(refusal.missing[0].statement["Resource"], key);
    }

    #[test]
    fn a_key_that_nobody_named_is_told_of_all_the_same() {
        let reason = RefusalReason {
            action: "kms:Decrypt".into(),
            resource: None,
            by: RefusingPolicy::OfTheResource,
            is_explicit: false,
        };
        let object = "arn:aws:s3:::source/data/x";
        let table = refused_for(Some(reason), Check::CopyPart, "s3:GetObject", object);
        let failure = table.failure(&RunId::new("r").unwrap()).unwrap();
        for named in [
            "the KMS key's policy (statement ShardliftDecryptSource for the source's key, ShardliftEncryptTarget for the target's)",
            "--source-key",
        ] {
            assert!(failure.detail.contains(named), "{}", failure.detail);
        }
    }

    #[test]
    fn a_table_has_every_check_once_and_in_order() {
        let table = refused(
            Check::ReadSource,
            "s3:GetObject",
            "arn:aws:s3:::source/data/x",
        );
        let checks: Vec<Check> = table.rows.iter().map(|row| row.check).collect();
        assert_eq!(checks, Check::ALL);
        let stored = serde_json::to_string(&table).unwrap();
        assert_eq!(serde_json::from_str::<Preflight>(&stored).unwrap(), table);
    }

    #[test]
    fn a_table_without_refusals_ends_nothing() {
        let mut table = Preflight::default();
        table.works(Check::FindSource);
        assert_eq!(table.failure(&RunId::new("r").unwrap()), None);
    }

    #[test]
    fn a_role_that_cannot_be_entered_has_its_own_code() {
        let table = refused(
            Check::EnterTargetAccount,
            "sts:AssumeRole",
            "arn:aws:iam::222222222222:role/T",
        );
        let failure = table.failure(&RunId::new("r").unwrap()).unwrap();
        assert_eq!(failure.code, FailureCode::RoleUnavailable);
    }

    #[test]
    fn a_hostile_key_stays_on_its_line() {
        let table = refused(
            Check::ReadSource,
            "s3:GetObject",
            "arn:aws:s3:::source/data/\u{1b}[2J\n",
        );
        let failure = table.failure(&RunId::new("r").unwrap()).unwrap();
        assert!(
            !failure.detail.contains(['\u{1b}', '\n']),
            "{:?}",
            failure.detail
        );
    }
}
