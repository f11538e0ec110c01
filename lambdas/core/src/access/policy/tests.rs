//! The documents as a whole: what they must never contain, and that their statements have the names that messages use.

use std::collections::BTreeSet;

use super::*;
use crate::{
    access::{
        deciders::Deciders,
        denial::MissingGrant,
        document::PolicyDocument,
        grant::{GRANTS, Realm},
    },
    run::pair::{Pair, Side, Source, Target},
    value::{
        action::Action,
        arn::{AccountId, Arn, ExternalId, KmsKeyArn, Region, RoleArn},
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
                request_payer: false,
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
        without_annotations: false,
        with_acls: true,
        audits_only: false,
        deletes: true,
        versions: true,
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
        topic_arn: Arn::new("arn:aws:sns:eu-west-1:111111111111:topic").unwrap(),
        further_sources: Vec::new(),
        further_roles: Vec::new(),
        list_buckets: Vec::new(),
    }
}

#[test]
fn a_role_that_only_audits_lists_the_target_and_nothing_else() {
    let document = target_role_permissions(&agreement(Extras {
        audits_only: true,
        ..everything()
    }));
    let [statement] = &document.statement[..] else {
        panic!("{document:?}")
    };
    assert_eq!(statement.action, [Action::ListBucket]);
    assert_eq!(statement.resource, ["arn:aws:s3:::target"]);
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
    let of_events = reporter_of_events(&agreement, &installation());
    all.push((PolicyDocument::ExecutionRole, of_events));
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
                if statement.effect == PolicyEffect::Deny {
                    continue;
                }
                let sid = statement.sid;
                assert!(
                    statement
                        .action
                        .iter()
                        .all(|action| !action.name().contains('*')),
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

/// `ForAllValues` holds where a request has no such key at all, so what it allows would be allowed to such a request.
#[test]
fn a_condition_on_all_values_asks_that_there_are_any() {
    let mut found = 0;
    for (document, contents) in all_documents(everything()) {
        for statement in &contents.statement {
            let conditions = &statement.condition.0;
            for condition in conditions {
                if condition.operator.starts_with("ForAllValues") {
                    let is_asked = |other: &Condition| {
                        (other.operator, other.key) == ("Null", condition.key)
                            && other.values == ["false"]
                    };
                    let sid = statement.sid;
                    assert!(conditions.iter().any(is_asked), "{document}: {sid}");
                    found += 1;
                }
            }
        }
    }
    assert_eq!(
        found, 6,
        "the writes of copier and renderer, the reporter's, and its lock; what the intake reads and writes"
    );
}

/// Where a statement of the tests' documents allows something.
fn realm_of(statement: &Statement) -> Realm {
    let names = |text: &str| {
        let mut resources = statement.resource.iter();
        resources.any(|resource| resource.contains(text))
    };
    if names(":source")
        || names("eu-west-1:111111111111:key")
        || statement.sid == "ShardliftDecryptSource"
    {
        Realm::Source
    } else if statement.resource.is_empty()
        || names(":target")
        || names(":role/T")
        || names("us-east-1:222222222222:key")
        || statement.sid == "ShardliftEncryptTarget"
    {
        Realm::Target
    } else if statement.sid == "ReadTheLists" {
        Realm::Lists
    } else {
        Realm::Stack
    }
}

#[test]
fn the_table_holds_what_the_documents_allow_and_nothing_else() {
    let mut allowed = BTreeSet::new();
    for (document, contents) in all_documents(everything()) {
        for statement in &contents.statement {
            if statement.effect == PolicyEffect::Allow {
                let realm = realm_of(statement);
                for &action in &statement.action {
                    allowed.insert((document, realm, statement.sid, action));
                }
            }
        }
    }
    let listed = GRANTS.iter().flat_map(|grant| {
        let row = move |&action| (grant.document, grant.realm, grant.sid, action);
        grant.actions.iter().map(row)
    });
    assert_eq!(listed.collect::<BTreeSet<_>>(), allowed);
}

#[test]
fn every_allowed_action_is_found_by_the_name_that_messages_use() {
    for (document, contents) in all_documents(everything()) {
        for statement in &contents.statement {
            for &action in &statement.action {
                if statement.effect == PolicyEffect::Allow {
                    assert_eq!(
                        document.sid(action, realm_of(statement)),
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
    let written = |extras| {
        let documents = all_documents(extras).into_iter();
        // Where events start runs, the reporter deletes their lists in the control bucket, whatever else is allowed.
        let written = documents.map(|(_, mut contents)| {
            contents
                .statement
                .retain(|statement| statement.sid != "RemoveTheEvents");
            contents.to_pretty_json()
        });
        written.collect::<String>()
    };
    let plain = written(Extras::default());
    for absent in [
        "s3:DeleteObject",
        "s3:PutObjectAcl",
        "kms:",
        "RefuseEverybodyElse",
    ] {
        assert!(!plain.contains(absent), "{absent}");
    }
    let full = written(everything());
    for present in [
        "s3:DeleteObject",
        "s3:PutObjectAcl",
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
    let untagged = written(without_tags);
    assert!(!untagged.contains("Tagging") && !untagged.contains("Annotation"));
    let without_annotations = Extras {
        without_annotations: true,
        ..Extras::default()
    };
    let known = written(without_annotations);
    assert!(known.contains("Tagging") && !known.contains("Annotation"));
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
    let roles = functions().map(|role| role.arn().clone());
    let found = |document, action: Action, side, resource: &str| {
        let missing = MissingGrant {
            actions: vec![action.into()],
            resource: Arn::new(resource).unwrap(),
            deciders: Deciders::One(document),
            side: Some(side),
            advice: None,
        };
        missing::statement(&agreement, &roles, document, &missing).map(|statement| statement.sid)
    };
    let role = PolicyDocument::TargetRolePermissions;
    for (document, action, side, resource, sid) in [
        (
            role,
            Action::GetObject,
            Side::Source,
            "arn:aws:s3:::source/data/x",
            Some("ReadTheSource"),
        ),
        (
            role,
            Action::GetObject,
            Side::Target,
            "arn:aws:s3:::target/copy/x",
            Some("WriteTheTarget"),
        ),
        (
            role,
            Action::PutObject,
            Side::Target,
            "arn:aws:s3:::target/elsewhere",
            None,
        ),
        (
            PolicyDocument::ExecutionRole,
            Action::AssumeRole,
            Side::Target,
            "arn:aws:iam::222222222222:role/T",
            Some("EnterTheTargetAccount"),
        ),
        // Whose a key is, the agreement knows better than the call that read at the source.
        (
            PolicyDocument::KeyPolicy,
            Action::Decrypt,
            Side::Source,
            "arn:aws:kms:us-east-1:222222222222:key/1",
            Some("ShardliftEncryptTarget"),
        ),
        (
            PolicyDocument::KeyPolicy,
            Action::Decrypt,
            Side::Source,
            "arn:aws:kms:us-east-1:333333333333:key/1",
            Some("ShardliftDecryptSource"),
        ),
    ] {
        assert_eq!(
            found(document, action, side, resource),
            sid,
            "{action} on {resource}"
        );
    }
}
