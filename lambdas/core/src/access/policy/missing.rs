//! The statement that a refused call lacked, ready to paste.

use super::{
    agreement::Agreement,
    execution_role::shared_statements,
    key_policy::{source_key, target_key},
    source_bucket::source_bucket,
    statement::{Document, Statement},
    target_bucket::target_bucket,
    target_role::{target_role_permissions, target_role_trust},
};
use crate::{
    access::{denial::MissingGrant, document::PolicyDocument},
    run::pair::Side,
    value::{
        action::Action,
        arn::{Arn, KmsKeyArn},
    },
};

/// The statement of `document` that allows what is missing; nothing when the document is not meant to allow it, or where
/// the side is not known.
///
/// `functions` are the ARNs of the roles of all functions: a trust policy that names some of them locks the others out. Of
/// the execution roles only what concerns the two accounts is looked up: the rest is the stack's own, and stands in its
/// template.
#[must_use]
pub fn statement(
    agreement: &Agreement,
    functions: &[Arn],
    document: PolicyDocument,
    missing: &MissingGrant,
) -> Option<Statement> {
    let action = missing.action().known()?;
    let (agreement, side) = match KmsKeyArn::new(missing.resource.as_str()) {
        Ok(key) => {
            let side = side_of_key(agreement, action, &key);
            (with_one_key(agreement, Some((side, key))), side)
        }
        Err(_) => (with_one_key(agreement, None), missing.side?),
    };
    let sid = document.sid(action, side.into())?;
    contents(document, &agreement, functions)
        .statement
        .into_iter()
        .find(|statement| statement.sid == sid && is_about(statement, &missing.resource))
}

/// All that `document` must contain for this agreement.
#[must_use]
pub fn contents(document: PolicyDocument, agreement: &Agreement, functions: &[Arn]) -> Document {
    match document {
        PolicyDocument::SourceBucketPolicy => source_bucket(agreement),
        PolicyDocument::ExecutionRole => Document::of(shared_statements(agreement)),
        PolicyDocument::TargetRolePermissions => target_role_permissions(agreement),
        PolicyDocument::TargetRoleTrust => target_role_trust(agreement, functions),
        PolicyDocument::TargetBucketPolicy => target_bucket(agreement),
        PolicyDocument::KeyPolicy => {
            let keys = [source_key(agreement), target_key(agreement)];
            let statements = keys.into_iter().flatten().flat_map(|key| key.statement);
            Document::of(statements.collect())
        }
    }
}

/// Whose a key is that AWS names. It is the target's when the run names it, when the call can only be a write, or when it
/// belongs to the target's account alone.
fn side_of_key(agreement: &Agreement, action: Action, key: &KmsKeyArn) -> Side {
    let owner = key.account();
    let is_target = agreement.extras.target_key.as_ref() == Some(key)
        || action == Action::GenerateDataKey
        || (owner == agreement.target_account() && owner != agreement.source_account);
    if is_target {
        Side::Target
    } else {
        Side::Source
    }
}

/// The agreement with no other key than the one that was refused, if it was a key at all: documents name keys, and a
/// key's own policy says only "this key".
fn with_one_key(agreement: &Agreement, key: Option<(Side, KmsKeyArn)>) -> Agreement {
    let mut agreement = agreement.clone();
    let extras = &mut agreement.extras;
    (extras.source_key, extras.target_key) = match key {
        Some((Side::Source, key)) => (Some(key), None),
        Some((Side::Target, key)) => (None, Some(key)),
        None => (None, None),
    };
    agreement
}

fn is_about(statement: &Statement, resource: &Arn) -> bool {
    let resources = &statement.resource;
    resources.is_empty() || resources.iter().any(|pattern| covers(pattern, resource))
}

/// Whether a resource lies under a pattern of ours, whose only wildcard is the last character.
fn covers(pattern: &str, resource: &Arn) -> bool {
    let resource = resource.as_str();
    let plain = pattern
        .replace("${*}", "*")
        .replace("${?}", "?")
        .replace("${$}", "$");
    match plain.strip_suffix('*') {
        Some(beginning) => resource.starts_with(beginning),
        None => plain == resource,
    }
}
