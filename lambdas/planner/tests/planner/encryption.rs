//! What a plan makes of encryption: ETags under a KMS key are no digests.

use crate::world::{SOURCE, TARGET, World, run_id};
use serde_json::json;
use shardlift_core::{
    failure::fault::FaultKind,
    value::{object::Encryption, time::Timestamp},
};
use shardlift_testkit::Disturbance;

#[tokio::test]
async fn etags_under_a_kms_key_are_not_compared_so_that_nothing_is_copied_for_ever() {
    let named =
        json!({"compare": "etag", "kms_key_arn": "arn:aws:kms:us-east-1:222222222222:key/0a1b"});
    let unnamed = json!({"compare": "etag"});
    for (input, kms_bucket, copies) in [
        (&unnamed, None, 1),
        (&named, None, 0),
        (&unnamed, Some(TARGET), 0),
        (&unnamed, Some(SOURCE), 0),
    ] {
        let world = World::new();
        if let Some(bucket) = kms_bucket {
            world.buckets.encrypt_under_kms(bucket);
        }
        world.put_sources(["k"]);
        world.buckets.set_time(Timestamp::from_millis(60_000));
        world.buckets.put(TARGET, "copy/k", "other content", 1);
        world.plan(input).await.unwrap();
        assert_eq!(
            world.planned().copies.len(),
            copies,
            "{input}, under KMS: {kms_bucket:?}"
        );
    }
}

#[tokio::test]
async fn etags_of_a_source_whose_sample_cannot_be_read_are_not_compared() {
    let input = json!({"compare": "etag"});
    let filled = || {
        let world = World::new();
        world.put_sources(["k"]);
        world.buckets.set_time(Timestamp::from_millis(60_000));
        world.buckets.put(TARGET, "copy/k", "other content", 1);
        world
    };
    let readable = filled();
    readable.plan(&input).await.unwrap();
    assert_eq!(readable.planned().copies.len(), 1);
    let calls = readable.script.calls();
    let head = calls.iter().position(|&call| call == "s3:HeadObject");
    for kind in [FaultKind::Rejected, FaultKind::NoSuchKey] {
        let world = filled();
        let refused = Disturbance::RefusedBefore(kind);
        world.script.disturb(head.unwrap(), refused);
        world.plan(&input).await.unwrap();
        assert!(world.planned().copies.is_empty(), "{kind:?}");
        let run = world.ledger.run(&run_id()).unwrap();
        assert_eq!(run.encryption.source_sample, Encryption::Unknown);
    }
}

#[tokio::test]
async fn an_empty_object_tells_how_the_source_is_encrypted_where_there_is_no_other() {
    for (kms_bucket, expected) in [
        (None, Encryption::S3Managed),
        (Some(SOURCE), Encryption::Kms),
    ] {
        let world = World::new();
        if let Some(bucket) = kms_bucket {
            world.buckets.encrypt_under_kms(bucket);
        }
        world.buckets.put(SOURCE, "data/empty", "", 0);
        world.plan(&json!({"compare": "etag"})).await.unwrap();
        let run = world.ledger.run(&run_id()).unwrap();
        assert_eq!(run.encryption.source_sample, expected);
    }
}
