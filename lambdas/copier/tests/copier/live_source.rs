//! A source that changes while it is copied: the newest version arrives whole, what is gone is skipped, and nothing is ever a
//! mixture of two versions.

use std::time::Duration;

use crate::scene::{MIB, SOURCE, Scene, TARGET};
use serde_json::json;
use shardlift_core::{
    documents::json_lines,
    failure::FailureCode,
    run::event::WorkerStatus,
    shard::{ShardState, note::NotedObject},
    value::{key::ObjectKey, skips::SkipReason},
};
use shardlift_testkit::Disturbance;

const LONG: Duration = Duration::from_secs(900);
const GIB: u64 = 1024 * MIB;

/// How an object is copied when nothing changes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    Single,
    InParts,
    PartShards,
}

impl Way {
    pub(crate) const ALL: [Self; 3] = [Self::Single, Self::InParts, Self::PartShards];

    pub(crate) fn size_bytes(self) -> u64 {
        match self {
            Self::Single => MIB,
            Self::InParts => 20 * MIB,
            Self::PartShards => 512 * GIB,
        }
    }

    async fn planned(self, further: &serde_json::Value) -> Scene {
        self.planned_in(further, |_| ()).await
    }

    /// The same, in a bucket that `prepare` made ready.
    pub(crate) async fn planned_in(
        self,
        further: &serde_json::Value,
        prepare: impl FnOnce(&Scene),
    ) -> Scene {
        let mut input = match self {
            Self::Single | Self::InParts => {
                json!({"multipart_threshold_bytes": 5 * MIB, "part_bytes": 5 * MIB})
            }
            Self::PartShards => json!({"part_bytes": 5 * GIB}),
        };
        for (field, value) in further.as_object().into_iter().flatten() {
            input[field] = value.clone();
        }
        let scene = Scene::new(&input);
        prepare(&scene);
        scene.buckets.put(SOURCE, "in/a", "old", self.size_bytes());
        match self {
            Self::PartShards => scene.plan_parts().await,
            _ => scene.plan().await,
        }
        scene
    }
}

/// What happens to the source.
#[derive(Debug, Clone, Copy)]
enum Change {
    Newer(u64),
    Gone,
}

impl Change {
    fn make(self, scene: &Scene) {
        scene.buckets.let_time_pass();
        match self {
            Self::Newer(size_bytes) => scene.buckets.put(SOURCE, "in/a", "new", size_bytes),
            Self::Gone => scene.buckets.remove(SOURCE, "in/a"),
        }
    }
}

pub(crate) async fn copy_all(scene: &Scene) {
    for id in scene.index() {
        scene.invoke_until_done_on(&id, LONG).await;
    }
}

/// One invocation for each shard.
async fn copy_once(scene: &Scene) {
    for id in scene.index() {
        assert_eq!(
            scene.invoke_on(&id, LONG).await.unwrap(),
            WorkerStatus::Done
        );
    }
}

/// The record that gives the object its outcome, and the notes on it.
fn outcome(scene: &Scene) -> (shardlift_core::shard::ShardRecord, Vec<NotedObject>) {
    let record = scene.shard();
    let noted = record.outcome.notes_key.as_ref().map(|key| {
        let body = scene.control.body(key).expect("the list exists");
        let lines = json_lines::decode(&body).unwrap();
        lines.map(Result::unwrap).collect()
    });
    (record, noted.unwrap_or_default())
}

/// The object has one outcome, which says what is at the target.
fn check(scene: &Scene, change: Change, cell: &str) {
    let (record, noted) = outcome(scene);
    assert!(
        scene.failures().is_empty(),
        "{cell}: {:?}",
        scene.failures()
    );
    for shard in scene.shards() {
        assert_eq!(shard.state, ShardState::Done, "{cell}: {}", shard.shard_id);
        assert_eq!(shard.outcome.uploads, [], "{cell}");
    }
    assert_eq!(scene.buckets.unfinished_uploads(), 0, "{cell}");
    let tally = &record.outcome.tally;
    assert_eq!(tally.settled_objects(), 1, "{cell}");
    let mut settled = tally.copied;
    settled.add(tally.skipped.count());
    assert_eq!(settled, record.planned, "{cell}");
    let key = ObjectKey::new("out/a").unwrap();
    let at_target = scene.buckets.objects(TARGET).remove(&key);
    if tally.skipped.objects == 1 {
        assert!(matches!(change, Change::Gone), "{cell}");
        assert!(
            tally
                .skipped
                .by_reason
                .contains_key(&SkipReason::GoneAtSource)
        );
        return;
    }
    let at_target = at_target.unwrap_or_else(|| panic!("{cell}: nothing arrived"));
    let newer = record.outcome.newer;
    match (at_target.content.as_str(), change) {
        ("old", _) => {
            assert!(newer.is_empty(), "{cell}");
            assert_eq!(
                at_target.attributes.size_bytes, record.planned.bytes,
                "{cell}"
            );
        }
        ("new", Change::Newer(size_bytes)) => {
            assert_eq!(at_target.attributes.size_bytes, size_bytes, "{cell}");
            assert_eq!((newer.objects, newer.bytes), (1, size_bytes), "{cell}");
            assert_eq!(newer.planned_bytes, record.planned.bytes, "{cell}");
            let arrived = noted[0].arrived.as_ref().expect("it is named");
            let at_source = &scene.buckets.objects(SOURCE)[&ObjectKey::new("in/a").unwrap()];
            assert_eq!(arrived.etag, at_source.attributes.etag, "{cell}");
            assert_eq!(arrived.size_bytes, size_bytes, "{cell}");
        }
        (content, _) => panic!("{cell}: {content} arrived"),
    }
}

fn changes(way: Way) -> Vec<Change> {
    let size = way.size_bytes();
    vec![
        Change::Newer(size),
        Change::Newer(size / 2),
        Change::Newer(30 * MIB),
        Change::Newer(0),
        Change::Gone,
    ]
}

#[tokio::test(start_paused = true)]
async fn what_changed_before_its_copy_arrives_in_the_newer_version_and_what_is_gone_is_skipped() {
    for way in Way::ALL {
        for change in changes(way) {
            let scene = way.planned(&json!({})).await;
            change.make(&scene);
            copy_all(&scene).await;
            check(&scene, change, &format!("{way:?} {change:?}"));
            let is_there = !scene.target_keys().is_empty();
            assert_eq!(
                is_there,
                matches!(change, Change::Newer(_)),
                "{way:?} {change:?}"
            );
        }
    }
}

/// The calls of an undisturbed run, one after the other, as the number of the call at which the source changes.
async fn calls_of(way: Way) -> usize {
    let scene = way.planned(&json!({"verify": "checksum"})).await;
    copy_all(&scene).await;
    scene.script.calls().len()
}

#[tokio::test(start_paused = true)]
async fn a_change_at_any_call_never_mixes_versions() {
    let mut cells = 0;
    for way in Way::ALL {
        let calls = calls_of(way).await;
        // A huge object is copied by many calls that are all alike.
        let step = if matches!(way, Way::PartShards) { 7 } else { 1 };
        for call in (0..calls).step_by(step) {
            for change in changes(way) {
                let cell = format!("{way:?} {change:?} at call {call}");
                let scene = way.planned(&json!({"verify": "checksum"})).await;
                scene.script.disturb(call, Disturbance::Frozen);
                let mut copying = Box::pin(copy_once(&scene));
                tokio::select! {
                    biased;
                    () = &mut copying => panic!("{cell}: it cannot end while a call is frozen"),
                    () = scene.script.killed() => {}
                }
                change.make(&scene);
                scene.script.release();
                copying.await;
                check(&scene, change, &cell);
                cells += 1;
            }
        }
    }
    println!("{cells} cells");
}

/// The process is killed as well, so that another one goes on with what the record says.
#[tokio::test(start_paused = true)]
async fn a_change_after_a_kill_at_any_call_never_mixes_versions() {
    for way in Way::ALL {
        let calls = calls_of(way).await;
        let step = if matches!(way, Way::PartShards) {
            11
        } else {
            1
        };
        for call in (0..calls).step_by(step) {
            for killed in [Disturbance::KilledBefore, Disturbance::KilledAfter] {
                for change in changes(way) {
                    let cell = format!("{way:?} {change:?} after {killed:?} at call {call}");
                    let scene = way.planned(&json!({})).await;
                    scene.script.disturb(call, killed);
                    {
                        let mut copying = Box::pin(copy_once(&scene));
                        tokio::select! {
                            biased;
                            () = &mut copying => {}
                            () = scene.script.killed() => {}
                        }
                    }
                    change.make(&scene);
                    copy_all(&scene).await;
                    check(&scene, change, &cell);
                }
            }
        }
    }
}

/// The copier of a newer version is killed, so that another one goes on with the upload that the record names: with that
/// version, and with none but that.
#[tokio::test(start_paused = true)]
async fn an_upload_of_a_newer_version_is_continued_in_that_version() {
    let size_bytes = Way::InParts.size_bytes();
    let change = Change::Newer(size_bytes);
    let planned = || async {
        let scene = Way::InParts.planned(&json!({})).await;
        change.make(&scene);
        scene
    };
    let undisturbed = planned().await;
    copy_all(&undisturbed).await;
    let calls = undisturbed.script.calls().len();
    let mut continued = 0;
    for call in 0..calls {
        let scene = planned().await;
        scene.script.disturb(call, Disturbance::Frozen);
        {
            let mut copying = Box::pin(copy_once(&scene));
            // So long that what is settled and opened until then is recorded.
            let meanwhile = Duration::from_secs(1);
            let ended = tokio::time::timeout(meanwhile, &mut copying).await;
            assert!(ended.is_err(), "call {call} is frozen");
        }
        let uploads = scene.shard().outcome.uploads;
        continued += usize::from(uploads.iter().any(|upload| upload.newer.is_some()));
        copy_all(&scene).await;
        check(&scene, change, &format!("call {call}"));
    }
    assert!(continued > 0, "no upload was continued");
}

/// The source takes a new version at each call.
#[tokio::test(start_paused = true)]
async fn a_source_that_never_stands_still_is_reported_and_leaves_nothing_open() {
    for way in [Way::Single, Way::InParts] {
        let scene = way.planned(&json!({})).await;
        let mut copying = Box::pin(scene.invoke(LONG));
        let mut version = 0;
        let end = loop {
            let call = scene.script.calls().len();
            scene.script.disturb(call, Disturbance::Frozen);
            tokio::select! {
                biased;
                end = &mut copying => break end,
                () = scene.script.killed() => {}
            }
            version += 1;
            scene.buckets.put(
                SOURCE,
                "in/a",
                &format!("version {version}"),
                way.size_bytes(),
            );
            scene.script.release();
        };
        assert_eq!(end.unwrap(), WorkerStatus::Done, "{way:?}");
        let failures = scene.failures();
        assert_eq!(failures.len(), 1, "{way:?}");
        assert_eq!(failures[0].code, FailureCode::SourceChanged, "{way:?}");
        assert!(
            failures[0].detail.contains("changed 6 times"),
            "{failures:?}"
        );
        assert_eq!(scene.buckets.unfinished_uploads(), 0, "{way:?}");
        assert_eq!(scene.target_keys(), [] as [&str; 0], "{way:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_that_the_filters_leave_out_is_skipped() {
    let filters = json!({"filters": {"size_max_bytes": MIB}});
    let scene = Way::Single.planned(&filters).await;
    scene.buckets.put(SOURCE, "in/a", "new", MIB + 1);
    copy_all(&scene).await;
    let skipped = scene.shard().outcome.tally.skipped;
    assert_eq!(skipped.by_reason, [(SkipReason::FilteredSince, 1)].into());
    assert_eq!(scene.target_keys(), [] as [&str; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_went_back_to_the_planned_version_is_not_called_newer() {
    let scene = Way::InParts.planned(&json!({})).await;
    let calls = calls_of(Way::InParts).await;
    assert!(calls > 8);
    Change::Newer(20 * MIB).make(&scene);
    // The upload of the newer version is open when the source goes back.
    let mut copying = Box::pin(scene.invoke(LONG));
    let first_part = 5 + 6;
    scene.script.disturb(first_part, Disturbance::Frozen);
    tokio::select! {
        biased;
        _ = &mut copying => panic!("it ended without that call"),
        () = scene.script.killed() => {}
    }
    scene.buckets.put(SOURCE, "in/a", "old", 20 * MIB);
    scene.script.release();
    assert_eq!(copying.await.unwrap(), WorkerStatus::Done);
    check(&scene, Change::Newer(20 * MIB), "back");
    assert!(scene.shard().outcome.newer.is_empty());
    assert!(!scene.shard().outcome.notes.contains_key("copied_newer"));
}

#[tokio::test(start_paused = true)]
async fn with_on_change_fail_either_is_reported_as_before() {
    for way in Way::ALL {
        for (change, code) in [
            (Change::Newer(way.size_bytes()), FailureCode::SourceChanged),
            (Change::Gone, FailureCode::SourceMissing),
        ] {
            let scene = way.planned(&json!({"on_change": "fail"})).await;
            change.make(&scene);
            copy_all(&scene).await;
            let codes: Vec<_> = scene.failures().iter().map(|failed| failed.code).collect();
            assert_eq!(codes, [code], "{way:?} {change:?}");
            assert_eq!(scene.target_keys(), [] as [&str; 0]);
            assert_eq!(scene.buckets.unfinished_uploads(), 0);
        }
    }
}
