use super::*;
use crate::{
    access::policy::Extras,
    failure::{
        fault::FaultKind,
        refusal::{RefusalReason, RefusingPolicy},
    },
    run::pair::{Pair, Side, Source, Target},
    value::{
        action::Action,
        arn::{AccountId, RoleArn},
        bucket::BucketName,
        key::KeyPrefix,
    },
};

fn agreement() -> Agreement {
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
                role_arn: RoleArn::new("arn:aws:iam::222222222222:role/T").unwrap(),
                external_id: None,
            },
        },
        extras: Extras::default(),
    }
}

const OBJECT: &str = "arn:aws:s3:::source/data/x";

fn arn(text: &str) -> Arn {
    Arn::new(text).unwrap()
}

fn read_refused() -> Preflight {
    refused(None, Check::ReadSource, &at_source(OBJECT))
}

fn at_source(resource: &str) -> Denial {
    let pair = agreement().pair;
    Denial::of_target_role(&pair, Side::Source, &[Action::GetObject], arn(resource))
}

fn refused(reason: Option<RefusalReason>, check: Check, denial: &Denial) -> Preflight {
    let mut table = Preflight::default();
    let fault = CallFault {
        reason,
        ..CallFault::new("s3:HeadObject", FaultKind::AccessDenied, "403")
    };
    let refusal = Refusal::new(denial, &fault, Some(&agreement()), &functions());
    table.refused(check, refusal);
    let table = table.completed("the source could not be read");
    table.with_fixes(&agreement(), &functions())
}

fn functions() -> [Arn; 3] {
    ["planner", "copier", "reporter"]
        .map(|name| arn(&format!("arn:aws:iam::111111111111:role/{name}")))
}

#[test]
fn a_refusal_carries_each_missing_statement_ready_to_paste() {
    let table = read_refused();
    let (_, refusal) = table.refusals().next().unwrap();
    let sids: Vec<&str> = refusal
        .missing
        .iter()
        .map(|missing| missing.sid.as_str())
        .collect();
    assert_eq!(sids, ["ReadTheSource", "ShardliftReadSource"]);
    assert_eq!(
        refusal.missing[1].statement["Principal"]["AWS"],
        "arn:aws:iam::222222222222:role/T"
    );
    let failure = table.failure(&RunId::new("r").unwrap()).unwrap();
    assert_eq!(failure.code, FailureCode::AccessDenied);
    for named in [
        "s3:GetObject",
        "\n      \"Sid\": \"ShardliftReadSource\"",
        "runs/r/preflight.json",
    ] {
        assert!(
            failure.detail.contains(named),
            "{named}: {}",
            failure.detail
        );
    }
}

#[test]
fn a_key_that_the_stack_does_not_know_is_named_as_aws_names_it() {
    let key = "arn:aws:kms:eu-west-1:111111111111:key/1";
    let reason = RefusalReason {
        action: Action::Decrypt.into(),
        resource: Some(arn(key)),
        by: RefusingPolicy::OfTheCaller,
        is_explicit: false,
    };
    let table = refused(Some(reason), Check::CopyPart, &at_source(OBJECT));
    let (_, refusal) = table.refusals().next().unwrap();
    assert_eq!(refusal.missing.len(), 1);
    assert_eq!(refusal.missing[0].sid, "DecryptTheSource");
    assert_eq!(refusal.missing[0].statement["Resource"], key);
}

#[test]
fn a_key_that_aws_does_not_name_is_explained_too() {
    let reason = RefusalReason {
        action: Action::Decrypt.into(),
        resource: None,
        by: RefusingPolicy::OfTheResource,
        is_explicit: false,
    };
    let table = refused(Some(reason), Check::CopyPart, &at_source(OBJECT));
    let failure = table.failure(&RunId::new("r").unwrap()).unwrap();
    for named in [
        "the KMS key's policy (statement ShardliftDecryptSource for the source's key, ShardliftEncryptTarget for the target's)",
        "--source-key",
    ] {
        assert!(failure.detail.contains(named), "{}", failure.detail);
    }
}

#[test]
fn a_table_has_every_check_once_and_in_order() {
    let table = read_refused();
    let checks: Vec<Check> = table.rows.iter().map(|row| row.check).collect();
    assert_eq!(checks, Check::ALL);
    let stored = serde_json::to_string(&table).unwrap();
    assert_eq!(serde_json::from_str::<Preflight>(&stored).unwrap(), table);
}

#[test]
fn a_table_without_refusals_ends_nothing() {
    let mut table = Preflight::default();
    table.works(Check::FindSource);
    assert_eq!(table.failure(&RunId::new("r").unwrap()), None);
}

#[test]
fn a_role_that_cannot_be_entered_has_its_own_code() {
    let denial = Denial::of_entry("arn:aws:iam::111111111111:role/planner", &agreement().pair);
    let table = refused(None, Check::EnterTargetAccount, &denial);
    let failure = table.failure(&RunId::new("r").unwrap()).unwrap();
    assert_eq!(failure.code, FailureCode::RoleUnavailable);
}

#[test]
fn a_hostile_key_stays_on_its_line() {
    let denial = at_source("arn:aws:s3:::source/data/\u{1b}[2J\n");
    let table = refused(None, Check::ReadSource, &denial);
    let failure = table.failure(&RunId::new("r").unwrap()).unwrap();
    assert!(!failure.detail.contains('\u{1b}'), "{:?}", failure.detail);
    let on = "\n  on:   arn:aws:s3:::source/data/\\u{1b}[2J\\n\n";
    assert!(failure.detail.contains(on), "{:?}", failure.detail);
}

#[test]
fn beside_the_stacks_own_target_no_statement_is_offered() {
    let fault = CallFault::new("s3:ListObjectsV2", FaultKind::AccessDenied, "403");
    let denial = Denial::of_listing_target(&agreement().pair);
    let offered = Refusal::new(&denial, &fault, Some(&agreement()), &functions());
    assert!(!offered.missing.is_empty());
    let refusal = Refusal::new(&denial, &fault, None, &functions());
    assert!(refusal.missing.is_empty(), "{:?}", refusal.missing);
    let mut table = Preflight::default();
    table.refused(Check::ListTarget, refusal);
    let table = table.with_fixes(&agreement(), &functions());
    let detail = table.failure(&RunId::new("r").unwrap()).unwrap().detail;
    assert!(detail.contains("no statement is offered"), "{detail}");
    assert!(!detail.contains("Effect"), "{detail}");
}

#[test]
fn a_trust_that_is_pasted_lets_every_function_in() {
    let planner = functions()[0].to_string();
    let denial = Denial::of_entry(planner, &agreement().pair);
    let reason = RefusalReason {
        action: Action::AssumeRole.into(),
        resource: None,
        by: RefusingPolicy::OfTheResource,
        is_explicit: false,
    };
    let table = refused(Some(reason), Check::EnterTargetAccount, &denial);
    let [fix] = &table.fixes[..] else {
        panic!("{:?}", table.fixes)
    };
    assert_eq!(fix.document, PolicyDocument::TargetRoleTrust);
    let named = functions().map(|role| role.to_string());
    assert_eq!(
        fix.statements[0]["Principal"]["AWS"],
        serde_json::json!(named)
    );
}

#[test]
fn what_was_not_checked_behind_a_refusal_is_in_the_same_fix() {
    let reason = RefusalReason {
        action: Action::GetObject.into(),
        resource: None,
        by: RefusingPolicy::OfTheResource,
        is_explicit: false,
    };
    let sids = |table: &Preflight| -> Vec<String> {
        let [fix] = &table.fixes[..] else {
            panic!("{:?}", table.fixes)
        };
        let sids = fix.statements.iter().map(|it| it["Sid"].as_str());
        sids.map(|sid| sid.unwrap().to_owned()).collect()
    };
    let table = refused(Some(reason), Check::ReadSource, &at_source(OBJECT));
    assert_eq!(sids(&table), ["ShardliftReadSource", "ShardliftListSource"]);
    // What is known to work is left as it is.
    let mut listed = table;
    listed
        .rows
        .retain(|row| row.check != Check::TellMissingSource);
    listed.works(Check::TellMissingSource);
    let listed = listed.with_fixes(&agreement(), &functions());
    assert_eq!(sids(&listed), ["ShardliftReadSource"]);
}

#[test]
fn an_explicit_refusal_is_no_missing_statement() {
    let reason = RefusalReason {
        action: Action::GetObject.into(),
        resource: None,
        by: RefusingPolicy::OfTheResource,
        is_explicit: true,
    };
    let table = refused(Some(reason), Check::ReadSource, &at_source(OBJECT));
    assert_eq!(table.fixes, []);
    let detail = table.failure(&RunId::new("r").unwrap()).unwrap().detail;
    assert!(
        detail.contains("why:  a Deny statement of the source bucket's policy refuses it"),
        "{detail}"
    );
    assert!(!detail.contains("\"Effect\""), "{detail}");
}
