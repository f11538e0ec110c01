//! The statements of functions' own roles about parts of the stack.

use super::{
    agreement::{Agreement, Installation},
    statement::Statement,
};
use crate::{
    run::list::LISTS_FOLDER,
    value::{action::Action, arn::Arn},
};

/// Makes statements about parts of the stack.
pub(super) struct Place<'a> {
    pub(super) agreement: &'a Agreement,
    pub(super) installation: &'a Installation,
}

impl Place<'_> {
    /// The ARN of something in the stack's own account and Region.
    pub(super) fn arn(&self, service: &'static str, resource: &str) -> Arn {
        Arn::regional(
            self.agreement.partition(),
            service,
            &self.installation.region,
            &self.agreement.source_account,
            resource,
        )
    }

    pub(super) fn control_bucket(&self) -> Arn {
        Arn::bucket(
            self.agreement.partition(),
            &self.installation.control_bucket,
        )
    }

    /// A bucket's name says nothing about whose it is: only one of the own account.
    pub(super) fn own(&self, statement: Statement) -> Statement {
        of_source_account(self.agreement, statement)
    }

    /// What `source.list` may name, the data files of inventories included.
    pub(super) fn lists(&self) -> Statement {
        let further = self.installation.list_buckets.iter();
        let further = further.map(|bucket| format!("{bucket}/*"));
        let own = format!("{}/{LISTS_FOLDER}*", self.control_bucket());
        let mut statement = Statement::allow("ReadTheLists", &[Action::GetObject], own);
        statement.resource.extend(further);
        self.own(statement)
    }

    pub(super) fn enter_the_target_accounts(&self) -> Statement {
        let mut statement = enter_the_target_account(self.agreement);
        let further = &self.installation.further_roles;
        statement
            .resource
            .extend(further.iter().map(ToString::to_string));
        statement
    }

    /// The sources of further pairs, in any prefix.
    pub(super) fn list_further_sources(&self) -> Option<Statement> {
        let mut actions = vec![Action::ListBucket];
        if self.agreement.extras.versions {
            actions.extend([Action::ListBucketVersions, Action::GetBucketVersioning]);
        }
        let mut buckets = self
            .installation
            .further_sources
            .iter()
            .map(ToString::to_string);
        let first = Statement::allow("ListFurtherSources", &actions, buckets.next()?);
        Some(self.own(buckets.fold(first, Statement::and_on)))
    }

    pub(super) fn ledger(&self, sid: &'static str, actions: &[Action]) -> Statement {
        let table = format!("table/{}", self.installation.ledger_table);
        Statement::allow(sid, actions, self.arn("dynamodb", &table))
    }

    pub(super) fn write_its_log(&self, function: &str) -> Statement {
        let stack = &self.installation.stack;
        let group = format!("log-group:/aws/lambda/{stack}-{function}:*");
        let actions = [Action::CreateLogStream, Action::PutLogEvents];
        Statement::allow("WriteItsLog", &actions, self.arn("logs", &group))
    }

    /// Execution names are chosen by whoever starts a run: the machine's name is as narrow as it gets.
    pub(super) fn ask_whether_a_lock_is_still_held(&self) -> Statement {
        let executions = format!("execution:{}-sync:*", self.installation.stack);
        Statement::allow(
            "AskWhetherALockIsStillHeld",
            &[Action::DescribeExecution],
            self.arn("states", &executions),
        )
    }

    /// Without it S3 calls a missing document forbidden. IfExists, because such calls carry no prefix.
    pub(super) fn tell_missing_from_forbidden(&self, prefix: &str) -> Statement {
        let list = Statement::allow(
            "TellMissingFromForbidden",
            &[Action::ListBucket],
            self.control_bucket(),
        );
        self.own(list.when("StringLikeIfExists", "s3:prefix", prefix))
    }

    /// Allows an action on these lists of events.
    pub(super) fn event_lists(
        &self,
        sid: &'static str,
        action: Action,
        lists: &[&str],
    ) -> Statement {
        let bucket = self.control_bucket();
        let lists = lists
            .iter()
            .map(|name| format!("{bucket}/{LISTS_FOLDER}events/{name}"));
        self.own(Statement {
            resource: lists.collect(),
            ..Statement::allow(sid, &[action], bucket.to_string())
        })
    }

    /// Allows actions on these documents of every run.
    pub(super) fn documents(
        &self,
        sid: &'static str,
        actions: &[Action],
        documents: &[&str],
    ) -> Statement {
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

/// The same, for records of these partitions alone. `ForAllValues` holds for a request that names no record at all, hence
/// `Null` (docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition_examples-multi-valued-context-keys.html).
/// No id has a `#` or a `*` in it.
pub(super) fn in_partitions(statement: Statement, partitions: &[&str]) -> Statement {
    const LEADING_KEYS: &str = "dynamodb:LeadingKeys";
    let partitions = partitions.iter().map(|&partition| partition.to_owned());
    statement
        .when_any("ForAllValues:StringLike", LEADING_KEYS, partitions)
        .when("Null", LEADING_KEYS, "false")
}

pub(super) fn enter_the_target_account(agreement: &Agreement) -> Statement {
    Statement::allow(
        "EnterTheTargetAccount",
        &[Action::AssumeRole],
        agreement.pair.target.role_arn.as_str(),
    )
}

/// A bucket's name says nothing about whose it is: only one of the source account.
pub(super) fn of_source_account(agreement: &Agreement, statement: Statement) -> Statement {
    statement.when(
        "StringEquals",
        "aws:ResourceAccount",
        agreement.source_account.as_str(),
    )
}
