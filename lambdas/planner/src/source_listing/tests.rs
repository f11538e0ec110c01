use std::collections::BTreeMap;

use shardlift_core::{port::Accounts, run::pair::Source, value::bucket::BucketName};
use shardlift_testkit::{CallScript, MemoryAccounts, MemoryBuckets, MemorySource};

use super::*;

const OPERATIONS: u32 = 200;
const INSTANTS: u32 = 500;
const SECONDS: i64 = 150;

/// What happened, told apart from the bucket: key, second, version, and the size of what was put.
#[derive(Debug)]
struct Told {
    key: String,
    second: i64,
    id: VersionId,
    put: Option<u64>,
}

/// A bucket with a past, and the story of it.
fn random_past(random: &mut fastrand::Rng) -> (MemoryBuckets, Vec<Told>) {
    let buckets = MemoryBuckets::default().with_bucket("source", "111111111111", "eu-west-1");
    buckets.keep_versions("source");
    let (mut told, mut second) = (Vec::<Told>::new(), 0);
    for number in 0..OPERATIONS {
        second += random.i64(0..=2).min(SECONDS - second);
        buckets.set_time(Timestamp::from_millis(
            second * 1_000 + random.i64(0..1_000),
        ));
        let folder = if random.bool() { "p/" } else { "q/" };
        let key = format!("{folder}{}", random.u32(0..12));
        let newest = told.iter().rposition(|told| told.key == key);
        match (random.u32(0..10), newest) {
            // The deletion of the newest is taken back.
            (0, Some(at)) if told[at].put.is_none() => {
                buckets.remove_version("source", &key, &told[at].id);
                told.remove(at);
                continue;
            }
            (0..=3, _) => buckets.remove("source", &key),
            // Older bytes again, or new ones.
            _ => buckets.put("source", &key, &random.u32(0..3).to_string(), number.into()),
        }
        let (id, is_put) = buckets.versions("source", &key).pop().unwrap();
        let put = is_put.then_some(number.into());
        told.push(Told {
            key,
            second,
            id,
            put,
        });
    }
    (buckets, told)
}

/// The state of an instant by the story alone: each key with its version and size.
fn told_state(told: &[Told], instant: Timestamp) -> Vec<(String, VersionId, u64)> {
    let mut state = BTreeMap::new();
    for event in told {
        if event.second * 1_000 > instant.as_millis() || !event.key.starts_with("p/") {
            continue;
        }
        match event.put {
            Some(size) => state.insert(event.key.clone(), (event.id.clone(), size)),
            None => state.remove(&event.key),
        };
    }
    let state = state.into_iter();
    state.map(|(key, (id, size))| (key, id, size)).collect()
}

async fn open(buckets: &MemoryBuckets, page_versions: usize) -> MemorySource {
    let script = CallScript::default();
    let accounts = MemoryAccounts::new(buckets.clone(), "111111111111", page_versions, script);
    let source = Source {
        bucket: BucketName::new("source").unwrap(),
        prefix: KeyPrefix::default(),
        request_payer: false,
    };
    accounts.open_source(&source).await.unwrap()
}

fn told_of(object: ListedObject) -> (String, VersionId, u64) {
    (
        object.key.into(),
        object.version_id.unwrap(),
        object.size_bytes,
    )
}

/// Lists everything after a key, page by page.
async fn listed(
    listing: &SourceListing<'_, MemorySource>,
    after: Option<ObjectKey>,
) -> Vec<(String, VersionId, u64)> {
    let mut request = ListRequest {
        prefix: KeyPrefix::new("p/").unwrap(),
        after,
    };
    let mut found = Vec::new();
    loop {
        let page = listing.list_page(&request).await.unwrap();
        page.check(&request.prefix, request.after.as_ref()).unwrap();
        let through = page.last_key().cloned();
        found.extend(page.objects.into_iter().map(told_of));
        if !page.is_truncated {
            return found;
        }
        request.after = through;
    }
}

#[tokio::test]
async fn a_random_past_is_listed_as_it_was_at_any_instant() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let (buckets, told) = random_past(&mut random);
    let mut objects = 0;
    for _ in 0..INSTANTS {
        let instant = Timestamp::from_millis(random.i64(-1_000..(SECONDS + 2) * 1_000));
        let expected = told_state(&told, instant);
        objects += expected.len();
        let source = open(&buckets, random.usize(1..=9)).await;
        let listing = SourceListing::AsOf(&source, instant);
        assert_eq!(
            listed(&listing, None).await,
            expected,
            "at {instant}, seed {seed}"
        );
        let after = ObjectKey::new(format!("p/{}", random.u32(0..12))).unwrap();
        let behind: Vec<_> = expected
            .iter()
            .filter(|(key, ..)| key.as_str() > after.as_str())
            .cloned()
            .collect();
        let found = listed(&listing, Some(after.clone())).await;
        assert_eq!(found, behind, "after {after} at {instant}, seed {seed}");
        let request = ListRequest {
            prefix: KeyPrefix::new("p/").unwrap(),
            after: Some(after.clone()),
        };
        let first = listing.first_object(&request).await.unwrap().map(told_of);
        assert_eq!(first.as_ref(), behind.first(), "seed {seed}");
        let stood = expected.iter().find(|(key, ..)| *key == after.as_str());
        let object = listing.object(&after).await.unwrap().map(told_of);
        assert_eq!(object.as_ref(), stood, "{after} at {instant}, seed {seed}");
        let next = listing.next_key(&request).await.unwrap();
        let ends_before = |first: &(String, VersionId, u64)| {
            next.as_ref()
                .is_some_and(|next| next.as_str() <= first.0.as_str())
        };
        assert!(first.as_ref().is_none_or(ends_before), "seed {seed}");
    }
    assert!(objects > 500, "{objects} objects are no test, seed {seed}");
}

#[tokio::test]
async fn a_version_is_found_by_its_id_and_a_delete_marker_is_none() {
    let mut random = fastrand::Rng::with_seed(7);
    let (buckets, told) = random_past(&mut random);
    let source = open(&buckets, 2).await;
    let listing = SourceListing::Bucket(&source);
    for event in &told {
        let key = ObjectKey::new(event.key.as_str()).unwrap();
        let found = listing.version(&key, &event.id).await.unwrap();
        assert_eq!(found.map(|object| object.size_bytes), event.put);
    }
    let key = ObjectKey::new(told[0].key.as_str()).unwrap();
    let gone = VersionId::new("gone").unwrap();
    assert_eq!(listing.version(&key, &gone).await.unwrap(), None);
}

#[tokio::test]
async fn what_was_written_in_place_after_the_instant_ends_the_listing() {
    let at = Timestamp::from_millis;
    let buckets = MemoryBuckets::default().with_bucket("source", "111111111111", "eu-west-1");
    buckets.keep_versions("source");
    buckets.set_time(at(1_000));
    buckets.put("source", "p/a", "x", 1);
    buckets.suspend_versions("source");
    buckets.set_time(at(9_000));
    buckets.put("source", "p/b", "x", 1);
    let source = open(&buckets, 10).await;
    let request = ListRequest {
        prefix: KeyPrefix::default(),
        after: None,
    };
    let page = |millis| {
        let listing = SourceListing::AsOf(&source, at(millis));
        let request = request.clone();
        async move { listing.list_page(&request).await }
    };
    let refused = page(8_000).await.unwrap_err();
    assert_eq!(refused.kind, FaultKind::Unknowable);
    assert!(!refused.is_transient());
    assert_eq!(page(9_000).await.unwrap().objects.len(), 2);
}
