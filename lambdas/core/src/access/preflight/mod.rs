//! What was checked before a run was opened: one table of what works and what is refused, and for each refusal the
//! statement that is missing, ready to paste. Read `check` first.

mod check;
mod fix;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use self::{check::Check, fix::Fix};
use crate::{
    access::{
        deciders::Needed,
        denial::{Denial, MissingGrant},
        document::PolicyDocument,
        policy::{Agreement, missing},
    },
    failure::{Failure, FailureCode, fault::CallFault},
    value::{action::ReportedAction, arn::Arn, id::RunId, printable::Printable},
};

/// What is said about a refusal where no statement is offered.
const BESIDE_OWN_TARGET: &str = "the run names a target other than the stack's own, so no statement is offered here: the owner of that target decides what it allows";

/// The name of the table among a run's documents in the control bucket.
pub const PREFLIGHT_DOCUMENT: &str = "preflight.json";

/// What the keys of a run's probes end in: nothing of that name is there, unless somebody meant it.
#[must_use]
pub fn probe_name(run_id: &RunId) -> String {
    format!(".shardlift-preflight/{run_id}")
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum CheckResult {
    /// It works.
    Works,
    /// It is refused.
    Refused(Refusal),
    /// It works for some of the objects that were tried: the run goes on, and the others fail one by one.
    WorksForSome {
        /// For how many it works.
        works: usize,
        /// How many were tried.
        tried: usize,
        /// The first refusal.
        refusal: Refusal,
    },
    /// It was not checked.
    NotChecked {
        /// Why not.
        reason: String,
    },
}

/// A refused call, and what is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Who called.
    pub principal: String,
    /// The action as a policy names it.
    pub action: ReportedAction,
    /// On what.
    pub resource: Arn,
    /// The statements that are missing, as far as they are known.
    pub missing: Vec<MissingStatement>,
    /// Whether each of these documents must allow it, where there are several, or one is enough.
    pub needed: Needed,
    /// What to do, in words.
    pub remedy: String,
    /// The reason that AWS gave.
    pub aws_reason: String,
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
    pub result: CheckResult,
}

/// The table.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Preflight {
    /// The rows, in the order of [`Check::ALL`].
    pub rows: Vec<Row>,
    /// What each policy lacks, where anything was refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixes: Vec<Fix>,
}

impl Preflight {
    /// Notes that a check works.
    pub fn works(&mut self, check: Check) {
        self.note(check, CheckResult::Works);
    }

    /// Notes that something was not checked.
    pub fn not_checked(&mut self, check: Check, reason: impl Into<String>) {
        let reason = reason.into();
        self.note(check, CheckResult::NotChecked { reason });
    }

    /// Notes that a check was refused.
    pub fn refused(&mut self, check: Check, refusal: Refusal) {
        self.note(check, CheckResult::Refused(refusal));
    }

    /// Notes that a check works for some of the objects that were tried, and the first refusal of the others.
    pub fn works_for_some(&mut self, check: Check, works: usize, tried: usize, refusal: Refusal) {
        let result = CheckResult::WorksForSome {
            works,
            tried,
            refusal,
        };
        self.note(check, result);
    }

    fn note(&mut self, check: Check, result: CheckResult) {
        self.rows.push(Row { check, result });
    }

    /// Fills in every check that no row deals with, and puts the rows in order.
    #[must_use]
    pub fn completed(mut self, reason: &str) -> Self {
        for check in Check::ALL {
            if self.rows.iter().all(|row| row.check != check) {
                self.not_checked(check, reason);
            }
        }
        self.rows.sort_by_key(|row| row.check);
        self
    }

    /// The refusals that end the run.
    pub fn refusals(&self) -> impl Iterator<Item = (Check, &Refusal)> {
        self.rows.iter().filter_map(|row| match &row.result {
            CheckResult::Refused(refusal) => Some((row.check, refusal)),
            CheckResult::Works
            | CheckResult::WorksForSome { .. }
            | CheckResult::NotChecked { .. } => None,
        })
    }

    /// The failure that ends the run when anything was refused, in lines: each refused call (who, what, on what, and which
    /// document decides), what to put where, and AWS's own words last and whole.
    #[must_use]
    pub fn failure(&self, run_id: &RunId) -> Option<Failure> {
        let refusals: Vec<_> = self.refusals().collect();
        let (first, _) = refusals.first()?;
        let code = if *first == Check::EnterTargetAccount {
            FailureCode::RoleUnavailable
        } else {
            FailureCode::AccessDenied
        };
        let mut text = format!(
            "nothing was copied: {} of {} checks before the run were refused (the table is runs/{run_id}/{PREFLIGHT_DOCUMENT})\n",
            refusals.len(),
            self.rows.len(),
        );
        for (check, refusal) in &refusals {
            text.push_str(&format!("\n{}", refusal.lines(*check)));
        }
        for fix in &self.fixes {
            text.push_str(&format!("\n{}", fix.lines()));
        }
        text.push_str("\nAWS reported:");
        for (_, refusal) in &refusals {
            text.push_str(&format!("\n  {}", Printable(&refusal.aws_reason)));
        }
        Some(Failure::new(code, text))
    }
}

impl Refusal {
    /// What is missing after a refused call. `functions` are the ARNs of the roles of all functions. Without an agreement, no
    /// statement is offered to paste: the run goes where the stack's own agreement does not reach.
    #[must_use]
    pub fn new(
        denial: &Denial,
        fault: &CallFault,
        agreement: Option<&Agreement>,
        functions: &[Arn],
    ) -> Self {
        let missing = denial.missing_grant(fault.reason.as_ref());
        let documents = missing.deciders.listed().into_iter();
        let statements: Vec<MissingStatement> = documents
            .filter_map(|document| {
                let agreement = agreement?;
                let statement = missing::statement(agreement, functions, document, &missing)?;
                Some(MissingStatement {
                    document,
                    sid: statement.sid.to_owned(),
                    statement: serde_json::json!(statement),
                })
            })
            .collect();
        Self {
            principal: denial.caller().to_string(),
            needed: missing.deciders.needed(),
            remedy: match agreement {
                Some(_) => remedy(&missing, &statements),
                None => BESIDE_OWN_TARGET.to_owned(),
            },
            action: missing.action().clone(),
            resource: missing.resource,
            missing: statements,
            aws_reason: fault.to_string(),
        }
    }

    /// The refusal in lines: who, what, on what, and which document decides.
    fn lines(&self, check: Check) -> String {
        format!(
            "Refused: to {}\n  who:  {}\n  what: {}\n  on:   {}\n  why:  {}\n",
            check.title(),
            Printable(&self.principal),
            Printable(self.action.name()),
            Printable(self.resource.as_str()),
            Printable(&self.remedy),
        )
    }
}

/// Which document must allow it, by which statement.
fn remedy(missing: &MissingGrant, statements: &[MissingStatement]) -> String {
    let remedy = missing.deciders.remedy(|document| {
        let known = statements.iter().find(|known| known.document == document);
        match known {
            Some(known) => format!("{document} (statement {})", known.sid),
            // The stack does not know which key encrypts an object of the source, unless AWS named it.
            None => format!(
                "{}, as `shardlift policy` prints it with --source-key or --target-key",
                missing.statement_in(document)
            ),
        }
    });
    missing.advised(remedy)
}
