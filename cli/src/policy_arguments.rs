//! What a person types to print policy documents.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use shardlift_core::value::{
    arn::{AccountId, ExternalId, KmsKeyArn, RoleArn},
    bucket::BucketName,
    key::KeyPrefix,
};

use crate::checked_value::checked;

/// Which policy documents, for which pair.
#[derive(Debug, Args)]
pub(crate) struct PolicyArguments {
    /// {source,target}-{bucket,key}, target-{role,trust}, {planner,copier,renderer,reporter,intake}-role,
    /// reporter-of-events or operator, as plain JSON; all by default.
    #[arg(hide_possible_values = true)]
    pub(crate) document: Option<DocumentName>,
    #[command(flatten)]
    pub(crate) pair: PairArguments,
    /// A role that may assume that role; repeatable.
    #[arg(long = "function-role", value_name = "ARN", value_parser = checked(RoleArn::new))]
    pub(crate) function_roles: Vec<RoleArn>,
    /// Allow deletions, for mode mirror.
    #[arg(long)]
    pub(crate) mirror: bool,
    /// For a role that only audits.
    #[arg(long, conflicts_with_all = ["mirror", "acls"])]
    pub(crate) audits_only: bool,
    /// Allow access control lists, for runs with acl.
    #[arg(long)]
    pub(crate) acls: bool,
    /// Allow versions, for source.as_of and lists.
    #[arg(long, conflicts_with = "audits_only")]
    pub(crate) versions: bool,
    /// Without tags, for runs with tags: ignore.
    #[arg(long)]
    pub(crate) without_tags: bool,
    /// Without annotations, where S3 lacks them.
    #[arg(long)]
    pub(crate) without_annotations: bool,
    /// The KMS key of the source's objects.
    #[arg(long, value_name = "ARN", value_parser = checked(KmsKeyArn::new))]
    pub(crate) source_key: Option<KmsKeyArn>,
    /// The KMS key that encrypts at the target.
    #[arg(long, value_name = "ARN", value_parser = checked(KmsKeyArn::new))]
    pub(crate) target_key: Option<KmsKeyArn>,
    /// Refuse all others at the target; repeatable.
    #[arg(long = "administrator", value_name = "ARN")]
    pub(crate) administrators: Vec<String>,
    /// Put it into the policy in this file.
    #[arg(long, value_name = "FILE", requires = "document")]
    pub(crate) merge: Option<PathBuf>,
    /// All documents as one JSON object.
    #[arg(long, conflicts_with = "document")]
    pub(crate) json: bool,
}

/// The pair, as far as it is not the stack's.
#[derive(Debug, Args)]
pub(crate) struct PairArguments {
    /// The account of the source bucket.
    #[arg(long, value_name = "ID", value_parser = checked(AccountId::new))]
    pub(crate) source_account: Option<AccountId>,
    /// The source bucket.
    #[arg(long, value_name = "NAME", value_parser = checked(BucketName::new))]
    pub(crate) source_bucket: Option<BucketName>,
    /// The source prefix.
    #[arg(long, value_name = "PREFIX", value_parser = checked(KeyPrefix::new))]
    pub(crate) source_prefix: Option<KeyPrefix>,
    /// The target bucket.
    #[arg(long, value_name = "NAME", value_parser = checked(BucketName::new))]
    pub(crate) target_bucket: Option<BucketName>,
    /// The target prefix.
    #[arg(long, value_name = "PREFIX", value_parser = checked(KeyPrefix::new))]
    pub(crate) target_prefix: Option<KeyPrefix>,
    /// The role in the target account.
    #[arg(long, value_name = "ARN", value_parser = checked(RoleArn::new))]
    pub(crate) role_arn: Option<RoleArn>,
    /// The external id that its trust policy asks for.
    #[arg(long, value_name = "ID", value_parser = checked(ExternalId::new))]
    pub(crate) external_id: Option<ExternalId>,
}

/// The documents, in the order in which they are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DocumentName {
    /// What the source bucket's policy must contain.
    SourceBucket,
    /// The target role's permissions.
    TargetRole,
    /// Who may assume the target role.
    TargetTrust,
    /// What the target bucket's policy must contain.
    TargetBucket,
    /// The planner's permissions.
    PlannerRole,
    /// The copier's permissions.
    CopierRole,
    /// The renderer's permissions, for transforms.
    RendererRole,
    /// The reporter's permissions.
    ReporterRole,
    /// What the reporter's role may do in addition, for events.
    ReporterOfEvents,
    /// The intake's permissions, for events.
    IntakeRole,
    /// What an operator may do: start, watch and stop runs, read reports.
    Operator,
    /// What the policy of the source's KMS key must contain.
    SourceKey,
    /// What the policy of the target's KMS key must contain.
    TargetKey,
}
