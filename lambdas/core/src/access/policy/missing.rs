//! The statement that a refused call lacked, ready to paste.

use super::{
    Agreement, Document, Statement, execution_role::shared_statements, source_bucket, source_key,
    target_bucket, target_key, target_role_permissions, target_role_trust,
};
use crate::{access::denial::PolicyDocument, value::arn::KmsKeyArn};

/// The statement of `document` that allows `action` on `resource`; nothing when the document is not meant to allow it.
///
/// `caller` is the ARN of the function's own role. Of the execution roles only what concerns the two accounts is told: the rest is
/// the stack's own, and stands in its template.
#[must_use]
pub fn statement(
    agreement: &Agreement,
    caller: &str,
    document: PolicyDocument,
    action: &str,
    resource: &str,
) -> Option<Statement> {
    let agreement = &about_one_key(agreement, action, resource);
    let contents = match document {
        PolicyDocument::SourceBucketPolicy => source_bucket(agreement),
        PolicyDocument::ExecutionRole => Document::of(shared_statements(agreement)),
        PolicyDocument::TargetRolePermissions => target_role_permissions(agreement),
        PolicyDocument::TargetRoleTrust => target_role_trust(agreement, &[caller]),
        PolicyDocument::TargetBucketPolicy => target_bucket(agreement),
        PolicyDocument::KeyPolicy => {
            let mut both = Document::of(Vec::new());
            for key in [source_key(agreement), target_key(agreement)]
                .into_iter()
                .flatten()
            {
                both.statement.extend(key.statement);
            }
            both
        }
    };
    contents
        .statement
        .into_iter()
        .find(|statement| allows(statement, action, resource))
}

/// The agreement with no other key than the one that was refused, if it was a key at all: documents name keys, and a key's own
/// policy says only "this key". It is the target's when the run names it, when the call can only be a write, or when it
/// belongs to the target's account alone.
fn about_one_key(agreement: &Agreement, action: &str, resource: &str) -> Agreement {
    let mut agreement = agreement.clone();
    let Ok(key) = KmsKeyArn::new(resource) else {
        (agreement.extras.source_key, agreement.extras.target_key) = (None, None);
        return agreement;
    };
    let owner = key.account();
    let is_target = agreement.extras.target_key.as_ref() == Some(&key)
        || action == "kms:GenerateDataKey"
        || (owner == agreement.target_account() && owner != agreement.source_account);
    let extras = &mut agreement.extras;
    (extras.source_key, extras.target_key) = if is_target {
        (None, Some(key))
    } else {
        (Some(key), None)
    };
    agreement
}

fn allows(statement: &Statement, action: &str, resource: &str) -> bool {
    statement.effect == super::Effect::Allow
        && statement.action.contains(&action)
        && (statement.resource.is_empty()
            || statement
                .resource
                .iter()
                .any(|pattern| covers(pattern, resource)))
}

/// Whether a resource lies under a pattern of ours, whose only wildcard is the last character.
fn covers(pattern: &str, resource: &str) -> bool {
    let plain = pattern
        .replace("${*}", "*")
        .replace("${?}", "?")
        .replace("${$}", "$");
    match plain.strip_suffix('*') {
        Some(beginning) => resource.starts_with(beginning),
        None => plain == resource,
    }
}
