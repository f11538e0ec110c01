//! Somebody changes the target while a run copies: whatever leaves other objects than the run vouches for is found, by its
//! key, and nothing that leaves the same is accused.

use std::collections::BTreeMap;

use serde_json::json;
use shardlift_core::{report::Verdict, value::key::ObjectKey};
use shardlift_proof::TargetState;
use shardlift_testkit::StoredObject;

use crate::scene::Scene;

type Target = BTreeMap<ObjectKey, StoredObject>;

const SEEDS: u64 = 200;

/// The keys of the target below its prefix, each with what identifies its object.
fn identities(target: &Target) -> BTreeMap<String, (String, u64)> {
    let below = |key: &ObjectKey| key.as_str().strip_prefix("out/").map(str::to_owned);
    let identity = |object: &StoredObject| {
        let attributes = &object.attributes;
        (attributes.etag.to_string(), attributes.size_bytes)
    };
    target
        .iter()
        .filter_map(|(key, object)| Some((below(key)?, identity(object))))
        .collect()
}

/// One thing that somebody does to the target.
fn tamper(scene: &Scene, random: &mut fastrand::Rng) {
    let target = scene.buckets.objects("target");
    let keys: Vec<&ObjectKey> = target.keys().collect();
    let Some(key) = random.choice(keys) else {
        return;
    };
    let object = &target[key];
    let (name, size) = (key.as_str(), object.attributes.size_bytes);
    let put = |content: &str, size| scene.buckets.put("target", name, content, size);
    match random.u8(0..7) {
        0 => put("bent", size),
        1 => put("longer", size + 1),
        2 | 3 => scene.buckets.remove("target", name),
        4 => put(&object.content, size),
        5 => {
            put("bent for a while", size);
            scene.buckets.install("target", key, object.clone());
        }
        _ => scene
            .buckets
            .put("target", &format!("{name}.new"), "new", 3),
    }
}

/// What `differences.csv` must say: by key, how it differs.
fn expected(
    vouched: &BTreeMap<String, (String, u64)>,
    beside: &[String],
    now: &BTreeMap<String, (String, u64)>,
    names_foreign: bool,
) -> BTreeMap<String, String> {
    let mut differences = BTreeMap::new();
    for (key, (etag, size)) in vouched {
        let difference = match now.get(key) {
            None => "missing",
            Some((_, found)) if found != size => "size",
            Some((found, _)) if found != etag => "content",
            Some(_) => continue,
        };
        differences.insert(key.clone(), difference.to_owned());
    }
    for key in now.keys().filter(|_| names_foreign) {
        if !vouched.contains_key(key) && !beside.contains(key) {
            differences.insert(key.clone(), "foreign".to_owned());
        }
    }
    differences
}

/// A run that copied everything, in its mode, and the keys that stand beside what it vouches for.
fn copied_run(random: &mut fastrand::Rng) -> (Scene, &'static str, Vec<String>) {
    let mode = random.choice(["copy", "sync", "mirror"]).unwrap();
    let objects = [random.u32(1..30), random.u32(0..30), random.u32(0..30)];
    let mut input = json!({"mode": mode});
    if mode == "mirror" {
        input["delete_max_percent"] = json!(100);
    }
    let scene = Scene::with_input(&objects, input);
    scene.copy_everything();
    let names = |what: &str, count: u32| (0..count).map(|n| format!("{what}/{n}")).collect();
    let (same, beside): (Vec<String>, Vec<String>) = (
        names("same", random.u32(0..20)),
        names("beside", random.u32(0..20)),
    );
    if mode == "copy" {
        // The plan does not list the target, and knows nothing of what is there.
        for key in &beside {
            scene.buckets.put("target", &format!("out/{key}"), key, 3);
        }
    } else {
        scene.keep(0, &same, &[]);
        scene.keep(1, &[], &beside);
    }
    (scene, mode, beside)
}

/// The operator's command, however much later, finds what differs now.
async fn recheck(
    scene: &Scene,
    vouched: &BTreeMap<String, (String, u64)>,
    beside: &[String],
    mode: &str,
) {
    let now = identities(&scene.buckets.objects("target"));
    let expected = expected(vouched, beside, &now, mode != "copy");
    let (rechecked, found) = scene.recheck().await.unwrap();
    assert_eq!(rechecked.seen.objects, now.len() as u64);
    if rechecked.state == TargetState::AsProven {
        // The report knew of what is foreign, and counts it among what stands beside.
        assert!(found.is_empty() && expected.values().all(|how| how == "foreign"));
    } else {
        assert_eq!(found, expected, "{mode}");
        assert_eq!(rechecked.state == TargetState::Differs, !found.is_empty());
    }
}

#[tokio::test]
async fn tampering_is_found_by_key_and_nothing_else_is_accused() {
    let (mut accused, mut cleared) = (0, 0);
    for seed in 0..SEEDS {
        let mut random = fastrand::Rng::with_seed(seed);
        let (scene, mode, beside) = copied_run(&mut random);
        let mut vouched = identities(&scene.buckets.objects("target"));
        vouched.retain(|key, _| !beside.contains(key));
        for _ in 0..random.u32(0..6) {
            tamper(&scene, &mut random);
        }
        let now = identities(&scene.buckets.objects("target"));
        let expected = expected(&vouched, &beside, &now, mode != "copy");
        if random.bool() {
            scene.report_in_little_time().await;
        } else {
            scene.reported().await;
        }
        let report = scene.written_report();
        assert_eq!(scene.differences(), expected, "seed {seed}, {mode}");
        for _ in 0..2 {
            recheck(&scene, &vouched, &beside, mode).await;
            for _ in 0..random.u32(0..4) {
                tamper(&scene, &mut random);
            }
        }
        let foreign = expected.values().filter(|how| *how == "foreign").count();
        let wrong = expected.len() - if mode == "mirror" { 0 } else { foreign };
        let verdict = if wrong > 0 {
            Verdict::Incomplete
        } else {
            Verdict::Complete
        };
        assert_eq!(report.verdict, verdict, "seed {seed}, {mode}: {expected:?}");
        let found = &report.verified;
        assert_eq!(found.foreign, foreign as u64, "seed {seed}");
        assert_eq!(
            found.missing + found.different,
            (expected.len() - foreign) as u64
        );
        let proof = report.proof.unwrap();
        assert_eq!(proof.vouched.objects, vouched.len() as u64);
        if verdict == Verdict::Complete {
            let standing = proof.beside.unwrap();
            assert_eq!(
                proof.vouched.objects + standing.objects,
                now.len() as u64,
                "seed {seed}"
            );
        }
        accused += wrong;
        cleared += usize::from(verdict == Verdict::Complete);
    }
    assert!(
        accused > 200 && cleared > 30,
        "{accused} differences, {cleared} complete runs"
    );
}
