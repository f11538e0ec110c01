//! What is checked before a run is opened, and what it leaves behind: nothing but its table.

use crate::world::{SOURCE_ACCOUNT, TARGET, World, run_id};
use serde_json::json;
use shardlift_core::{
    access::preflight::{Check, CheckResult, PREFLIGHT_DOCUMENT, Preflight},
    documents::control_key,
    failure::{
        fault::FaultKind,
        refusal::{RefusalReason, RefusingPolicy},
    },
    value::arn::Arn,
};
use shardlift_testkit::Disturbance;

fn table(world: &World) -> Preflight {
    let key = control_key::report_document(&run_id(), PREFLIGHT_DOCUMENT);
    serde_json::from_slice(&world.control.body(&key).expect("the table is written")).unwrap()
}

fn filled() -> World {
    let world = World::new();
    world.put_sources(["empty", "a", "larger than a"]);
    world
}

fn one() -> World {
    let world = World::new();
    world.put_sources(["a"]);
    world
}

#[tokio::test]
async fn everything_that_can_be_checked_is_checked_and_nothing_is_left_behind() {
    let world = filled();
    world.plan(&json!({})).await.unwrap();
    for row in table(&world).rows {
        let expected = row.check != Check::DeleteTarget;
        assert_eq!(row.result == CheckResult::Works, expected, "{row:?}");
    }
    assert!(world.buckets.objects(TARGET).is_empty());
    assert_eq!(world.buckets.unfinished_uploads(), 0);
}

#[tokio::test]
async fn each_refusal_names_its_check_and_its_statements() {
    for (operation, check, sids) in [
        ("s3:HeadBucket", Check::FindSource, vec!["ListTheSource"]),
        ("s3:ListObjectsV2", Check::ListSource, vec!["ListTheSource"]),
        (
            "sts:AssumeRole",
            Check::EnterTargetAccount,
            vec!["EnterTheTargetAccount", "LetTheFunctionsEnter"],
        ),
        (
            "s3:HeadObject",
            Check::ReadSource,
            vec!["ReadTheSource", "ShardliftReadSource"],
        ),
        (
            "s3:GetObjectTagging",
            Check::ReadSourceTags,
            vec!["ReadTheSource", "ShardliftReadSource"],
        ),
        (
            "s3:CreateMultipartUpload",
            Check::WriteTarget,
            vec!["WriteTheTarget", "LetTheRoleWrite"],
        ),
        (
            "s3:ListMultipartUploads",
            Check::ListUploads,
            vec!["ListTheUploadsOfTheTarget", "LetTheRoleListUploads"],
        ),
        (
            "s3:ListParts",
            Check::ListParts,
            vec!["WriteTheTarget", "LetTheRoleWrite"],
        ),
        (
            "s3:AbortMultipartUpload",
            Check::AbortUpload,
            vec!["WriteTheTarget", "LetTheRoleWrite"],
        ),
    ] {
        let world = filled();
        world.script.deny(operation);
        // A HEAD does not say why it is refused, so the planner asks.
        world.script.deny("s3:GetObject");
        let failure = world.plan(&json!({})).await.unwrap_err();
        let table = table(&world);
        let (refused, refusal) = table.refusals().next().expect("something is refused");
        assert_eq!(refused, check, "{operation}");
        let found: Vec<&str> = refusal
            .missing
            .iter()
            .map(|missing| missing.sid.as_str())
            .collect();
        assert_eq!(found, sids, "{operation}");
        assert!(failure.detail.contains(sids[0]), "{}", failure.detail);
        assert_eq!(
            world.ledger.run(&run_id()),
            None,
            "{operation}: no run was opened"
        );
        assert!(world.buckets.objects(TARGET).is_empty(), "{operation}");
    }
}

/// What AWS says within an organization.
fn because(action: &str, resource: &str, by: RefusingPolicy) -> RefusalReason {
    RefusalReason {
        action: action.into(),
        resource: Some(Arn::new(resource).unwrap()),
        by,
        is_explicit: false,
    }
}

#[tokio::test]
async fn where_aws_says_why_exactly_one_statement_is_named() {
    const ROLE: &str = "arn:aws:iam::222222222222:role/Target";
    const OBJECT: &str = "arn:aws:s3:::source/data/a";
    for (operation, action, resource, of_caller, of_resource) in [
        (
            "sts:AssumeRole",
            "sts:AssumeRole",
            ROLE,
            "EnterTheTargetAccount",
            "LetTheFunctionsEnter",
        ),
        (
            "s3:GetObject",
            "s3:GetObject",
            OBJECT,
            "ReadTheSource",
            "ShardliftReadSource",
        ),
        (
            "s3:GetObjectTagging",
            "s3:GetObjectTagging",
            OBJECT,
            "ReadTheSource",
            "ShardliftReadSource",
        ),
    ] {
        for (by, named) in [
            (RefusingPolicy::OfTheCaller, of_caller),
            (RefusingPolicy::OfTheResource, of_resource),
        ] {
            let world = filled();
            world
                .script
                .deny_because(operation, because(action, resource, by));
            if operation == "s3:GetObject" {
                world.script.deny("s3:HeadObject");
            }
            world.plan(&json!({})).await.unwrap_err();
            let table = table(&world);
            let (_, refusal) = table.refusals().next().expect("something is refused");
            let found: Vec<&str> = refusal.missing.iter().map(|m| m.sid.as_str()).collect();
            assert_eq!(found, [named], "{operation}, {by:?}");
        }
    }
}

#[tokio::test]
async fn a_key_of_the_source_that_refuses_is_named_by_the_copy_of_a_part() {
    let key = format!("arn:aws:kms:eu-central-1:{SOURCE_ACCOUNT}:key/1");
    let world = filled();
    // The HEAD asks for the checksum, which is encrypted too; the object itself may be read.
    world.script.deny("s3:HeadObject");
    let reason = because("kms:Decrypt", &key, RefusingPolicy::OfTheResource);
    world.script.deny_because("s3:UploadPartCopy", reason);
    world.plan(&json!({})).await.unwrap_err();
    let table = table(&world);
    let (check, refusal) = table.refusals().next().expect("something is refused");
    assert_eq!(
        (check, refusal.resource.as_str()),
        (Check::CopyPart, key.as_str())
    );
    assert_eq!(refusal.missing.len(), 1);
    assert_eq!(refusal.missing[0].sid, "ShardliftDecryptSource");
}

#[tokio::test]
async fn a_key_that_aws_does_not_name_is_named_by_each_side_that_has_one() {
    let key = "arn:aws:kms:us-east-1:222222222222:key/target";
    for (input, is_also_the_targets) in [(json!({}), false), (json!({"kms_key_arn": key}), true)] {
        let world = filled();
        let reason = RefusalReason {
            resource: None,
            ..because("kms:Decrypt", key, RefusingPolicy::OfTheCaller)
        };
        world.script.deny_because("s3:UploadPartCopy", reason);
        let failure = world.plan(&input).await.unwrap_err();
        assert!(
            failure.detail.contains("statement DecryptTheSource"),
            "{}",
            failure.detail
        );
        assert_eq!(
            failure.detail.contains("EncryptTheTarget"),
            is_also_the_targets,
            "{}",
            failure.detail
        );
    }
}

#[tokio::test]
async fn a_mirror_asks_whether_it_may_delete_and_deletes_nothing() {
    let world = filled();
    world.buckets.put(TARGET, "copy/kept", "kept", 4);
    world
        .plan(&json!({"mode": "mirror", "delete_max_percent": 100}))
        .await
        .unwrap();
    let row = &table(&world).rows[Check::ALL.len() - 1];
    assert_eq!(
        (row.check, &row.result),
        (Check::DeleteTarget, &CheckResult::Works)
    );
    assert_eq!(world.buckets.objects(TARGET).len(), 1);

    let world = filled();
    world.script.deny("s3:DeleteObject");
    world.plan(&json!({"mode": "mirror"})).await.unwrap_err();
    let table = table(&world);
    let (check, refusal) = table.refusals().next().expect("deleting is refused");
    assert_eq!(check, Check::DeleteTarget);
    let found: Vec<&str> = refusal.missing.iter().map(|m| m.sid.as_str()).collect();
    assert_eq!(found, ["DeleteAtTheTarget", "LetTheRoleWrite"]);
}

#[tokio::test]
async fn a_sample_that_nobody_can_read_does_not_end_the_run() {
    for (operation, check) in [
        ("s3:HeadObject", Check::ReadSource),
        ("s3:UploadPartCopy", Check::CopyPart),
    ] {
        let calls = {
            let world = one();
            world.plan(&json!({})).await.unwrap();
            world.script.calls()
        };
        let call = calls.iter().position(|&call| call == operation).unwrap();
        let world = one();
        // S3's response for an SSE-C object without its key.
        let rejected = Disturbance::RefusedBefore(FaultKind::Rejected);
        world.script.disturb(call, rejected);
        world.plan(&json!({})).await.unwrap();
        let table = table(&world);
        let row = table.rows.iter().find(|row| row.check == check).unwrap();
        assert!(
            matches!(row.result, CheckResult::NotChecked { .. }),
            "{row:?}"
        );
        assert_eq!(world.buckets.unfinished_uploads(), 0);
    }
}

#[tokio::test]
async fn a_key_of_the_run_that_cannot_be_used_is_the_input_of_the_run() {
    let key = "arn:aws:kms:us-east-1:222222222222:key/target";
    for (input, code, named) in [
        (json!({"kms_key_arn": key}), "InvalidRun", "`kms_key_arn`"),
        // The key of the bucket's default encryption is nothing that the input names.
        (json!({}), "AccessDenied", "the KMS key in this message"),
    ] {
        let calls = {
            let world = filled();
            world.plan(&input).await.unwrap();
            world.script.calls()
        };
        let create = "s3:CreateMultipartUpload";
        let call = calls.iter().position(|&call| call == create).unwrap();
        let world = filled();
        let unusable = Disturbance::RefusedBefore(FaultKind::KeyUnusable);
        world.script.disturb(call, unusable);
        let failure = world.plan(&input).await.unwrap_err();
        assert_eq!(failure.code.name(), code);
        assert!(failure.detail.contains(named), "{}", failure.detail);
        assert_eq!(world.buckets.unfinished_uploads(), 0);
    }
}

#[tokio::test]
async fn a_sample_whose_key_cannot_be_used_does_not_end_the_run() {
    let calls = {
        let world = filled();
        world.plan(&json!({})).await.unwrap();
        world.script.calls()
    };
    let copy = "s3:UploadPartCopy";
    let call = calls.iter().position(|&call| call == copy).unwrap();
    let world = filled();
    let unusable = Disturbance::RefusedBefore(FaultKind::KeyUnusable);
    world.script.disturb(call, unusable);
    world.plan(&json!({})).await.unwrap();
}

#[tokio::test]
async fn what_is_not_on_the_allow_list_is_refused_before_any_call() {
    for (input, field) in [
        (
            json!({"target": {"role_arn": "arn:aws:iam::333333333333:role/Target"}}),
            "target.role_arn",
        ),
        (
            json!({"target": {"role_arn": "arn:aws:iam::222222222222:role/Other"}}),
            "target.role_arn",
        ),
        (json!({"target": {"bucket": "elsewhere"}}), "target.bucket"),
        (json!({"source": {"bucket": "elsewhere"}}), "source.bucket"),
    ] {
        let world = filled();
        let failure = world.plan(&input).await.unwrap_err();
        assert_eq!(failure.code.name(), "InvalidRun");
        assert!(failure.detail.contains(field), "{}", failure.detail);
        // Only whether the run was opened before: nothing of AWS's but the ledger was asked.
        let calls = world.script.calls();
        assert!(
            calls.iter().all(|call| call.starts_with("dynamodb:")),
            "{calls:?}"
        );
    }
}

#[tokio::test]
async fn tags_that_may_stay_behind_are_not_asked_for() {
    for tags in ["ignore", "best_effort"] {
        let world = filled();
        world.script.deny("s3:GetObjectTagging");
        world.plan(&json!({"tags": tags})).await.unwrap();
    }
}

#[tokio::test]
async fn whatever_call_fails_nothing_is_left_behind_once_it_was_tried_again() {
    let calls = {
        let world = filled();
        world.plan(&json!({})).await.unwrap();
        let calls = world.script.calls();
        let aborted = calls
            .iter()
            .position(|&call| call == "s3:AbortMultipartUpload");
        aborted.expect("the probe's upload is aborted") + 1
    };
    for &disturbance in Disturbance::MATRIX {
        for call in 0..calls {
            let (world, input) = (filled(), json!({}));
            world.script.disturb(call, disturbance);
            tokio::select! {
                biased;
                _first = world.invoke(&input) => {}
                () = world.script.killed() => {}
            }
            world.script.clear();
            world.plan(&input).await.unwrap();
            assert_eq!(
                world.buckets.unfinished_uploads(),
                0,
                "call {call}, {disturbance:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_key_of_another_region_than_the_target_bucket_is_the_input_of_the_run() {
    let world = World::new();
    world.put_sources(["k"]);
    let input = json!({"kms_key_arn": "arn:aws:kms:eu-central-1:222222222222:key/1"});
    let refused = world.plan(&input).await.unwrap_err();
    assert_eq!(refused.code.name(), "InvalidRun");
    for part in ["`kms_key_arn`", "eu-central-1", "us-east-1"] {
        assert!(refused.detail.contains(part), "{}", refused.detail);
    }
    let calls = world.script.calls();
    assert!(!calls.contains(&"s3:CreateMultipartUpload"));
}
