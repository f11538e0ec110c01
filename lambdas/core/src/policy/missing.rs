//! The statement that a refused call lacked, ready to paste.

use super::{
    Agreement, Document, Statement, execution_role::shared_statements, source_bucket, source_key,
    target_bucket, target_key, target_role_permissions, target_role_trust,
};
use crate::denial::PolicyDocument;

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
