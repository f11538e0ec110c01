//! A version that the plan names is the one that is copied, whatever the source has become, or nothing is.

use serde_json::{Value, json};
use shardlift_core::{
    documents::{control_key, manifest::Manifest, receipt::ReceiptOutcome},
    failure::FailureCode,
    port::ControlStore,
    value::{id::VersionId, key::ObjectKey},
};
use shardlift_testkit::Disturbance;

use crate::{
    live_source::{Way, copy_all},
    scene::{SOURCE, Scene, TARGET, run_id, shard_id},
};

/// What has become of the source since.
#[derive(Debug, Clone, Copy)]
enum Since {
    Overwritten,
    Deleted,
}

impl Since {
    const BOTH: [Self; 2] = [Self::Overwritten, Self::Deleted];

    fn make(self, scene: &Scene, way: Way) {
        scene.buckets.let_time_pass();
        match self {
            Self::Overwritten => scene.buckets.put(SOURCE, "in/a", "new", way.size_bytes()),
            Self::Deleted => scene.buckets.remove(SOURCE, "in/a"),
        }
    }
}

async fn planned(way: Way, further: &Value) -> Scene {
    way.planned_in(further, |scene| scene.buckets.keep_versions(SOURCE))
        .await
}

/// The planned version is at the target, and the receipt names it.
fn check(scene: &Scene, cell: &str) {
    assert!(
        scene.failures().is_empty(),
        "{cell}: {:?}",
        scene.failures()
    );
    let at_target = scene.buckets.objects(TARGET);
    let object = &at_target[&ObjectKey::new("out/a").unwrap()];
    assert_eq!(object.content, "old", "{cell}");
    let record = scene.shard();
    assert!(record.outcome.newer.is_empty(), "{cell}");
    assert_eq!(scene.buckets.unfinished_uploads(), 0, "{cell}");
    scene.assert_receipts_are_true(&record);
    let receipts = scene.receipts(&record);
    let [receipt] = &receipts[..] else {
        panic!("{cell}: {receipts:?}")
    };
    let (planned, is_object) = scene.buckets.versions(SOURCE, "in/a").swap_remove(0);
    assert!(is_object, "{cell}");
    assert_eq!(receipt.outcome, ReceiptOutcome::Copied, "{cell}");
    assert_eq!(receipt.source_version_id, Some(planned), "{cell}");
}

#[tokio::test(start_paused = true)]
async fn the_planned_version_is_copied_whatever_the_source_has_become() {
    for way in Way::ALL {
        for since in Since::BOTH {
            for verify in ["relist", "checksum"] {
                let scene = planned(way, &json!({"verify": verify})).await;
                since.make(&scene, way);
                copy_all(&scene).await;
                check(&scene, &format!("{way:?} {since:?} {verify}"));
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn lost_responses_and_kills_change_nothing_about_the_version() {
    for way in [Way::Single, Way::InParts] {
        for since in Since::BOTH {
            let options = json!({"verify": "checksum"});
            let calls = {
                let scene = planned(way, &options).await;
                since.make(&scene, way);
                copy_all(&scene).await;
                scene.script.calls().len()
            };
            for call in 0..calls {
                for disturbance in Disturbance::MATRIX {
                    let scene = planned(way, &options).await;
                    since.make(&scene, way);
                    scene.script.disturb(call, *disturbance);
                    copy_all(&scene).await;
                    check(
                        &scene,
                        &format!("{way:?} {since:?}, {disturbance:?} at {call}"),
                    );
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_gone_is_a_failure_and_nothing_else_is_copied_for_it() {
    for way in Way::ALL {
        for on_change in ["copy_newer", "fail"] {
            let scene = planned(way, &json!({"on_change": on_change})).await;
            Since::Overwritten.make(&scene, way);
            let (planned, _) = scene.buckets.versions(SOURCE, "in/a").swap_remove(0);
            scene.buckets.remove_version(SOURCE, "in/a", &planned);
            copy_all(&scene).await;
            let cell = format!("{way:?} {on_change}");
            assert_eq!(scene.target_keys(), Vec::<String>::new(), "{cell}");
            assert_eq!(scene.buckets.unfinished_uploads(), 0, "{cell}");
            let failures = scene.failures();
            let [failure] = &failures[..] else {
                panic!("{cell}: {failures:?}")
            };
            assert_eq!(failure.code, FailureCode::SourceMissing, "{cell}");
            assert!(
                failure.detail.contains(planned.as_str()),
                "{}",
                failure.detail
            );
            assert_eq!(failure.version_id.as_ref(), Some(&planned), "{cell}");
        }
    }
}

/// The plan names this version, as a list did that told everything else of the object.
async fn name_version(scene: &Scene, id: &str) {
    let key = control_key::manifest(&run_id(), &shard_id());
    let body = scene.control.body(&key).unwrap();
    let mut manifest = Manifest::decode(&body, &run_id(), &shard_id()).unwrap();
    manifest.objects[0].version_id = Some(VersionId::new(id).unwrap());
    let body = manifest.encode().unwrap();
    let put = scene.control.put(&key, "application/zstd", body);
    put.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_version_that_a_list_names_and_that_never_was_is_called_one() {
    for way in [Way::Single, Way::InParts] {
        for (what, id) in [
            ("it looks like one", Some("v999999")),
            ("it looks like none", Some("made-up")),
            ("it is a delete marker", None),
        ] {
            for further in [json!({}), json!({"tags": "ignore"})] {
                let scene = planned(way, &further).await;
                Since::Deleted.make(&scene, way);
                let marker = scene.buckets.versions(SOURCE, "in/a").pop().unwrap().0;
                let id = id.unwrap_or(marker.as_str());
                name_version(&scene, id).await;
                copy_all(&scene).await;
                let cell = format!("{way:?}, {what}, {further}");
                assert_eq!(scene.target_keys(), Vec::<String>::new(), "{cell}");
                assert_eq!(scene.buckets.unfinished_uploads(), 0, "{cell}");
                let failures = scene.failures();
                let [failure] = &failures[..] else {
                    panic!("{cell}: {failures:?}")
                };
                let detail = &failure.detail;
                assert_eq!(failure.code, FailureCode::SourceMissing, "{cell}: {detail}");
                assert!(
                    detail.contains(&format!("its version {id} was planned")),
                    "{cell}: {detail}"
                );
                let why = if id == "v999999" {
                    "a list names a version that never was"
                } else {
                    "a list names the id of a delete marker, or one that S3 never gave"
                };
                assert!(detail.contains(why), "{cell}: {detail}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn tags_are_those_of_the_version() {
    for way in [Way::Single, Way::InParts] {
        let scene = way
            .planned_in(&json!({}), |scene| scene.buckets.keep_versions(SOURCE))
            .await;
        Since::Overwritten.make(&scene, way);
        scene.buckets.change(SOURCE, "in/a", |newest| {
            newest.tags.insert("of".to_owned(), "the newest".to_owned());
        });
        copy_all(&scene).await;
        check(&scene, &format!("{way:?}"));
        let at_target = scene.buckets.objects(TARGET);
        let tags = &at_target[&ObjectKey::new("out/a").unwrap()].tags;
        assert!(tags.is_empty(), "{way:?}: {tags:?}");
    }
}
