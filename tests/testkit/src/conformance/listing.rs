use shardlift_core::{
    port::{BucketListing, ListRequest},
    value::{
        key::{KeyPrefix, ObjectKey},
        object::ListedObject,
    },
};

use super::HOSTILE_KEYS;

/// What every listing does. `put` writes an object of that many bytes into the listed bucket, which is empty.
pub async fn listing_keeps_its_promises(listing: &impl BucketListing, put: impl Fn(&str, u64)) {
    assert_eq!(keys_under(listing, "").await, Vec::<String>::new());
    for (size, key) in (0..).zip(HOSTILE_KEYS) {
        put(key, size);
        put(&format!("under/{key}"), size);
    }
    hostile_keys_come_back(listing).await;
    a_listing_goes_on_after_any_key(listing).await;
    many_pages_hold_every_key_once(listing, &put).await;
}

async fn hostile_keys_come_back(listing: &impl BucketListing) {
    let expected: Vec<String> = HOSTILE_KEYS
        .iter()
        .map(|key| format!("under/{key}"))
        .collect();
    assert_eq!(keys_under(listing, "under/").await, expected);
    for (size, key) in (0_u64..).zip(HOSTILE_KEYS) {
        let listed = objects_under(listing, key).await;
        let own = listed.iter().find(|object| object.key.as_str() == *key);
        let own = own.unwrap_or_else(|| panic!("{key:?} is not listed under itself"));
        assert_eq!(own.size_bytes, size, "{key:?}");
        assert!(!own.etag.as_str().contains('"'));
    }
    assert_eq!(
        keys_under(listing, "absent/").await,
        Vec::<String>::new(),
        "an empty page is a response"
    );
}

async fn a_listing_goes_on_after_any_key(listing: &impl BucketListing) {
    let all = keys_under(listing, "under/").await;
    for (position, key) in all.iter().enumerate() {
        let request = ListRequest {
            prefix: KeyPrefix::new("under/").expect("a prefix"),
            after: Some(ObjectKey::new(key.as_str()).expect("a key")),
        };
        let page = listing.list_page(&request).await.expect("a page");
        let first = page.objects.first().map(|object| object.key.as_str());
        assert_eq!(first, all.get(position + 1).map(String::as_str), "{key:?}");
    }
}

async fn many_pages_hold_every_key_once(listing: &impl BucketListing, put: &impl Fn(&str, u64)) {
    // More than two full pages at S3, which gives at most 1,000 keys each.
    const OBJECTS: u32 = 2_001;
    let expected: Vec<String> = (0..OBJECTS)
        .map(|number| format!("many/{number:06}"))
        .collect();
    for key in &expected {
        put(key, 1);
    }
    assert_eq!(keys_under(listing, "many/").await, expected);
}

/// The keys under a prefix, page by page.
pub async fn keys_under(listing: &impl BucketListing, prefix: &str) -> Vec<String> {
    objects_under(listing, prefix)
        .await
        .into_iter()
        .map(|object| object.key.into())
        .collect()
}

async fn objects_under(listing: &impl BucketListing, prefix: &str) -> Vec<ListedObject> {
    let mut request = ListRequest {
        prefix: KeyPrefix::new(prefix).expect("a prefix"),
        after: None,
    };
    let mut objects: Vec<ListedObject> = Vec::new();
    loop {
        let page = listing.list_page(&request).await.expect("a page");
        assert!(page.objects.len() <= 1_000);
        objects.extend(page.objects);
        if !page.is_truncated {
            return objects;
        }
        request.after = objects.last().map(|object| object.key.clone());
    }
}
