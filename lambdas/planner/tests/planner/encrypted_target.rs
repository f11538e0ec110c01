//! Plans over the real S3 adapter: a target that encrypts by default under a KMS key, and buckets that demand headers.

use std::time::Duration;

use crate::s3_ports::S3Ports;
use crate::s3_world::World;
use crate::world::{WrittenPlan, event, noon};
use serde_json::json;
use shardlift_core::{
    access::ceilings::Ceilings,
    failure::{Failure, FailureCode},
    plan::ShardBounds,
    port::{CopyOptions, CopySource, TargetBucket},
    run::{event, input::RunInput, option::AclChoice},
    value::{deadline::Deadline, key::ObjectKey},
};
use shardlift_planner::{Planner, PlannerSettings, SortBounds};
use shardlift_s3_model::{BucketSpec, ObjectSpec};
use shardlift_testkit::{
    CallScript, ManualClock, MemoryControlStore, MemoryExecutions, MemoryLedger, MemoryListFiles,
    conformance::CopyWorld, widest_ceilings,
};

const OBJECTS: u64 = 20;

/// A source whose objects were written an hour before the target's.
async fn filled() -> World {
    let s3 = World::new().await;
    let source = BucketSpec::new("source-bucket")
        .owner(crate::s3_world::OWN_ACCOUNT)
        .region(crate::s3_world::HOME_REGION)
        .policy(crate::s3_world::source_policy("source-bucket"));
    s3.model.create_bucket(source).unwrap();
    let bucket = s3.model.bucket("source-bucket").unwrap();
    for number in 0..OBJECTS {
        let object = ObjectSpec::synthetic(number, number).modified_s(1_000_000);
        bucket.put(&format!("k/{number:02}"), object);
    }
    s3
}

/// What a run of its own plans.
async fn plan(s3: &World) -> WrittenPlan {
    let input = json!({"mode": "sync", "compare": "etag"});
    plan_as(s3, &input).await.unwrap()
}

async fn plan_as(s3: &World, input: &serde_json::Value) -> Result<WrittenPlan, Failure> {
    let target = crate::s3_world::target();
    let defaults = json!({
        "source": {"bucket": "source-bucket", "prefix": ""},
        "target": {
            "bucket": "target-bucket", "prefix": "", "role_arn": target.role_arn, "external_id": target.external_id,
        },
    });
    let run_defaults = RunInput::parse(&defaults).unwrap();
    let with_acl = RunInput {
        acl: Some(AclChoice::BucketOwnerFullControl),
        ..run_defaults.clone()
    };
    let script = CallScript::default();
    let control = "control-bucket".to_owned().try_into().unwrap();
    let planner: Planner<S3Ports> = Planner {
        accounts: s3.accounts.clone(),
        ledger: MemoryLedger::new(script.clone()),
        control: MemoryControlStore::new(control, script.clone()),
        lists: MemoryListFiles::new(script.clone()),
        executions: MemoryExecutions::new(script),
        clock: ManualClock::stepping(noon(), Duration::ZERO),
        settings: PlannerSettings {
            function_roles: Vec::new(),
            ceilings: Ceilings::new(&with_acl, widest_ceilings()),
            run_defaults,
            max_concurrency: 7,
            writes_per_second_max: None,
            ledger_ttl_days: 30,
            copier_memory_mb: 256,
            renderer_memory_mb: 2_048,
            shard_bounds: ShardBounds::default(),
            sort_bounds: SortBounds::default(),
            listers_max: 1,
        },
    };
    let deadline = Deadline::new(noon(), noon().plus(Duration::from_secs(900)));
    let event = event::parse_value(&event(input)).unwrap();
    planner.plan(&event, deadline).await?;
    Ok(WrittenPlan::of(&planner.ledger, &planner.control))
}

async fn copy(s3: &World, plan: &WrittenPlan) {
    for (key, size_bytes) in &plan.copies {
        let key = ObjectKey::new(key.as_str()).unwrap();
        let source = CopySource {
            version_id: None,
            etag: s3.target.head_source((&key).into()).await.unwrap().etag,
            size_bytes: *size_bytes,
            key: key.clone(),
        };
        let options = CopyOptions::default();
        let receipt = s3.target.copy_object(&source, &key, &options).await;
        assert_ne!(receipt.unwrap().etag, source.etag, "it is no digest");
    }
}

#[tokio::test]
async fn what_a_target_encrypts_by_default_is_not_copied_for_ever() {
    let s3 = filled().await;
    s3.encrypt_target_under_kms();
    let first = plan(&s3).await;
    assert_eq!(first.copies.len() as u64, OBJECTS);
    copy(&s3, &first).await;
    let second = plan(&s3).await;
    assert_eq!(second.copies.len(), 0);
    assert_eq!(second.tally.same.objects, OBJECTS);
}

#[tokio::test]
async fn a_target_that_demands_headers_is_refused_with_the_fields_that_set_them() {
    let s3 = filled().await;
    let deny = |condition: serde_json::Value| {
        json!({
            "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::target-bucket/*", "Condition": condition,
        })
    };
    let policy = json!({"Statement": [
        deny(json!({"StringNotEquals": {"s3:x-amz-server-side-encryption": "AES256"}})),
        deny(json!({"StringNotEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}})),
    ]});
    let target = s3.model.bucket("target-bucket").unwrap();
    target.set_policy(Some(serde_json::from_value(policy).unwrap()));
    let sse = json!({"sse": "AES256"});
    for (input, named) in [(json!({}), "`sse`"), (json!({}), "`acl`"), (sse, "`acl`")] {
        let refused = plan_as(&s3, &input).await.unwrap_err();
        assert_eq!(refused.code, FailureCode::AccessDenied);
        assert!(refused.detail.contains(named), "{}", refused.detail);
    }
    let both = json!({"sse": "AES256", "acl": "bucket-owner-full-control"});
    let planned = plan_as(&s3, &both).await.unwrap();
    assert_eq!(planned.copies.len() as u64, OBJECTS);
}

#[tokio::test]
async fn a_source_whose_requesters_pay_is_refused_with_the_field_that_agrees() {
    let s3 = World::new().await;
    let source = BucketSpec::new("source-bucket")
        .owner(crate::s3_world::OWN_ACCOUNT)
        .region(crate::s3_world::HOME_REGION)
        .policy(crate::s3_world::source_policy("source-bucket"))
        .requester_pays();
    s3.model.create_bucket(source).unwrap();
    let bucket = s3.model.bucket("source-bucket").unwrap();
    bucket.put("k", ObjectSpec::synthetic(1, 9));
    let refused = plan_as(&s3, &json!({})).await.unwrap_err();
    assert_eq!(refused.code, FailureCode::AccessDenied);
    assert!(
        refused.detail.contains("`request_payer`"),
        "{}",
        refused.detail
    );
    let planned = plan_as(&s3, &json!({"request_payer": true})).await.unwrap();
    assert_eq!(planned.copies.len(), 1);
}
