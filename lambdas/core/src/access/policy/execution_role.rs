use super::{
    agreement::{Agreement, Installation, prefix_pattern},
    statement::{Document, Statement},
};
use crate::{
    run::{list::LISTS_FOLDER, pair::Side},
    value::{action::Action, arn::Arn},
};

/// The three functions, each with a role of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// Plans.
    Planner,
    /// Copies.
    Copier,
    /// Reports.
    Reporter,
}

impl Function {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Planner, Self::Copier, Self::Reporter];

    /// Its name in the stack.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planner => "planner",
            Self::Copier => "copier",
            Self::Reporter => "reporter",
        }
    }
}

/// Source account: the permission policy of a function's own role.
#[must_use]
pub fn execution_role(
    agreement: &Agreement,
    installation: &Installation,
    function: Function,
) -> Document {
    let place = Place {
        agreement,
        installation,
    };
    let mut statements = vec![
        Statement::allow(
            "WriteItsLog",
            &[Action::CreateLogStream, Action::PutLogEvents],
            place.arn(
                "logs",
                &format!(
                    "log-group:/aws/lambda/{}-{}:*",
                    installation.stack,
                    function.name()
                ),
            ),
        ),
        place.enter_the_target_accounts(),
        place.ledger("ReadTheLedger", ledger_reads(function)),
        ledger_writes(place.ledger("WriteTheLedger", &[Action::PutItem]), function),
        place.documents(
            "ReadTheRunsDocuments",
            &[Action::GetObject],
            documents_read(function),
        ),
    ];
    if function == Function::Planner {
        statements.push(place.lists());
    }
    statements.push(place.documents(
        "WriteTheRunsDocuments",
        document_writes(function),
        documents_written(function),
    ));
    // Without it S3 calls a missing document forbidden. IfExists, because such calls carry no prefix.
    statements.push(
        place.own(
            Statement::allow(
                "TellMissingFromForbidden",
                &[Action::ListBucket],
                place.control_bucket(),
            )
            .when("StringLikeIfExists", "s3:prefix", "runs/*"),
        ),
    );
    if function == Function::Planner {
        statements.push(list_the_source(agreement));
        statements.extend(list_the_versions(agreement));
        statements.push(Statement::allow(
            "AskWhetherALockIsStillHeld",
            &[Action::DescribeExecution],
            // Execution names are chosen by whoever starts a run: the machine's name is as narrow as it gets.
            place.arn(
                "states",
                &format!("execution:{}-sync:*", installation.stack),
            ),
        ));
    }
    if function == Function::Reporter {
        // The lock of the target is given back at the end of a run.
        let release = place.ledger("ReleaseTheLock", &[Action::DeleteItem]);
        statements.push(in_partitions(release, &["LOCKS#*"]));
        statements.push(Statement::allow(
            "Notify",
            &[Action::Publish],
            installation.topic_arn.as_str(),
        ));
    }
    Document::of(statements)
}

const fn ledger_reads(function: Function) -> &'static [Action] {
    match function {
        // One shard's record, that of the object whose part it copies, and the run's.
        Function::Copier => &[Action::GetItem],
        Function::Planner | Function::Reporter => &[Action::GetItem, Action::Query],
    }
}

/// The planner writes each kind of record.
fn ledger_writes(statement: Statement, function: Function) -> Statement {
    match function {
        Function::Planner => statement,
        Function::Copier => in_partitions(statement, &["RUN#*#SHARDS#*"]),
        Function::Reporter => in_partitions(statement, &["RUN#*"]),
    }
}

/// The same, for records of these partitions alone. `ForAllValues` holds for a request that names no record at all, hence
/// `Null` (docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition_examples-multi-valued-context-keys.html).
/// No id has a `#` or a `*` in it.
fn in_partitions(statement: Statement, partitions: &[&str]) -> Statement {
    const LEADING_KEYS: &str = "dynamodb:LeadingKeys";
    let partitions = partitions.iter().map(|&partition| partition.to_owned());
    statement
        .when_any("ForAllValues:StringLike", LEADING_KEYS, partitions)
        .when("Null", LEADING_KEYS, "false")
}

/// What a function reads in the folder of a run.
const fn documents_read(function: Function) -> &'static [&'static str] {
    match function {
        // Of the earlier run, for a rerun.
        Function::Planner => &["manifests/*", "failures/*"],
        Function::Copier => &["manifests/*", "failures/*", "notes/*", "receipts/*"],
        Function::Reporter => &[
            "manifests/*",
            "failures/*",
            "notes/*",
            "receipts/*",
            "kept/*",
            "differences/*",
            "preflight.json",
            "proof.json",
            "report.json",
        ],
    }
}

/// What a function writes there.
const fn documents_written(function: Function) -> &'static [&'static str] {
    match function {
        Function::Planner => &[
            "manifests/*",
            "kept/*",
            "differences/*",
            "rounds/*",
            "preflight.json",
        ],
        Function::Copier => &["failures/*", "notes/*", "receipts/*"],
        Function::Reporter => &[
            "failures/*",
            "rounds/*",
            "proof.json",
            "failures.csv",
            "differences.csv",
            "receipts-index/*",
            "receipts/*/counted.jsonl.zst",
            "shards.json",
            "report.html",
            "report.json",
        ],
    }
}

const fn document_writes(function: Function) -> &'static [Action] {
    match function {
        Function::Planner | Function::Copier => &[Action::PutObject],
        // The list of failures may be larger than memory, so it is written in parts.
        Function::Reporter => &[Action::PutObject, Action::AbortMultipartUpload],
    }
}

struct Place<'a> {
    agreement: &'a Agreement,
    installation: &'a Installation,
}

impl Place<'_> {
    /// The ARN of something in the stack's own account and Region.
    fn arn(&self, service: &'static str, resource: &str) -> Arn {
        Arn::regional(
            self.agreement.partition(),
            service,
            &self.installation.region,
            &self.agreement.source_account,
            resource,
        )
    }

    fn control_bucket(&self) -> Arn {
        Arn::bucket(
            self.agreement.partition(),
            &self.installation.control_bucket,
        )
    }

    /// A bucket's name says nothing about whose it is: only one of the own account.
    fn own(&self, statement: Statement) -> Statement {
        of_source_account(self.agreement, statement)
    }

    /// What `source.list` may name, the data files of inventories included.
    fn lists(&self) -> Statement {
        let further = self.installation.list_buckets.iter();
        let further = further.map(|bucket| format!("{bucket}/*"));
        let own = format!("{}/{LISTS_FOLDER}*", self.control_bucket());
        let mut statement = Statement::allow("ReadTheLists", &[Action::GetObject], own);
        statement.resource.extend(further);
        self.own(statement)
    }

    fn enter_the_target_accounts(&self) -> Statement {
        let mut statement = enter_the_target_account(self.agreement);
        let further = &self.installation.further_roles;
        statement
            .resource
            .extend(further.iter().map(ToString::to_string));
        statement
    }

    fn ledger(&self, sid: &'static str, actions: &[Action]) -> Statement {
        let table = format!("table/{}", self.installation.ledger_table);
        Statement::allow(sid, actions, self.arn("dynamodb", &table))
    }

    /// Allows actions on these documents of every run.
    fn documents(&self, sid: &'static str, actions: &[Action], documents: &[&str]) -> Statement {
        let bucket = self.control_bucket();
        let documents = documents
            .iter()
            .map(|name| format!("{bucket}/runs/*/{name}"));
        self.own(Statement {
            resource: documents.collect(),
            ..Statement::allow(sid, actions, bucket.to_string())
        })
    }
}

/// What concerns the two accounts, in the roles of the planner and the reporter.
pub(super) fn shared_statements(agreement: &Agreement) -> Vec<Statement> {
    let mut statements = vec![
        enter_the_target_account(agreement),
        list_the_source(agreement),
    ];
    statements.extend(list_the_versions(agreement));
    statements
}

fn enter_the_target_account(agreement: &Agreement) -> Statement {
    Statement::allow(
        "EnterTheTargetAccount",
        &[Action::AssumeRole],
        agreement.pair.target.role_arn.as_str(),
    )
}

fn list_the_source(agreement: &Agreement) -> Statement {
    // IfExists, because HeadBucket is authorised as s3:ListBucket and carries no prefix.
    let statement = Statement::allow(
        "ListTheSource",
        &[Action::ListBucket],
        agreement.pair.bucket_arn(Side::Source),
    )
    .when(
        "StringLikeIfExists",
        "s3:prefix",
        prefix_pattern(&agreement.pair.source.prefix),
    );
    of_source_account(agreement, statement)
}

/// Where a run may ask for an instant, or a list may name versions.
fn list_the_versions(agreement: &Agreement) -> Option<Statement> {
    // IfExists, because GetBucketVersioning carries no prefix.
    let statement = Statement::allow(
        "ListTheVersionsOfTheSource",
        &[Action::ListBucketVersions, Action::GetBucketVersioning],
        agreement.pair.bucket_arn(Side::Source),
    )
    .when(
        "StringLikeIfExists",
        "s3:prefix",
        prefix_pattern(&agreement.pair.source.prefix),
    );
    let statement = of_source_account(agreement, statement);
    agreement.extras.versions.then_some(statement)
}

/// A bucket's name says nothing about whose it is: only one of the source account.
fn of_source_account(agreement: &Agreement, statement: Statement) -> Statement {
    statement.when(
        "StringEquals",
        "aws:ResourceAccount",
        agreement.source_account.as_str(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        documents::{RunDocument, control_key},
        value::id::{RunId, ShardId},
    };

    /// Whether one of the patterns covers a key, as IAM matches them: a star stands for anything, slashes included.
    fn covers(patterns: &[&str], key: &str) -> bool {
        patterns
            .iter()
            .any(|pattern| match pattern.strip_suffix('*') {
                Some(folder) => key.contains(&format!("/{folder}")),
                None => key.ends_with(&format!("/{pattern}")),
            })
    }

    #[test]
    fn a_copier_writes_the_lists_of_its_shards_and_no_plan_and_no_report() {
        let run = RunId::new("night.1").unwrap();
        let shard = ShardId::new("1-0").unwrap();
        let report =
            |document: RunDocument| control_key::report_document(&run, document.file_name());
        let documents = [
            RunDocument::Preflight,
            RunDocument::Verification,
            RunDocument::FailuresCsv,
            RunDocument::DifferencesCsv,
            RunDocument::ReceiptIndex,
            RunDocument::ShardsJson,
            RunDocument::ReportPage,
            RunDocument::Report,
        ];
        let lists = [
            control_key::failures(&run, &shard, 1),
            control_key::notes(&run, &shard, 1),
            control_key::receipts(&run, &shard, 1),
        ];
        let others = [
            control_key::manifest(&run, &shard),
            control_key::kept(&run, &shard),
            control_key::differences(&run, &shard),
            control_key::index(&run, 1),
            "runs/night.1/map/1/manifest.json".to_owned(),
        ];
        let written = documents_written(Function::Copier);
        for list in &lists {
            assert!(covers(written, list), "{list}");
            assert!(covers(documents_read(Function::Copier), list), "{list}");
        }
        for other in others.into_iter().chain(documents.map(report)) {
            assert!(!covers(written, &other), "{other}");
        }
        for document in documents {
            let writer = match document {
                RunDocument::Preflight => Function::Planner,
                _ => Function::Reporter,
            };
            for function in Function::ALL {
                let writes = covers(documents_written(function), &report(document));
                assert_eq!(writes, function == writer, "{function:?}: {document:?}");
            }
        }
    }
}
