use super::{
    agreement::{Agreement, Installation, prefix_pattern},
    event_roles::intake_role,
    place::{Place, enter_the_target_account, in_partitions, of_source_account},
    statement::{Document, Statement},
};
use crate::{run::pair::Side, value::action::Action};

/// The functions, each with a role of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// Plans.
    Planner,
    /// Copies.
    Copier,
    /// Renders images, where the stack does.
    Renderer,
    /// Reports.
    Reporter,
    /// Starts runs from events, where the stack does.
    Intake,
}

impl Function {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Planner,
        Self::Copier,
        Self::Renderer,
        Self::Reporter,
        Self::Intake,
    ];

    /// Its name in the stack.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planner => "planner",
            Self::Copier => "copier",
            Self::Renderer => "renderer",
            Self::Reporter => "reporter",
            Self::Intake => "intake",
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
    if function == Function::Intake {
        return intake_role(&place);
    }
    let mut statements = vec![
        place.write_its_log(function.name()),
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
    statements.push(place.tell_missing_from_forbidden("runs/*"));
    if function == Function::Planner {
        statements.push(list_the_source(agreement));
        statements.extend(list_the_versions(agreement));
        statements.extend(place.list_further_sources());
        statements.push(place.ask_whether_a_lock_is_still_held());
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
        Function::Copier | Function::Renderer => &[Action::GetItem],
        Function::Planner | Function::Reporter | Function::Intake => {
            &[Action::GetItem, Action::Query]
        }
    }
}

/// The planner writes each kind of record.
fn ledger_writes(statement: Statement, function: Function) -> Statement {
    match function {
        Function::Planner => statement,
        Function::Copier | Function::Renderer => in_partitions(statement, &["RUN#*#SHARDS#*"]),
        Function::Reporter | Function::Intake => in_partitions(statement, &["RUN#*"]),
    }
}

/// What a function reads in the folder of a run.
const fn documents_read(function: Function) -> &'static [&'static str] {
    match function {
        Function::Intake => &[],
        // Of the earlier run, for a rerun; of any run, where a list is its receipts.
        Function::Planner => &[
            "manifests/*",
            "failures/*",
            "receipts-index/*",
            "receipts/*",
            "kept/*",
        ],
        Function::Copier | Function::Renderer => {
            &["manifests/*", "failures/*", "notes/*", "receipts/*"]
        }
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
        Function::Intake => &[],
        Function::Copier | Function::Renderer => &["failures/*", "notes/*", "receipts/*"],
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
        Function::Planner | Function::Copier | Function::Renderer | Function::Intake => {
            &[Action::PutObject]
        }
        // The list of failures may be larger than memory, so it is written in parts.
        Function::Reporter => &[Action::PutObject, Action::AbortMultipartUpload],
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
