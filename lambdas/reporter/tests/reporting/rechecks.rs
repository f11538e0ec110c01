//! The run is over, and the target is compared again with what its documents say.

use std::{
    collections::BTreeMap,
    io::Write as _,
    process::{Command, Stdio},
};

use shardlift_core::{
    failure::FailureCode,
    value::{key::ObjectKey, object::ETag, set_sum::SetSum},
};
use shardlift_proof::TargetState;
use shardlift_testkit::{StoredObject, conformance::HOSTILE_KEYS};

use crate::scene::{FailedAt, Scene};

const HOSTILE_OBJECTS: usize = 100_000;

#[tokio::test]
async fn the_same_target_is_as_proven_and_each_change_is_named() {
    let scene = Scene::new(&[4, 4]);
    scene.copy_everything();
    scene.keep(0, &["same".to_owned()], &["beside".to_owned()]);
    scene.reported().await;
    let (rechecked, found) = scene.recheck().await.unwrap();
    assert_eq!((rechecked.state, found.len()), (TargetState::AsProven, 0));
    assert_eq!(rechecked.seen.objects, 10);

    scene.buckets.put("target", "out/beside", "another", 3);
    let (rechecked, found) = scene.recheck().await.unwrap();
    assert_eq!(
        (rechecked.state, found.len()),
        (TargetState::BesideChanged, 0)
    );

    scene.buckets.put("target", "out/same", "bent", 3);
    scene.buckets.put("target", "out/1-1", "truncated", 1);
    scene.buckets.remove("target", "out/0-2");
    scene.buckets.put("target", "out/new", "new", 3);
    let (rechecked, found) = scene.recheck().await.unwrap();
    assert_eq!(rechecked.state, TargetState::Differs);
    let expected = [
        ("0-2", "missing"),
        ("1-1", "size"),
        ("new", "foreign"),
        ("same", "content"),
    ];
    let expected = expected.map(|(key, how)| (key.to_owned(), how.to_owned()));
    assert_eq!(found, BTreeMap::from(expected));
}

#[tokio::test]
async fn what_failed_or_was_never_begun_is_not_accused() {
    let scene = Scene::new(&[3, 3, 3]);
    scene.copy_everything();
    scene.fail(&[FailedAt(0, 1, FailureCode::AccessDenied)]);
    scene.leave_undone(2, 1);
    scene.claim_receipts(2);
    for key in ["out/0-1", "out/2-1", "out/2-2"] {
        scene.buckets.put("target", key, "of last year", 9);
    }
    scene.report(3).await.unwrap();
    let index = scene.index_of_receipts();
    let counted = index
        .lines()
        .map(|line| line.ends_with("/counted.jsonl.zst"));
    assert_eq!(counted.collect::<Vec<_>>(), [false, false, true], "{index}");
    let (rechecked, found) = scene.recheck().await.unwrap();
    assert_eq!((rechecked.state, found.len()), (TargetState::AsProven, 0));
    scene.buckets.put("target", "out/2-2", "of today", 9);
    let (rechecked, found) = scene.recheck().await.unwrap();
    assert_eq!(
        (rechecked.state, found.len()),
        (TargetState::BesideChanged, 0)
    );
    scene.buckets.remove("target", "out/1-1");
    let (rechecked, found) = scene.recheck().await.unwrap();
    assert_eq!(rechecked.state, TargetState::Differs);
    assert_eq!(
        found.into_iter().collect::<Vec<_>>(),
        [("1-1".to_owned(), "missing".to_owned())]
    );
}

#[tokio::test]
async fn what_a_mirror_was_not_allowed_to_delete_is_not_unknown_to_it() {
    let scene = Scene::with_input(&[3, 2], serde_json::json!({"mode": "mirror"}));
    scene.copy_everything();
    scene.make_deletions(1);
    scene.plan_deletions_at_target(1);
    scene.hold_deletions();
    scene.report(1).await.unwrap();
    let (rechecked, found) = scene.recheck().await.unwrap();
    assert_eq!((rechecked.state, found.len()), (TargetState::AsProven, 0));
    scene.buckets.remove("target", "out/0-1");
    let (_, found) = scene.recheck().await.unwrap();
    let found: Vec<_> = found.into_iter().collect();
    assert_eq!(found, [("0-1".to_owned(), "missing".to_owned())]);
}

#[tokio::test]
async fn an_index_that_is_gone_or_cut_is_no_answer() {
    let scene = Scene::new(&[4, 4]);
    scene.copy_everything();
    scene.reported().await;
    scene.buckets.remove("target", "out/0-2");
    let index = scene.index_of_receipts();
    assert_eq!(index.lines().count(), 2, "{index}");
    let first = index.lines().next().unwrap().to_owned();
    scene.write_index_of_receipts(&format!("{first}\n"));
    let failure = scene.recheck().await.unwrap_err();
    assert_eq!(failure.code, FailureCode::InvariantViolated);
    assert!(
        failure.detail.contains("not what its report counts"),
        "{failure}"
    );
    scene.write_index_of_receipts("s3://elsewhere/x\n");
    assert!(scene.recheck().await.is_err());
}

/// A key of anything that S3 takes; `number` makes it unlike all others.
fn hostile_key(random: &mut fastrand::Rng, number: usize) -> String {
    let piece = |random: &mut fastrand::Rng| match random.u8(0..4) {
        0 => random.choice(HOSTILE_KEYS).copied().unwrap().to_owned(),
        1 => random
            .choice(["&", "<", ">", "\"", "'", "]]>", "\r\n", "\u{b}"])
            .unwrap()
            .to_owned(),
        2 => random.char('\u{1}'..='\u{ff}').to_string(),
        _ => random.char('\u{100}'..).to_string(),
    };
    let pieces: String = (0..random.usize(0..6)).map(|_| piece(random)).collect();
    let mut key = format!("{pieces}{number:x}{}", piece(random));
    if number.is_multiple_of(1_000) {
        key.extend(std::iter::repeat_n('k', 1_000 - key.len()));
    }
    key
}

fn hostile_etag(random: &mut fastrand::Rng) -> ETag {
    let md5 = format!("{:032x}", random.u128(..));
    let parts = random.u32(1..10_001);
    let etag = match random.bool() {
        true => md5,
        false => format!("{md5}-{parts}"),
    };
    ETag::new(etag).unwrap()
}

/// Fills the target: what the plan found the same, and beside it every tenth. Returns the pages of a listing as
/// `aws s3api list-objects-v2` prints them.
fn fill(scene: &Scene) -> String {
    let mut random = fastrand::Rng::with_seed(16);
    scene.buckets.put("target", "out/pattern", "", 0);
    let pattern = ObjectKey::new("out/pattern").unwrap();
    let pattern: StoredObject = scene.buckets.objects("target").remove(&pattern).unwrap();
    scene.buckets.remove("target", "out/pattern");
    let (mut kept, mut listed) = (Vec::new(), BTreeMap::new());
    for number in 0..HOSTILE_OBJECTS {
        let relative = hostile_key(&mut random, number);
        let key = ObjectKey::new(format!("out/{relative}")).unwrap();
        let mut object = pattern.clone();
        object.attributes.etag = hostile_etag(&mut random);
        object.attributes.size_bytes = match number % 3 {
            0 => random.u64(0..1_000),
            _ => random.u64(0..=1 << 45),
        };
        let entry = serde_json::json!({
            "Key": key, "Size": object.attributes.size_bytes,
            "ETag": format!("\"{}\"", object.attributes.etag),
        });
        listed.insert(key.clone(), entry);
        scene.buckets.install("target", &key, object.clone());
        kept.push((relative, object.listed(&key)));
    }
    let listed: Vec<_> = listed.into_values().collect();
    assert_eq!(listed.len(), HOSTILE_OBJECTS, "no key comes twice");
    for (list, objects) in (0..).zip(kept.chunks(10_000)) {
        scene.keep_listed(list, objects, |at| at % 10 != 9);
    }
    let pages = listed.chunks(1_000);
    pages
        .map(|page| format!("{:#}\n", serde_json::json!({"Contents": page})))
        .collect()
}

/// What `examples/digest.py` says of a listing.
fn by_python(listing: &str) -> String {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/digest.py");
    let mut python = Command::new("python3")
        .args([program, "out/"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = python.stdin.take().unwrap();
    stdin.write_all(listing.as_bytes()).unwrap();
    drop(stdin);
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn as_python_says(sum: &SetSum) -> String {
    format!(
        "{} objects, {} bytes, digest {}",
        sum.objects, sum.bytes, sum.digest
    )
}

#[tokio::test]
async fn python_the_command_and_the_report_agree_on_hostile_keys() {
    let scene = Scene::with_input(&[1], serde_json::json!({"mode": "sync"}));
    let listing = fill(&scene);
    let without_the_copied = by_python(&listing);
    scene.copy_everything();
    let proof = scene.reported().await.proof.unwrap();
    assert_eq!(proof.vouched.objects, 90_001);
    let beside = proof.beside.unwrap();
    let (rechecked, found) = scene.recheck().await.unwrap();
    assert_eq!((rechecked.state, found.len()), (TargetState::AsProven, 0));
    assert_eq!(rechecked.seen, proof.vouched.plus(&beside));
    let copied = &scene.shard(0).outcome.vouched;
    let mut kept = proof.vouched.plus(&beside);
    kept.subtract(copied);
    assert_eq!(kept.objects, 100_000);
    assert_eq!(as_python_says(&kept), without_the_copied);
}
