//! Website redirects: looked for where they are likely, and carried where they are found.

use std::time::Duration;

use crate::scene::{MIB, SOURCE, Scene, TARGET};
use serde_json::{Value, json};
use shardlift_core::failure::{FailureCode, fault::FaultKind};

const LONG: Duration = Duration::from_secs(900);
const REDIRECT: &str = "x-amz-website-redirect-location";
/// By key: the size, and what the source redirects to.
const SOURCES: [(&str, u64, Option<&[u8]>); 6] = [
    ("empty", 0, Some(b"/elsewhere")),
    ("folder/", 0, Some(b"/elsewhere")),
    ("latin-1", 0, Some(b"/\xfcber")),
    ("none", 0, None),
    ("page", 7, Some(b"/elsewhere")),
    ("parts", 20 * MIB, Some(b"/elsewhere")),
];

async fn planned(verify: &str) -> Scene {
    planned_of(verify, &SOURCES).await
}

async fn planned_of(verify: &str, sources: &[(&str, u64, Option<&[u8]>)]) -> Scene {
    let scene = Scene::new(&json!({
        "multipart_threshold_bytes": 5 * MIB, "part_bytes": 5 * MIB, "verify": verify,
    }));
    for &(name, size_bytes, redirect) in sources {
        let key = format!("in/{name}");
        scene.buckets.put(SOURCE, &key, name, size_bytes);
        if let Some(redirect) = redirect {
            scene.buckets.change(SOURCE, &key, |object| {
                let headers = &mut object.attributes.headers;
                headers.insert(REDIRECT.into(), redirect.to_vec().into());
            });
        }
    }
    scene.plan().await;
    scene
}

/// The names of the copies that redirect.
fn redirecting(scene: &Scene) -> Vec<String> {
    let copies = scene.buckets.objects(TARGET).into_iter();
    copies
        .filter(|(_, copy)| copy.attributes.headers.contains_key(REDIRECT))
        .map(|(key, _)| key.as_str().trim_start_matches("out/").to_owned())
        .collect()
}

fn looks(scene: &Scene) -> usize {
    let calls = scene.script.calls();
    calls
        .iter()
        .filter(|call| **call == "s3:HeadObject")
        .count()
}

fn notes(scene: &Scene) -> Value {
    let mut notes = scene.shard().outcome.notes;
    notes.retain(|name, _| name.starts_with("redirect"));
    json!(notes)
}

#[tokio::test(start_paused = true)]
async fn an_object_without_content_is_looked_at_before_its_copy() {
    let scene = planned("relist").await;
    scene.invoke_until_done(LONG).await;
    assert_eq!(redirecting(&scene), ["empty", "parts"]);
    assert_eq!(notes(&scene), json!({"redirect_left_behind": 1}), "latin-1");
    // Three without content, and two of the one in parts.
    assert_eq!(looks(&scene), 5);
}

#[tokio::test(start_paused = true)]
async fn where_checksums_are_compared_every_redirect_is_carried_with_the_same_request() {
    let scene = planned("checksum").await;
    scene.invoke_until_done(LONG).await;
    assert_eq!(redirecting(&scene), ["empty", "folder/", "page", "parts"]);
    assert_eq!(notes(&scene), json!({"redirect_left_behind": 1}), "latin-1");
    assert_eq!(looks(&scene), 7);
    let calls = scene.script.calls();
    let look = calls.iter().position(|call| *call == "s3:HeadObject");
    assert!(look < calls.iter().position(|call| *call == "s3:CopyObject"));
}

#[tokio::test(start_paused = true)]
async fn a_look_that_is_refused_does_not_keep_the_object_from_being_copied() {
    for (kind, verify, expected) in [
        (FaultKind::AccessDenied, "relist", &["redirect_unknown"][..]),
        (
            FaultKind::MalformedResponse,
            "relist",
            &["redirect_unknown"],
        ),
        (
            FaultKind::AccessDenied,
            "checksum",
            &["redirect_unknown", "unproven"],
        ),
    ] {
        let scene = planned_of(verify, &SOURCES[..1]).await;
        scene.script.exhaust_after(0, "s3:HeadObject", kind);
        scene.invoke_until_done(LONG).await;
        let outcome = scene.shard().outcome;
        assert_eq!(outcome.tally.copied.objects, 1, "{kind:?}");
        let names: Vec<&str> = outcome.notes.keys().map(String::as_str).collect();
        assert_eq!(names, expected, "{kind:?} {verify}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_that_fails_for_now_leaves_the_object_to_the_next_round() {
    let scene = planned_of("relist", &SOURCES[..1]).await;
    let kind = FaultKind::ServiceError;
    scene.script.exhaust_after(0, "s3:HeadObject", kind);
    scene.invoke(LONG).await.expect("an end");
    assert_eq!(scene.target_keys(), Vec::<String>::new());
    let failures = scene.failures();
    assert_eq!(failures[0].code, FailureCode::ServiceFault);
}

#[tokio::test(start_paused = true)]
async fn a_version_that_the_source_got_since_is_copied_with_its_own_redirect() {
    let scene = planned("checksum").await;
    scene.buckets.put(SOURCE, "in/page", "newer", 9);
    scene.buckets.change(SOURCE, "in/page", |object| {
        let headers = &mut object.attributes.headers;
        headers.insert(REDIRECT.into(), "/newer".into());
    });
    scene.invoke_until_done(LONG).await;
    let copies = scene.buckets.objects(TARGET);
    let page = copies.iter().find(|(key, _)| key.as_str() == "out/page");
    let redirect = &page.expect("the copy").1.attributes.headers[REDIRECT];
    assert_eq!(redirect.as_text(), Some("/newer"));
    assert_eq!(notes(&scene), json!({"redirect_left_behind": 1}), "latin-1");
}
