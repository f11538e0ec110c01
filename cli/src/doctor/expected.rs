//! What a stack says about itself, and what follows from it for both accounts.

use shardlift_core::{
    access::policy::{Agreement, Extras},
    value::arn::{KmsKeyArn, RoleArn},
};

use crate::{
    deployment::{Deployment, StackDescription},
    error::CommandError,
    policy_facts::PolicyFacts,
};

/// What is to be found.
pub(super) struct Expected {
    /// The stack's name.
    pub(super) stack: String,
    /// What CloudFormation has about it.
    pub(super) description: StackDescription,
    pub(super) agreement: Agreement,
    /// The roles that may enter.
    pub(super) function_roles: Vec<RoleArn>,
    /// What to type between `shardlift` and the command to reach the same stack again.
    pub(super) flags: String,
}

impl Expected {
    /// Reads the stack.
    ///
    /// # Errors
    /// When it cannot be read: nothing can be checked without it.
    pub(super) async fn of(deployment: &Deployment) -> Result<Self, CommandError> {
        let stack = deployment.stack_name();
        let description = StackDescription::read(&deployment.sdk, &stack).await?;
        let facts = PolicyFacts::of_description(&description)?;
        Ok(Self {
            agreement: facts.agreement(extras(&description)?)?,
            function_roles: facts.function_roles(&[])?,
            stack,
            description,
            flags: deployment.flags.clone(),
        })
    }

    /// The value of a parameter; empty where the stack has none of this name.
    pub(super) fn parameter(&self, name: &str) -> &str {
        self.description.parameter(name).unwrap_or_default()
    }

    /// The flags of `shardlift policy` for the documents that the stack's parameters ask for.
    pub(super) fn policy_flags(&self) -> String {
        let extras = &self.agreement.extras;
        let key = extras.target_key.as_ref();
        let flags = [
            extras.deletes.then(|| "--mirror".to_owned()),
            extras.with_acls.then(|| "--acls".to_owned()),
            extras.versions.then(|| "--versions".to_owned()),
            extras.without_tags.then(|| "--without-tags".to_owned()),
            key.map(|key| format!("--target-key {key}")),
        ];
        flags
            .into_iter()
            .flatten()
            .fold(String::new(), |all, flag| all + " " + &flag)
    }
}

/// What the parameters of a stack let its runs ask for.
fn extras(stack: &StackDescription) -> Result<Extras, CommandError> {
    let is = |name: &str, value: &str| stack.parameter(name) == Some(value);
    let key = stack
        .parameter("RunKmsKeyArn")
        .filter(|key| !key.is_empty());
    let key = key.map(KmsKeyArn::new).transpose();
    Ok(Extras {
        deletes: is("AllowMirror", "true") || is("RunMode", "mirror"),
        versions: is("AllowVersions", "true"),
        with_acls: stack.parameter("RunAcl").is_some_and(|acl| !acl.is_empty()),
        without_tags: is("RunTags", "ignore"),
        target_key: key.map_err(|invalid| CommandError::usage(invalid.to_string()))?,
        ..Extras::default()
    })
}
