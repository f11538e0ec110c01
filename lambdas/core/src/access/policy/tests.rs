//! The documents as a whole: what they must never contain, and that their statements have the names that messages use.

use super::*;
use crate::{
    access::denial::PolicyDocument,
    run::pair::{Pair, Source, Target},
    value::{
        arn::{AccountId, ExternalId, KmsKeyArn, Region, RoleArn},
        bucket::BucketName,
        key::KeyPrefix,
    },
};

fn role(account: &str, name: &str) -> RoleArn {
    RoleArn::new(format!("arn:aws:iam::{account}:role/{name}")).unwrap()
}

fn agreement(extras: Extras) -> Agreement {
    Agreement {
        source_account: AccountId::new("111111111111").unwrap(),
        pair: Pair {
            source: Source {
                bucket: BucketName::new("source").unwrap(),
                prefix: KeyPrefix::new("data/").unwrap(),
            },
            target: Target {
                bucket: BucketName::new("target").unwrap(),
                prefix: KeyPrefix::new("copy/").unwrap(),
                role_arn: role("222222222222", "T"),
                external_id: Some(ExternalId::new("external").unwrap()),
            },
        },
        extras,
    }
}

fn functions() -> [RoleArn; 3] {
    ["planner", "copier", "reporter"].map(|name| role("111111111111", name))
}

fn everything() -> Extras {
    let key = |account: &str, region: &str| {
        Some(KmsKeyArn::new(format!("arn:aws:kms:{region}:{account}:key/1")).unwrap())
    };
    Extras {
        without_tags: false,
        deletes: true,
        source_key: key("111111111111", "eu-west-1"),
        target_key: key("222222222222", "us-east-1"),
        administrators: vec!["arn:aws:iam::222222222222:role/Admin".into()],
    }
}

fn installation() -> Installation {
    Installation {
        stack: "shardlift".into(),
        region: Region::new("eu-west-1").unwrap(),
        ledger_table: "ledger".into(),
        control_bucket: BucketName::new("control").unwrap(),
        topic_arn: "arn:aws:sns:eu-west-1:111111111111:topic".into(),
        further_roles: Vec::new(),
    }
}

fn all_documents(extras: Extras) -> Vec<(PolicyDocument, Document)> {
    let agreement = agreement(extras);
    let mut all = vec![
        (
            PolicyDocument::SourceBucketPolicy,
            source_bucket(&agreement),
        ),
        (
            PolicyDocument::TargetBucketPolicy,
            target_bucket(&agreement),
        ),
        (
            PolicyDocument::TargetRoleTrust,
            target_role_trust(&agreement, &functions()),
        ),
        (
            PolicyDocument::TargetRolePermissions,
            target_role_permissions(&agreement),
        ),
    ];
    for function in Function::ALL {
        let document = execution_role(&agreement, &installation(), function);
        all.push((PolicyDocument::ExecutionRole, document));
    }
    for key in [source_key(&agreement), target_key(&agreement)]
        .into_iter()
        .flatten()
    {
        all.push((PolicyDocument::KeyPolicy, key));
    }
    all
}

#[test]
fn nothing_is_allowed_by_wildcard() {
    for extras in [Extras::default(), everything()] {
        for (document, contents) in all_documents(extras) {
            for statement in &contents.statement {
                if statement.effect == Effect::Deny {
                    continue;
                }
                let sid = statement.sid;
                assert!(
                    statement.action.iter().all(|action| !action.contains('*')),
                    "{document}: {sid}"
                );
                assert!(
                    document == PolicyDocument::KeyPolicy
                        || statement.resource.iter().all(|resource| resource != "*"),
                    "{document}: {sid}"
                );
                assert_ne!(
                    statement.principal,
                    Some(Principal::Everybody),
                    "{document}: {sid}"
                );
            }
        }
    }
}

#[test]
fn every_allowed_action_is_found_by_the_name_that_messages_use() {
    for (document, contents) in all_documents(everything()) {
        for statement in &contents.statement {
            let about_source = statement.resource.iter().any(|resource| {
                resource.contains(":source") || resource.contains("eu-west-1:111111111111:key")
            }) || statement.sid == "ShardliftDecryptSource";
            for action in &statement.action {
                // Of the execution roles, only what concerns the two accounts has a name in messages of its own.
                let expected = document != PolicyDocument::ExecutionRole
                    || *action == "sts:AssumeRole"
                    || about_source;
                if statement.effect == Effect::Allow && expected {
                    assert_eq!(
                        document.sid(action, about_source),
                        Some(statement.sid),
                        "{document}: {action}"
                    );
                }
            }
        }
    }
}

#[test]
fn options_add_and_remove_exactly_their_rights() {
    let plain = format!("{:?}", all_documents(Extras::default()));
    for absent in ["s3:DeleteObject", "kms:", "RefuseEverybodyElse"] {
        assert!(!plain.contains(absent), "{absent}");
    }
    let full = format!("{:?}", all_documents(everything()));
    for present in [
        "s3:DeleteObject",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "RefuseEverybodyElse",
    ] {
        assert!(full.contains(present), "{present}");
    }
    let without_tags = Extras {
        without_tags: true,
        ..Extras::default()
    };
    let untagged = format!("{:?}", all_documents(without_tags));
    assert!(!untagged.contains("Tagging") && !untagged.contains("Annotation"));
}

#[test]
fn only_the_three_functions_enter_and_only_with_the_external_id() {
    let trust = serde_json::to_value(target_role_trust(
        &agreement(Extras::default()),
        &functions(),
    ))
    .unwrap();
    let statement = &trust["Statement"][0];
    assert_eq!(statement["Principal"]["AWS"].as_array().unwrap().len(), 3);
    assert_eq!(
        statement["Condition"]["StringEquals"]["sts:ExternalId"],
        "external"
    );
    assert!(statement.get("Resource").is_none());
}

#[test]
fn a_refused_call_leads_to_the_statement_that_allows_it() {
    let agreement = agreement(everything());
    let found = |document, action: &str, resource: &str| {
        missing::statement(
            &agreement,
            functions()[0].as_str(),
            document,
            action,
            resource,
        )
        .map(|statement| statement.sid)
    };
    assert_eq!(
        found(
            PolicyDocument::TargetRolePermissions,
            "s3:GetObject",
            "arn:aws:s3:::source/data/x"
        ),
        Some("ReadTheSource")
    );
    assert_eq!(
        found(
            PolicyDocument::TargetRolePermissions,
            "s3:GetObject",
            "arn:aws:s3:::target/copy/x"
        ),
        Some("WriteTheTarget")
    );
    assert_eq!(
        found(
            PolicyDocument::TargetRolePermissions,
            "s3:PutObject",
            "arn:aws:s3:::target/elsewhere"
        ),
        None
    );
    assert_eq!(
        found(
            PolicyDocument::ExecutionRole,
            "sts:AssumeRole",
            "arn:aws:iam::222222222222:role/T"
        ),
        Some("EnterTheTargetAccount")
    );
}
