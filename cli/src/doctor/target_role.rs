//! The role in the target account: who may enter it, and what it may do.

use aws_sdk_iam::Client;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use shardlift_core::access::policy;

use super::{
    documents::missing,
    expected::Expected,
    finding::{DoctorFinding, Level},
};
use crate::error::CommandError;

pub(super) async fn check(sdk: &aws_config::SdkConfig, expected: &Expected) -> Vec<DoctorFinding> {
    const CHECK: &str = "target role";
    let client = Client::new(sdk);
    let arn = expected.agreement.pair.target.role_arn.as_str();
    let name = arn.rsplit('/').next().unwrap_or_default();
    let role = match client.get_role().role_name(name).send().await {
        Ok(found) => found.role,
        Err(error)
            if error.as_service_error().is_some_and(
                aws_sdk_iam::operation::get_role::GetRoleError::is_no_such_entity_exception,
            ) =>
        {
            let why = "No function can enter the target account. Deploy the target account's stack; the command:";
            let finding =
                DoctorFinding::new(Level::Problem, CHECK, format!("there is no {arn}"), why);
            return vec![finding.fixed_by([deploy_target(expected)])];
        }
        Err(error) => {
            return vec![DoctorFinding::failed_call(CHECK, "iam:GetRole", &error)];
        }
    };
    let Some(role) = role else {
        return Vec::new();
    };
    if role.arn() != arn {
        let why = "The profile belongs to another account than the stack's parameter TargetAccountRoleArn.";
        let what = format!("this account has {}, but runs assume {arn}", role.arn());
        return vec![DoctorFinding::new(Level::Problem, CHECK, what, why)];
    }
    let trust = role.assume_role_policy_document().unwrap_or_default();
    let permissions = match permissions(&client, name).await {
        Ok(there) => judged_permissions(expected, &there),
        Err(error) => DoctorFinding::unknown("target role's permissions", &error),
    };
    vec![judged_trust(expected, &decoded(trust)), permissions]
}

/// The command that the stack prints for the owner of the target account.
fn deploy_target(expected: &Expected) -> String {
    let command = expected.description.output("TargetAccountCommand");
    command.unwrap_or_else(|_| format!("shardlift {}policy target-role", expected.flags))
}

/// IAM shows its documents URL-encoded (docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html).
fn decoded(document: &str) -> Value {
    let text = percent_decode_str(document).decode_utf8_lossy();
    serde_json::from_str(&text).unwrap_or_default()
}

fn judged_trust(expected: &Expected, there: &Value) -> DoctorFinding {
    const CHECK: &str = "target role's trust";
    let ours = policy::target_role_trust(&expected.agreement, &expected.function_roles);
    if missing(&ours, std::slice::from_ref(there)).is_empty() {
        return DoctorFinding::fine(CHECK, "lets the stack's functions enter");
    }
    let why = "RoleUnavailable, unless another statement lets them in. If a role of the source account was deleted and created \
               again, the trust still names the old one. Deploy the target account's stack with the outputs of the stack, or set it:";
    let name = expected.agreement.pair.target.role_arn.as_str();
    let name = name.rsplit('/').next().unwrap_or_default();
    DoctorFinding::new(
        Level::Problem,
        CHECK,
        "does not let the functions enter as the stack expects",
        format!("Runs end with {why}"),
    )
    .fixed_by([
        format!("shardlift {}policy target-trust >trust.json", expected.flags),
        format!("aws iam update-assume-role-policy --role-name {name} --policy-document file://trust.json"),
    ])
}

fn judged_permissions(expected: &Expected, there: &[Value]) -> DoctorFinding {
    const CHECK: &str = "target role's permissions";
    let absent = missing(&policy::target_role_permissions(&expected.agreement), there);
    if absent.is_empty() {
        return DoctorFinding::fine(CHECK, "allow what the stack's runs may ask for");
    }
    let mut plain = expected.agreement.clone();
    plain.extras.without_annotations = true;
    if missing(&policy::target_role_permissions(&plain), there).is_empty() {
        return DoctorFinding::fine(
            CHECK,
            "allow what the stack's runs may ask for, but no annotations",
        );
    }
    let name = expected.agreement.pair.target.role_arn.as_str();
    let name = name.rsplit('/').next().unwrap_or_default();
    let why = "Unless another statement allows the same, runs that need it end with AccessDenied. The stack's parameters let \
               runs ask for it: deploy the target account's stack to match (AllowMirrorDeletes, AllowVersions, AllowAcls, \
               TargetKmsKeyArn), or set it:";
    DoctorFinding::new(Level::Problem, CHECK, format!("lack {}", absent.join(", ")), why).fixed_by([
        format!(
            "shardlift {}policy target-role{} >role.json",
            expected.flags,
            expected.policy_flags()
        ),
        format!("aws iam put-role-policy --role-name {name} --policy-name shardlift --policy-document file://role.json"),
    ])
}

/// Every policy of the role, its own ones and the attached ones.
async fn permissions(client: &Client, role: &str) -> Result<Vec<Value>, CommandError> {
    let mut documents = Vec::new();
    let mut own = client
        .list_role_policies()
        .role_name(role)
        .into_paginator()
        .items()
        .send();
    while let Some(name) = own.next().await {
        let name = name.map_err(|error| CommandError::call("iam:ListRolePolicies", &error))?;
        let found = client
            .get_role_policy()
            .role_name(role)
            .policy_name(name)
            .send()
            .await;
        let found = found.map_err(|error| CommandError::call("iam:GetRolePolicy", &error))?;
        documents.push(decoded(found.policy_document()));
    }
    let mut attached = client
        .list_attached_role_policies()
        .role_name(role)
        .into_paginator()
        .items()
        .send();
    while let Some(one) = attached.next().await {
        let one =
            one.map_err(|error| CommandError::call("iam:ListAttachedRolePolicies", &error))?;
        let arn = one.policy_arn().unwrap_or_default();
        let policy = client.get_policy().policy_arn(arn).send().await;
        let policy = policy.map_err(|error| CommandError::call("iam:GetPolicy", &error))?;
        let version = policy
            .policy()
            .and_then(|policy| policy.default_version_id());
        let found = client
            .get_policy_version()
            .policy_arn(arn)
            .version_id(version.unwrap_or_default())
            .send()
            .await;
        let found = found.map_err(|error| CommandError::call("iam:GetPolicyVersion", &error))?;
        let document = found
            .policy_version()
            .and_then(|version| version.document());
        documents.push(decoded(document.unwrap_or_default()));
    }
    Ok(documents)
}
