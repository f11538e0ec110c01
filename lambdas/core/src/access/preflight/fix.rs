//! What to put into which policy after refusals: the statements, whole and ready to paste, and the commands.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CheckResult, Preflight};
use crate::{
    access::{
        document::PolicyDocument,
        policy::{Agreement, merge_commands, missing},
    },
    run::pair::Side,
    value::{
        arn::{Arn, ExternalId},
        printable::printable_json,
    },
};

/// What one policy lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fix {
    /// The document.
    pub document: PolicyDocument,
    /// Where it is: the account, and the bucket, role or key.
    pub place: String,
    /// The statements, each whole. One that is there under the same Sid is replaced.
    pub statements: Vec<Value>,
    /// The commands that put them there, with credentials of that account; none for what the stack deploys.
    pub commands: Vec<String>,
}

impl Preflight {
    /// This table with what each policy lacks: the statements whose calls were refused, and those of the same documents
    /// whose calls were not made, because they would be refused next.
    #[must_use]
    pub fn with_fixes(mut self, agreement: &Agreement, functions: &[Arn]) -> Self {
        let used = self.used_statements();
        let mut fixes: Vec<Fix> = Vec::new();
        for (_, refusal) in self.refusals() {
            for lacking in &refusal.missing {
                let place = place(lacking.document, agreement, refusal);
                let found = fixes
                    .iter_mut()
                    .find(|fix| fix.document == lacking.document && fix.place == place);
                match found {
                    Some(fix) if fix.statements.contains(&lacking.statement) => {}
                    Some(fix) => fix.statements.push(lacking.statement.clone()),
                    None => fixes.push(Fix {
                        document: lacking.document,
                        place,
                        statements: vec![lacking.statement.clone()],
                        commands: merge_commands(lacking.document, agreement, &refusal.resource),
                    }),
                }
            }
        }
        for fix in &mut fixes {
            add_unused(fix, agreement, functions, &used);
        }
        self.fixes = fixes;
        self
    }

    /// The statements that are there, because a call that needs them was allowed.
    fn used_statements(&self) -> BTreeSet<(PolicyDocument, &'static str)> {
        let allowed = self.rows.iter().filter(|row| {
            matches!(
                row.result,
                CheckResult::Works | CheckResult::WorksForSome { .. }
            )
        });
        allowed
            .flat_map(|row| row.check.used_statements())
            .collect()
    }
}

/// A key's policy is about one key, so it is not added to.
fn add_unused(
    fix: &mut Fix,
    agreement: &Agreement,
    functions: &[Arn],
    used: &BTreeSet<(PolicyDocument, &'static str)>,
) {
    if matches!(
        fix.document,
        PolicyDocument::KeyPolicy | PolicyDocument::ExecutionRole
    ) {
        return;
    }
    for statement in missing::contents(fix.document, agreement, functions).statement {
        let is_listed = fix.statements.iter().any(|it| it["Sid"] == statement.sid);
        if !is_listed && !used.contains(&(fix.document, statement.sid)) {
            fix.statements.push(json!(statement));
        }
    }
}

fn place(document: PolicyDocument, agreement: &Agreement, refusal: &super::Refusal) -> String {
    let (source, target) = (&agreement.source_account, agreement.target_account());
    let bucket = |side| agreement.pair.bucket(side);
    match document {
        PolicyDocument::SourceBucketPolicy => {
            format!("account {source}, bucket {}", bucket(Side::Source))
        }
        PolicyDocument::TargetBucketPolicy => {
            format!("account {target}, bucket {}", bucket(Side::Target))
        }
        PolicyDocument::TargetRolePermissions | PolicyDocument::TargetRoleTrust => {
            format!("account {target}, {}", agreement.pair.target.role_arn)
        }
        PolicyDocument::ExecutionRole => format!("account {source}, {}", refusal.principal),
        PolicyDocument::KeyPolicy => refusal.resource.to_string(),
    }
}

impl Fix {
    /// The fix as a person applies it, in lines.
    pub(super) fn lines(&self) -> String {
        let statements = printable_json(&format!("{:#}", Value::Array(self.statements.clone())));
        let mut text = format!(
            "Put this into {} ({}). Replace statements that have the same Sid:\n",
            self.document, self.place
        );
        for line in statements.lines() {
            text.push_str(&format!("  {line}\n"));
        }
        if statements.contains(ExternalId::masked().as_str()) {
            text.push_str(&format!(
                "{} stands for the external id that both stacks have: no report shows it. shardlift policy fills it in.\n",
                ExternalId::masked().as_str()
            ));
        }
        if self.document == PolicyDocument::TargetRolePermissions {
            text.push_str("If the source's objects are under a KMS key, add --source-key KEY below: no call has shown it yet.\n");
        }
        if self.commands.is_empty() {
            text.push_str("The stack deploys it: deploy infra/template.yaml again.\n");
        } else {
            text.push_str("Or with these commands (aws: in that account; shardlift: in the stack's, with --stack NAME):\n");
            for command in &self.commands {
                text.push_str(&format!("  {command}\n"));
            }
        }
        text
    }
}
