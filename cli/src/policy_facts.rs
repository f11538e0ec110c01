//! What the policy documents are made from: the facts of the stack, overridden by the arguments.

use serde::Deserialize;
use shardlift_core::{
    access::policy::{Agreement, Extras, Installation},
    run::pair::{Pair, Source, Target},
    value::{
        arn::{AccountId, Arn, ExternalId, Region, RoleArn, StateMachineArn},
        bucket::BucketName,
        key::KeyPrefix,
    },
};

use crate::{
    arguments::StackArguments,
    deployment::{Deployment, StackDescription, read_local_outputs},
    error::CommandError,
    policy_arguments::PolicyArguments,
};

/// The facts, as far as they are known.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PolicyFacts {
    region: Option<Region>,
    #[serde(rename = "source_account_id")]
    source_account: Option<AccountId>,
    source_bucket: Option<BucketName>,
    source_prefix: Option<KeyPrefix>,
    target_bucket: Option<BucketName>,
    target_prefix: Option<KeyPrefix>,
    #[serde(rename = "target_role_arn")]
    role_arn: Option<RoleArn>,
    external_id: Option<ExternalId>,
    planner_role_arn: Option<RoleArn>,
    copier_role_arn: Option<RoleArn>,
    /// Of a stack with EnableTransforms alone.
    renderer_role_arn: Option<RoleArn>,
    reporter_role_arn: Option<RoleArn>,
    state_machine_arn: Option<StateMachineArn>,
    ledger_table: Option<String>,
    control_bucket: Option<BucketName>,
    topic_arn: Option<Arn>,
    further_source_bucket_arns: Vec<Arn>,
    further_target_role_arns: Vec<RoleArn>,
    list_bucket_arns: Vec<Arn>,
}

impl PolicyFacts {
    /// The facts of the stack that the arguments name, if they name one; else none.
    pub(crate) async fn of_stack(arguments: &StackArguments) -> Result<Self, CommandError> {
        if arguments.local {
            return read_local_outputs(&arguments.local_outputs);
        }
        match &arguments.stack {
            Some(stack) => Self::of_description(&Deployment::describe(arguments, stack).await?),
            None => Ok(Self::default()),
        }
    }

    /// The facts of a stack.
    pub(crate) fn of_description(stack: &StackDescription) -> Result<Self, CommandError> {
        let machine = parse(&stack.output("StateMachineArn")?, StateMachineArn::new)?;
        Ok(Self {
            region: Some(machine.region()),
            source_account: Some(machine.account()),
            source_bucket: checked(stack.parameter("SourceBucketName"), BucketName::new)?,
            source_prefix: checked(stack.parameter("SourcePrefix"), KeyPrefix::new)?,
            target_bucket: checked(stack.parameter("TargetBucketName"), BucketName::new)?,
            target_prefix: checked(stack.parameter("TargetPrefix"), KeyPrefix::new)?,
            role_arn: checked(stack.parameter("TargetAccountRoleArn"), RoleArn::new)?,
            external_id: checked(stack.parameter("TargetExternalId"), ExternalId::new)?,
            planner_role_arn: Some(parse(&stack.output("PlannerRoleArn")?, RoleArn::new)?),
            copier_role_arn: Some(parse(&stack.output("CopierRoleArn")?, RoleArn::new)?),
            renderer_role_arn: checked(
                stack.output("RendererRoleArn").ok().as_deref(),
                RoleArn::new,
            )?,
            reporter_role_arn: Some(parse(&stack.output("ReporterRoleArn")?, RoleArn::new)?),
            ledger_table: Some(stack.output("LedgerTable")?),
            control_bucket: Some(parse(&stack.output("ControlBucketName")?, BucketName::new)?),
            topic_arn: Some(parse(&stack.output("TopicArn")?, Arn::new)?),
            state_machine_arn: Some(machine),
            further_source_bucket_arns: listed(
                stack.parameter("FurtherSourceBucketArns"),
                Arn::new,
            )?,
            further_target_role_arns: listed(
                stack.parameter("FurtherTargetRoleArns"),
                RoleArn::new,
            )?,
            list_bucket_arns: listed(stack.parameter("AllowedListBuckets"), Arn::new)?,
        })
    }

    /// These facts, overridden by the arguments.
    pub(crate) fn overridden_by(self, arguments: &PolicyArguments) -> Self {
        let pair = &arguments.pair;
        Self {
            source_account: pair.source_account.clone().or(self.source_account),
            source_bucket: pair.source_bucket.clone().or(self.source_bucket),
            source_prefix: pair.source_prefix.clone().or(self.source_prefix),
            target_bucket: pair.target_bucket.clone().or(self.target_bucket),
            target_prefix: pair.target_prefix.clone().or(self.target_prefix),
            role_arn: pair.role_arn.clone().or(self.role_arn),
            external_id: pair.external_id.clone().or(self.external_id),
            ..self
        }
    }

    /// What both accounts agree on.
    pub(crate) fn agreement(&self, extras: Extras) -> Result<Agreement, CommandError> {
        Ok(Agreement {
            source_account: known(&self.source_account, "--source-account")?,
            pair: Pair {
                source: Source {
                    bucket: known(&self.source_bucket, "--source-bucket")?,
                    prefix: self.source_prefix.clone().unwrap_or_default(),
                    request_payer: false,
                },
                target: Target {
                    bucket: known(&self.target_bucket, "--target-bucket")?,
                    prefix: self.target_prefix.clone().unwrap_or_default(),
                    role_arn: known(&self.role_arn, "--role-arn")?,
                    external_id: self.external_id.clone(),
                },
            },
            extras,
        })
    }

    /// The roles of the functions that enter the target account: those that the arguments name, or those of the stack.
    pub(crate) fn function_roles(&self, named: &[RoleArn]) -> Result<Vec<RoleArn>, CommandError> {
        if !named.is_empty() {
            return Ok(named.to_vec());
        }
        [
            &self.planner_role_arn,
            &self.copier_role_arn,
            &self.reporter_role_arn,
        ]
        .into_iter()
        .map(|role| {
            known(
                role,
                "--function-role (three of them, or four with transforms)",
            )
        })
        .chain(self.renderer_role_arn.clone().map(Ok))
        .collect()
    }

    /// The parts of the stack that the execution roles are limited to.
    pub(crate) fn installation(&self) -> Result<Installation, CommandError> {
        const NEEDED: &str =
            "--stack or --local: the execution roles are limited to the stack's own parts, so it";
        let machine = known(&self.state_machine_arn, NEEDED)?;
        let name = machine.name();
        Ok(Installation {
            stack: name.strip_suffix("-sync").unwrap_or(name).to_owned(),
            region: known(&self.region, NEEDED)?,
            ledger_table: known(&self.ledger_table, NEEDED)?,
            control_bucket: known(&self.control_bucket, NEEDED)?,
            topic_arn: known(&self.topic_arn, NEEDED)?,
            further_sources: self.further_source_bucket_arns.clone(),
            further_roles: self.further_target_role_arns.clone(),
            list_buckets: self.list_bucket_arns.clone(),
        })
    }
}

fn known<T: Clone>(fact: &Option<T>, flag: &str) -> Result<T, CommandError> {
    fact.clone().ok_or_else(|| {
        CommandError::usage(format!(
            "{flag} is needed, or a stack that knows it (--stack, --local)"
        ))
    })
}

fn parse<T, E: std::fmt::Display>(
    text: &str,
    new: impl FnOnce(String) -> Result<T, E>,
) -> Result<T, CommandError> {
    new(text.to_owned()).map_err(|invalid| CommandError::usage(invalid.to_string()))
}

/// Roles separated by commas.
fn listed<T, E: std::fmt::Display>(
    text: Option<&str>,
    new: impl Fn(String) -> Result<T, E>,
) -> Result<Vec<T>, CommandError> {
    text.unwrap_or_default()
        .split(',')
        .filter(|item| !item.is_empty())
        .map(|item| parse(item, &new))
        .collect()
}

/// An empty parameter means unset.
fn checked<T, E: std::fmt::Display>(
    text: Option<&str>,
    new: impl FnOnce(String) -> Result<T, E>,
) -> Result<Option<T>, CommandError> {
    text.filter(|text| !text.is_empty())
        .map(|text| parse(text, new))
        .transpose()
}
