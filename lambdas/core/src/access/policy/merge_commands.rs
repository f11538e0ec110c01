//! The commands that put our statements into a policy.

use super::agreement::Agreement;
use crate::{
    access::document::PolicyDocument,
    run::pair::Side,
    value::arn::{Arn, KmsKeyArn},
};

/// The name of the target role's inline policy in `infra/target-account.yaml`.
const INLINE_POLICY: &str = "copy";

/// The commands that put all that `document` must contain where it belongs, to be run with credentials of its account.
/// `resource` is what a call was refused on, which a key's policy is about. None for a function's role: the stack deploys it.
#[must_use]
pub fn merge_commands(
    document: PolicyDocument,
    agreement: &Agreement,
    resource: &Arn,
) -> Vec<String> {
    let role = agreement.pair.target.role_arn.arn();
    let role_name = role.resource().rsplit('/').next().unwrap_or_default();
    let bucket = |side| agreement.pair.bucket(side).as_str();
    let options = options(agreement, resource);
    match document {
        PolicyDocument::SourceBucketPolicy => {
            bucket_commands(bucket(Side::Source), &format!("source-bucket{options}"))
        }
        PolicyDocument::TargetBucketPolicy => {
            bucket_commands(bucket(Side::Target), &format!("target-bucket{options}"))
        }
        PolicyDocument::TargetRolePermissions => merged(
            &format!(
                "aws iam get-role-policy --role-name {role_name} --policy-name {INLINE_POLICY} --query PolicyDocument"
            ),
            &format!("target-role{options}"),
            &format!(
                "aws iam put-role-policy --role-name {role_name} --policy-name {INLINE_POLICY} --policy-document"
            ),
        ),
        PolicyDocument::TargetRoleTrust => merged(
            &format!(
                "aws iam get-role --role-name {role_name} --query Role.AssumeRolePolicyDocument"
            ),
            "target-trust",
            &format!("aws iam update-assume-role-policy --role-name {role_name} --policy-document"),
        ),
        PolicyDocument::KeyPolicy => key_commands(agreement, resource),
        PolicyDocument::ExecutionRole => Vec::new(),
    }
}

/// The options of `shardlift policy` that make it print what this agreement needs, and the key that refused.
fn options(agreement: &Agreement, resource: &Arn) -> String {
    let extras = &agreement.extras;
    let flags = [
        (extras.deletes, " --mirror"),
        (extras.with_acls, " --acls"),
        (extras.without_tags, " --without-tags"),
        (extras.without_annotations, " --without-annotations"),
    ];
    let mut options: String = flags
        .into_iter()
        .filter_map(|(is_set, flag)| is_set.then_some(flag))
        .collect();
    let target_key = extras.target_key.as_ref().map(KmsKeyArn::as_str);
    if let Some(key) = target_key {
        options.push_str(&format!(" --target-key {key}"));
    }
    if resource.service() == "kms" && target_key != Some(resource.as_str()) {
        let side = side_of(agreement, resource);
        options.push_str(&format!(" --{side}-key {resource}"));
    }
    options
}

/// Whose a key is that is not the run's own.
fn side_of(agreement: &Agreement, key: &Arn) -> &'static str {
    if key.account() == Some(agreement.target_account()) {
        "target"
    } else {
        "source"
    }
}

/// What is there is read, ours is put into it, and the whole is written.
fn merged(read: &str, document: &str, write: &str) -> Vec<String> {
    vec![
        format!("{read} > old.json"),
        format!("shardlift policy {document} --merge old.json > new.json"),
        format!("{write} file://new.json"),
    ]
}

/// A bucket without a policy leaves an empty file, which `--merge` takes for no policy.
fn bucket_commands(bucket: &str, document: &str) -> Vec<String> {
    merged(
        &format!("aws s3api get-bucket-policy --bucket {bucket} --query Policy --output text"),
        document,
        &format!("aws s3api put-bucket-policy --bucket {bucket} --policy"),
    )
}

fn key_commands(agreement: &Agreement, key: &Arn) -> Vec<String> {
    // A refusal that names no key names an object instead.
    if key.service() != "kms" {
        return Vec::new();
    }
    let is_of_run = agreement.extras.target_key.as_ref().map(KmsKeyArn::arn) == Some(key);
    let side = if is_of_run {
        "target"
    } else {
        side_of(agreement, key)
    };
    let policy = format!("--key-id {key} --policy-name default");
    merged(
        &format!("aws kms get-key-policy {policy} --query Policy --output text"),
        &format!("{side}-key --{side}-key {key}"),
        &format!("aws kms put-key-policy {policy} --policy"),
    )
}
