use super::{
    agreement::{Agreement, Installation, prefix_pattern},
    statement::{Document, Statement},
};
use crate::{
    run::pair::Side,
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
        place.keep_the_ledger(function),
        place.own(Statement::allow(
            "KeepTheRunsDocuments",
            control_bucket_actions(function),
            format!("{}/runs/*", place.control_bucket()),
        )),
    ];
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
    if function != Function::Copier {
        statements.push(list_the_source(agreement));
    }
    if function == Function::Planner {
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
        statements.push(Statement::allow(
            "Notify",
            &[Action::Publish],
            installation.topic_arn.as_str(),
        ));
    }
    Document::of(statements)
}

const fn control_bucket_actions(function: Function) -> &'static [Action] {
    match function {
        // A rerun reads the manifests and the lists of failures of its earlier run.
        Function::Planner | Function::Copier => &[Action::GetObject, Action::PutObject],
        // The list of failures may be larger than memory, so it is written in parts.
        Function::Reporter => &[
            Action::GetObject,
            Action::PutObject,
            Action::AbortMultipartUpload,
        ],
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

    fn enter_the_target_accounts(&self) -> Statement {
        let mut statement = enter_the_target_account(self.agreement);
        let further = &self.installation.further_roles;
        statement
            .resource
            .extend(further.iter().map(ToString::to_string));
        statement
    }

    fn keep_the_ledger(&self, function: Function) -> Statement {
        let actions: &[Action] = match function {
            // One shard's record, and the run's to read.
            Function::Copier => &[Action::GetItem, Action::PutItem],
            Function::Planner => &[Action::GetItem, Action::PutItem, Action::Query],
            // DeleteItem gives the lock of the target back.
            Function::Reporter => &[
                Action::GetItem,
                Action::PutItem,
                Action::DeleteItem,
                Action::Query,
            ],
        };
        Statement::allow(
            "KeepTheLedger",
            actions,
            self.arn(
                "dynamodb",
                &format!("table/{}", self.installation.ledger_table),
            ),
        )
    }
}

/// What concerns the two accounts, in the roles of the planner and the reporter.
pub(super) fn shared_statements(agreement: &Agreement) -> Vec<Statement> {
    vec![
        enter_the_target_account(agreement),
        list_the_source(agreement),
    ]
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

/// A bucket's name says nothing about whose it is: only one of the source account.
fn of_source_account(agreement: &Agreement, statement: Statement) -> Statement {
    statement.when(
        "StringEquals",
        "aws:ResourceAccount",
        agreement.source_account.as_str(),
    )
}
