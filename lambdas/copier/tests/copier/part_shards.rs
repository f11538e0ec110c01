//! One very large object, copied by many copiers.

use std::time::Duration;

use crate::scene::{Remains, SOURCE, Scene, TARGET};
use serde_json::json;
use shardlift_core::{
    copy::part_layout::{OBJECT_BYTES_MAX, PARTS_MAX},
    failure::FailureCode,
    port::{ChecksumType, Clock},
    run::event::WorkerStatus,
    shard::ShardState,
    value::{deadline::INVOKE, key::ObjectKey},
};
use shardlift_testkit::{Disturbance, ManualClock};

const LONG: Duration = Duration::from_secs(900);
const GIB: u64 = 1024 * 1024 * 1024;

async fn planned(size_bytes: u64) -> Scene {
    planned_with("preserve", size_bytes).await
}

async fn planned_with(tags: &str, size_bytes: u64) -> Scene {
    planned_in(&json!({"part_bytes": 5 * GIB, "tags": tags}), size_bytes).await
}

async fn planned_in(input: &serde_json::Value, size_bytes: u64) -> Scene {
    let scene = Scene::new(input);
    scene.buckets.put(SOURCE, "in/huge", "huge", size_bytes);
    scene.buckets.change(SOURCE, "in/huge", |object| {
        object.tags.insert("tier".into(), "gold".into());
        object
            .attributes
            .checksums
            .insert("CRC64NVME".into(), "CRC64NVME of huge".into());
        object.attributes.checksum_type = Some(ChecksumType::FullObject);
    });
    scene.plan_parts().await;
    scene
}

async fn copy_all(scene: &Scene, time: Duration) {
    for id in scene.index() {
        scene.invoke_until_done_on(&id, time).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_largest_object_arrives_whole_and_is_counted_once() {
    let scene = planned(OBJECT_BYTES_MAX).await;
    assert_eq!(scene.index().len(), 64);
    // All copiers at once.
    let working = scene.index().into_iter().map(|id| {
        let scene = &scene;
        async move { scene.invoke_on(&id, LONG).await.unwrap() }
    });
    let ends = futures::future::join_all(working).await;
    assert!(
        ends.iter().all(|end| *end == WorkerStatus::Done),
        "{ends:?}"
    );

    let original = &scene.buckets.objects(SOURCE)[&ObjectKey::new("in/huge").unwrap()];
    let copy = &scene.buckets.objects(TARGET)[&ObjectKey::new("out/huge").unwrap()];
    assert_eq!(
        (&copy.content, &copy.tags),
        (&original.content, &original.tags)
    );
    assert_eq!(copy.attributes.size_bytes, OBJECT_BYTES_MAX);
    assert_eq!(copy.attributes.checksums, original.attributes.checksums);
    assert_eq!(scene.buckets.unfinished_uploads(), 0);
    let mut copied = 0;
    let mut parts = 0;
    let mut invocations = 0;
    for shard in scene.shards() {
        assert_eq!(shard.state, ShardState::Done, "{}", shard.shard_id);
        copied += shard.outcome.tally.copied.objects;
        invocations += shard.outcome.requests.get(INVOKE).copied().unwrap_or(0);
        parts += shard
            .outcome
            .requests
            .get("s3:UploadPartCopy")
            .copied()
            .unwrap_or(0);
    }
    assert_eq!(
        (copied, parts),
        (1, u64::from(PARTS_MAX)),
        "each part is copied once"
    );
    assert_eq!(invocations, 64, "one of them opens two shards");
}

/// The upload is created by another copier than the one that settles the object.
#[tokio::test(start_paused = true)]
async fn tags_that_were_left_behind_are_noted_whoever_created_the_upload() {
    let scene = planned_with("best_effort", 512 * GIB).await;
    scene.script.deny("s3:GetObjectTagging");
    copy_all(&scene, LONG).await;
    let noted = scene
        .shards()
        .into_iter()
        .map(|shard| shard.outcome.notes)
        .filter(|notes| !notes.is_empty());
    let notes: Vec<_> = noted.collect();
    assert_eq!(notes, [[("tags_left_behind".to_owned(), 1)].into()]);
}

#[tokio::test(start_paused = true)]
async fn a_clean_up_that_fails_does_not_undo_the_copy() {
    let scene = planned(512 * GIB).await;
    scene.script.deny("s3:ListMultipartUploads");
    copy_all(&scene, LONG).await;
    let copied = scene.shards().into_iter().map(|shard| shard.outcome.tally);
    assert_eq!(copied.map(|tally| tally.copied.objects).sum::<u64>(), 1);
    assert!(scene.failures().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_whole_whose_parts_are_under_way_is_left_alone() {
    let scene = planned(1024 * GIB).await;
    assert_eq!(scene.invoke(LONG).await.unwrap(), WorkerStatus::Done);
    assert_eq!(scene.shard().state, ShardState::Ready);
    assert_eq!(scene.shard().attempts, 0);
}

/// The last part shard and the whole itself, both offered in a later round, find every part there at once.
#[tokio::test(start_paused = true)]
async fn of_two_that_assemble_the_object_the_one_that_loses_it_is_done_too() {
    let scene = planned(512 * GIB).await;
    let ids = scene.index();
    let (last, others) = ids.split_last().unwrap();
    for id in others {
        scene.invoke_until_done_on(id, LONG).await;
    }
    let script = &scene.script;
    script.clear();
    scene.invoke_until_done_on(last, LONG).await;
    let calls = script.calls();
    let completing = calls
        .iter()
        .position(|&call| call == "s3:CompleteMultipartUpload");

    // The same again, frozen in the very call, until the whole was taken over.
    let scene = planned(512 * GIB).await;
    for id in others {
        scene.invoke_until_done_on(id, LONG).await;
    }
    let script = &scene.script;
    script.clear();
    script.disturb(completing.unwrap(), Disturbance::Frozen);
    let mut loser = Box::pin(scene.invoke_on(last, LONG));
    tokio::select! {
        biased;
        _ = &mut loser => panic!("it cannot end while its call is frozen"),
        () = script.killed() => {}
    }
    assert_eq!(scene.invoke(LONG).await.unwrap(), WorkerStatus::Done);
    script.release();
    assert_eq!(loser.await.unwrap(), WorkerStatus::Done);
    for shard in scene.shards() {
        assert_eq!(shard.state, ShardState::Done, "{}", shard.shard_id);
    }
    assert_eq!(scene.target_keys(), ["out/huge"]);
    assert_eq!(scene.buckets.unfinished_uploads(), 0);
}

#[tokio::test(start_paused = true)]
async fn near_its_deadline_a_part_shard_begins_no_more_parts_and_loses_none() {
    let mut scene = planned(512 * GIB).await;
    let ids = scene.index();
    let copies = |scene: &Scene| {
        let calls = scene.script.calls().into_iter();
        calls.filter(|&call| call == "s3:UploadPartCopy").count()
    };
    let standing = scene.clock.clone();
    scene.clock = ManualClock::stepping(standing.now(), Duration::from_secs(50));
    let end = scene.invoke_on(&ids[0], LONG).await.unwrap();
    assert_eq!(end, WorkerStatus::Yield);
    assert!((1..50).contains(&copies(&scene)), "{}", copies(&scene));
    scene.clock = standing;
    copy_all(&scene, LONG).await;
    assert_eq!(copies(&scene), 103, "each part is copied once");
    assert_eq!(scene.target_keys(), ["out/huge"]);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_changes_under_the_parts_fails_once_and_leaves_no_upload() {
    let input = json!({"part_bytes": 5 * GIB, "on_change": "fail"});
    let scene = planned_in(&input, 1024 * GIB).await;
    let ids = scene.index();
    scene.invoke_until_done_on(&ids[0], LONG).await;
    scene.buckets.put(SOURCE, "in/huge", "newer", 1024 * GIB);
    for id in &ids[1..] {
        scene.invoke_until_done_on(id, LONG).await;
    }
    assert_eq!(scene.buckets.unfinished_uploads(), 0);
    assert!(scene.target_keys().is_empty());
    let failures = scene.failures();
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].code, FailureCode::SourceChanged);
    assert!(
        scene
            .shards()
            .iter()
            .all(|shard| shard.state == ShardState::Done)
    );
}

#[tokio::test(start_paused = true)]
async fn any_disturbance_of_any_call_of_a_part_shard_is_healed_by_resuming() {
    let undisturbed = planned(512 * GIB).await;
    copy_all(&undisturbed, LONG).await;
    let (expected, calls): (Remains, _) = (undisturbed.remains(), undisturbed.script.calls());
    assert_eq!(expected.unfinished_uploads, 0);
    assert_eq!(expected.target.len(), 1);
    let mut cells = 0;
    for (number, operation) in calls.iter().enumerate() {
        for &disturbance in Disturbance::MATRIX {
            let scene = planned(512 * GIB).await;
            scene.script.disturb(number, disturbance);
            copy_all(&scene, LONG).await;
            let cell = format!("call {number} ({operation}) under {disturbance:?}");
            assert_eq!(scene.remains(), expected, "{cell}");
            cells += 1;
        }
    }
    assert_eq!(cells, calls.len() * Disturbance::MATRIX.len());
    println!(
        "fault matrix of part shards: {} calls, {cells} cells, all equal",
        calls.len()
    );
}

#[tokio::test(start_paused = true)]
async fn an_archived_object_is_given_up_without_a_request() {
    let scene = Scene::new(&json!({"part_bytes": 5 * GIB}));
    scene.buckets.put(SOURCE, "in/huge", "huge", 600 * GIB);
    scene.buckets.change(SOURCE, "in/huge", |object| {
        object.attributes.storage_class = "DEEP_ARCHIVE".into();
    });
    scene.plan_parts().await;
    copy_all(&scene, LONG).await;
    assert_eq!(scene.failures()[0].code, FailureCode::ObjectArchived);
    let calls = scene.script.calls();
    for call in [
        "s3:HeadObject",
        "s3:CreateMultipartUpload",
        "s3:UploadPartCopy",
    ] {
        assert!(!calls.contains(&call), "{call}");
    }
}
