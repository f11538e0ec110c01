//! ListObjectsV2 and ListObjects.

use aws_sdk_s3::types::{EncodingType, OptionalObjectAttributes, RestoreRequest, StorageClass};

use crate::backend::{Backend, Claim, OWNER, put};
use crate::refused;

const HOSTILE: [&str; 9] = [
    "!", "a b", "a+b", "a/b", "a/c/d", "a&<\">'", "é", "\u{FFFD}", "😀",
];

async fn filled(backend: &Backend, keys: &[&str]) -> String {
    let bucket = backend.bucket().await;
    for key in keys {
        put(&backend.client(OWNER), &bucket, key, key.as_bytes()).await;
    }
    bucket
}

#[tokio::test]
async fn keys_are_listed_in_utf8_byte_order() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let bucket = filled(&backend, &HOSTILE).await;
    let response = backend
        .client(OWNER)
        .list_objects_v2()
        .bucket(&bucket)
        .send()
        .await
        .expect("a listing");
    let keys: Vec<&str> = response
        .contents()
        .iter()
        .filter_map(|object| object.key())
        .collect();
    let mut expected = HOSTILE.to_vec();
    // U+FFFD sorts before the emoji in UTF-8, after it in UTF-16.
    expected.sort_by_key(|key| key.as_bytes());
    assert_eq!(keys, expected);
    assert_eq!(response.key_count(), Some(9));
    assert_eq!(response.is_truncated(), Some(false));
}

#[tokio::test]
async fn pages_cover_the_listing_without_gaps_or_overlaps() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let keys: Vec<String> = (0..23).map(|n| format!("k{n:02}")).collect();
    let bucket = filled(
        &backend,
        &keys.iter().map(String::as_str).collect::<Vec<_>>(),
    )
    .await;
    let mut pages = backend
        .client(OWNER)
        .list_objects_v2()
        .bucket(&bucket)
        .max_keys(7)
        .into_paginator()
        .send();
    let (mut listed, mut sizes) = (Vec::new(), Vec::new());
    while let Some(page) = pages.next().await {
        let page = page.expect("a page");
        sizes.push(page.contents().len());
        listed.extend(
            page.contents()
                .iter()
                .filter_map(|object| object.key().map(str::to_owned)),
        );
    }
    assert_eq!(listed, keys);
    assert_eq!(sizes, [7, 7, 7, 2]);
}

#[tokio::test]
async fn a_made_up_continuation_token_is_refused() {
    let Some(backend) = Backend::open(Claim::ModelOnly("takes any token")).await else {
        return;
    };
    let bucket = backend.bucket().await;
    let request = backend
        .client(OWNER)
        .list_objects_v2()
        .bucket(&bucket)
        .continuation_token("made up");
    refused!(request, 400, "InvalidArgument");
}

#[tokio::test]
async fn start_after_is_exclusive_and_need_not_exist() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let bucket = filled(&backend, &["a", "b", "c"]).await;
    for (after, first) in [
        ("a", Some("b")),
        ("aa", Some("b")),
        ("", Some("a")),
        ("c", None),
    ] {
        let response = backend
            .client(OWNER)
            .list_objects_v2()
            .bucket(&bucket)
            .start_after(after)
            .send()
            .await
            .expect("a listing");
        assert_eq!(
            response.contents().first().and_then(|object| object.key()),
            first,
            "after {after:?}"
        );
    }
}

#[tokio::test]
async fn a_delimiter_rolls_keys_up_and_counts_them_as_one() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let bucket = filled(&backend, &["a", "b/1", "b/2", "c/1/x", "d"]).await;
    let client = backend.client(OWNER);
    let response = client
        .list_objects_v2()
        .bucket(&bucket)
        .delimiter("/")
        .send()
        .await
        .expect("a listing");
    let prefixes: Vec<_> = response
        .common_prefixes()
        .iter()
        .filter_map(|common| common.prefix())
        .collect();
    let keys: Vec<_> = response
        .contents()
        .iter()
        .filter_map(|object| object.key())
        .collect();
    assert_eq!(
        (keys, prefixes, response.key_count()),
        (vec!["a", "d"], vec!["b/", "c/"], Some(4))
    );
    let inside = client
        .list_objects_v2()
        .bucket(&bucket)
        .prefix("c/")
        .delimiter("/")
        .send()
        .await
        .expect("a listing");
    assert_eq!(
        inside
            .common_prefixes()
            .first()
            .and_then(|common| common.prefix()),
        Some("c/1/")
    );
    assert!(inside.contents().is_empty());
}

#[tokio::test]
async fn pages_of_a_rolled_up_listing_repeat_no_prefix() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let bucket = filled(&backend, &["a", "b/1", "b/2", "c/1", "c/2", "d"]).await;
    let mut pages = backend
        .client(OWNER)
        .list_objects_v2()
        .bucket(&bucket)
        .delimiter("/")
        .max_keys(1)
        .into_paginator()
        .send();
    let mut listed = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.expect("a page");
        listed.extend(
            page.contents()
                .iter()
                .filter_map(|object| object.key().map(str::to_owned)),
        );
        listed.extend(
            page.common_prefixes()
                .iter()
                .filter_map(|common| common.prefix().map(str::to_owned)),
        );
    }
    assert_eq!(listed, ["a", "b/", "c/", "d"]);
}

#[tokio::test]
async fn a_request_for_zero_keys_gets_an_empty_and_complete_page() {
    let Some(backend) = Backend::open(Claim::ModelOnly("calls the empty page truncated")).await
    else {
        return;
    };
    let bucket = filled(&backend, &["a"]).await;
    let response = backend
        .client(OWNER)
        .list_objects_v2()
        .bucket(&bucket)
        .max_keys(0)
        .send()
        .await
        .expect("a listing");
    assert_eq!(
        (response.key_count(), response.is_truncated()),
        (Some(0), Some(false))
    );
}

#[tokio::test]
async fn keys_are_url_encoded_on_request_with_a_plus_for_a_space() {
    let Some(backend) = Backend::open(Claim::ModelOnly("writes %20 for a space")).await else {
        return;
    };
    let bucket = filled(&backend, &["a b+c/100%é"]).await;
    let request = backend
        .client(OWNER)
        .list_objects_v2()
        .bucket(&bucket)
        .encoding_type(EncodingType::Url);
    let response = request.send().await.expect("a listing");
    assert_eq!(response.contents()[0].key(), Some("a+b%2Bc/100%25%C3%A9"));
    assert_eq!(response.encoding_type(), Some(&EncodingType::Url));
}

#[tokio::test]
async fn an_unknown_encoding_is_refused() {
    let Some(backend) = Backend::open(Claim::ModelOnly("ignores it")).await else {
        return;
    };
    let bucket = backend.bucket().await;
    let request = backend
        .client(OWNER)
        .list_objects_v2()
        .bucket(&bucket)
        .encoding_type(EncodingType::from("base64"));
    refused!(request, 400, "InvalidArgument");
}

#[tokio::test]
async fn control_characters_survive_a_url_encoded_listing() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let bucket = filled(&backend, &["a\u{1}b\n"]).await;
    let request = backend
        .client(OWNER)
        .list_objects_v2()
        .bucket(&bucket)
        .encoding_type(EncodingType::Url);
    assert_eq!(
        request.send().await.expect("a listing").contents()[0].key(),
        Some("a%01b%0A")
    );
}

#[tokio::test]
async fn listing_a_missing_bucket_fails() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    refused!(
        backend
            .client(OWNER)
            .list_objects_v2()
            .bucket("no-such-bucket-at-all"),
        404,
        "NoSuchBucket"
    );
}

#[tokio::test]
async fn list_objects_continues_from_markers() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let bucket = filled(&backend, &["a", "b/1", "b/2", "c"]).await;
    let client = backend.client(OWNER);
    let first = client
        .list_objects()
        .bucket(&bucket)
        .delimiter("/")
        .max_keys(2)
        .send()
        .await
        .expect("a page");
    assert_eq!(
        (first.is_truncated(), first.next_marker()),
        (Some(true), Some("b/"))
    );
    let second = client
        .list_objects()
        .bucket(&bucket)
        .delimiter("/")
        .marker("b/")
        .send()
        .await
        .expect("a page");
    assert_eq!(
        second.contents().first().and_then(|object| object.key()),
        Some("c")
    );
    assert!(second.common_prefixes().is_empty());
}

/// docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreStatus.html: "If the object hasn't been restored, there is no header
/// response."
#[tokio::test]
async fn a_listing_tells_of_a_restore_where_it_is_asked_and_there_was_one() {
    let Some(backend) = Backend::open(Claim::ModelOnly("tells nothing of restores")).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    for key in ["frozen", "thawed"] {
        let put = client.put_object().bucket(&bucket).key(key);
        let put = put.storage_class(StorageClass::Glacier);
        put.send().await.expect("a PUT");
    }
    let restore = client.restore_object().bucket(&bucket).key("thawed");
    let request = RestoreRequest::builder().days(1).build();
    let restore = restore.restore_request(request);
    restore.send().await.expect("a restore");
    let list = || client.list_objects_v2().bucket(&bucket);
    let asked = list().optional_object_attributes(OptionalObjectAttributes::RestoreStatus);
    let asked = asked.send().await.expect("a page");
    let [frozen, thawed] = asked.contents() else {
        panic!("{asked:?}")
    };
    assert_eq!(frozen.restore_status(), None);
    let status = thawed.restore_status().expect("it was restored");
    assert_eq!(status.is_restore_in_progress(), Some(false));
    assert!(status.restore_expiry_date().is_some());
    let unasked = list().send().await.expect("a page");
    assert!(
        unasked
            .contents()
            .iter()
            .all(|object| object.restore_status().is_none())
    );
}
