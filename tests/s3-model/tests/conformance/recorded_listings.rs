//! Listings, as recorded from AWS: facts 93 to 101 of docs/MODEL.md.

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, EncodingType};

use crate::backend::{Backend, Claim, OWNER, put};
use crate::refused;
use crate::signed_request::{send, status_and_code};
use crate::upload::create;

const CLAIM: Claim = Claim::ModelOnly("not held against the recordings");

async fn filled(backend: &Backend, keys: &[&str]) -> String {
    let bucket = backend.bucket().await;
    for key in keys {
        put(&backend.client(OWNER), &bucket, key, "x").await;
    }
    bucket
}

const FOLDERS: [&str; 4] = ["f/a/1", "f/a/2", "f/b", "f/c"];

/// Fact 93.
#[tokio::test]
async fn url_encoding_covers_the_equals_sign_and_has_one_name() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let bucket = filled(&backend, &["a=1", "b=2"]).await;
    let client = backend.client(OWNER);
    let list = client.list_objects_v2().bucket(&bucket).start_after("a=1");
    let page = list.encoding_type(EncodingType::Url).send().await;
    let page = page.expect("a page");
    assert_eq!(page.start_after(), Some("a%3D1"));
    assert_eq!(page.contents()[0].key(), Some("b%3D2"));
    for listing in ["list-type=2", "max-keys=1", "versions", "uploads"] {
        for value in ["", "base64"] {
            let line = format!("GET /{bucket}?{listing}&encoding-type={value}");
            let response = send(&backend, &line, &[], "").await;
            let expected = (400, true);
            assert_eq!(status_and_code(&response, "InvalidArgument"), expected);
        }
    }
}

/// Fact 94.
#[tokio::test]
async fn a_token_is_not_empty_and_outweighs_the_start() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let bucket = filled(&backend, &["a", "b", "c"]).await;
    let client = backend.client(OWNER);
    let list = || client.list_objects_v2().bucket(&bucket);
    for line in ["", "&start-after=a"] {
        let line = format!("GET /{bucket}?list-type=2&continuation-token={line}");
        let response = send(&backend, &line, &[], "").await;
        assert_eq!(status_and_code(&response, "InvalidArgument"), (400, true));
    }
    let first = list().max_keys(1).send().await.expect("a page");
    let token = first.next_continuation_token().expect("a token");
    let second = list()
        .continuation_token(token)
        .start_after("b")
        .send()
        .await;
    let second = second.expect("a page");
    assert_eq!(second.contents()[0].key(), Some("b"));
    assert_eq!(second.start_after(), None);
}

/// Facts 95 and 96.
#[tokio::test]
async fn a_marker_inside_a_common_prefix_skips_it() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let bucket = filled(&backend, &FOLDERS).await;
    let client = backend.client(OWNER);
    let list = |marker: &str| {
        let request = client.list_objects().bucket(&bucket).prefix("f/");
        request.delimiter("/").max_keys(1).marker(marker)
    };
    let first = list("").send().await.expect("a page");
    assert_eq!(first.common_prefixes()[0].prefix(), Some("f/a/"));
    assert_eq!(first.next_marker(), Some("f/a/"));
    for marker in ["f/a/", "f/a/1"] {
        let page = list(marker).send().await.expect("a page");
        assert_eq!(page.contents()[0].key(), Some("f/b"), "{marker}");
    }
    let at_prefix = list("f/").send().await.expect("a page");
    assert_eq!(at_prefix.common_prefixes().len(), 1, "it rolls nothing up");
    let counted = client.list_objects_v2().bucket(&bucket).prefix("f/");
    let counted = counted.delimiter("/").send().await.expect("a page");
    assert_eq!(counted.key_count(), Some(3));
    // The model does not list versions with a delimiter.
    let versions = client.list_object_versions().bucket(&bucket).delimiter("/");
    refused!(versions, 501, "NotImplemented");
}

/// Facts 97 and 98.
#[tokio::test]
async fn uploads_are_listed_in_the_order_of_their_creation() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let list = || client.list_multipart_uploads().bucket(&bucket);
    let empty = list().send().await.expect("a page");
    assert_eq!(empty.next_key_marker(), Some(""));
    assert_eq!(empty.next_upload_id_marker(), Some(""));
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(create(&client, &bucket, |create| create).await.id);
    }
    let named = client.create_multipart_upload().bucket(&bucket).key("a");
    let named = named
        .checksum_algorithm(ChecksumAlgorithm::Crc32)
        .send()
        .await;
    let other = named.expect("an upload").upload_id.expect("an id");
    let all = list().send().await.expect("a page");
    let listed: Vec<_> = all
        .uploads()
        .iter()
        .filter_map(|found| found.upload_id())
        .collect();
    assert_eq!(listed[0], other, "by key");
    assert_eq!(listed[1..], ids, "and by creation");
    assert_eq!(all.next_key_marker(), Some("t"), "on the last page too");
    assert_eq!(all.next_upload_id_marker(), Some(ids[3].as_str()));
    let first = &all.uploads()[0];
    assert_eq!(first.checksum_algorithm(), Some(&ChecksumAlgorithm::Crc32));
    assert_eq!(first.checksum_type(), Some(&ChecksumType::Composite));
    let rest = list().key_marker("t").upload_id_marker(&ids[1]);
    let rest = rest.send().await.expect("a page");
    let rest: Vec<_> = rest
        .uploads()
        .iter()
        .filter_map(|found| found.upload_id())
        .collect();
    assert_eq!(rest, ids[2..]);
    let foreign = list().key_marker("t").upload_id_marker(&other);
    refused!(foreign, 400, "InvalidArgument");
    let ignored = list()
        .upload_id_marker(&ids[3])
        .send()
        .await
        .expect("a page");
    assert_eq!(ignored.uploads().len(), 5);
    assert_eq!(ignored.upload_id_marker(), Some(""));
}

/// The owner is told by canonical user id, which is not the number of the account.
#[tokio::test]
async fn an_owner_is_a_canonical_id() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let bucket = filled(&backend, &["k"]).await;
    let client = backend.client(OWNER);
    create(&client, &bucket, |create| create).await;
    let page = client
        .list_objects_v2()
        .bucket(&bucket)
        .fetch_owner(true)
        .send()
        .await;
    let page = page.expect("a page");
    let owner = page.contents()[0].owner().and_then(|owner| owner.id());
    assert_eq!(owner.map(str::len), Some(64));
    let uploads = client.list_multipart_uploads().bucket(&bucket).send().await;
    let uploads = uploads.expect("the uploads");
    let upload = &uploads.uploads()[0];
    assert_eq!(upload.owner().and_then(|owner| owner.id()), owner);
    assert_eq!(upload.initiator().and_then(|found| found.id()), owner);
}

/// Facts 95 and 99.
#[tokio::test]
async fn a_page_of_uploads_that_ends_on_a_common_prefix_has_no_next_markers() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    for key in FOLDERS {
        let upload = client.create_multipart_upload().bucket(&bucket).key(key);
        upload.send().await.expect("an upload");
    }
    let list = |marker: &str| {
        let request = client.list_multipart_uploads().bucket(&bucket).prefix("f/");
        request.delimiter("/").max_uploads(1).key_marker(marker)
    };
    let first = list("").send().await.expect("a page");
    assert_eq!(first.is_truncated(), Some(true));
    assert_eq!(first.next_key_marker(), Some(""));
    assert_eq!(first.next_upload_id_marker(), Some(""));
    let inside = list("f/a/1").send().await.expect("a page");
    assert_eq!(inside.uploads()[0].key(), Some("f/b"), "it is skipped");
}

/// Fact 100.
#[tokio::test]
async fn a_version_marker_needs_a_key_marker() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let bucket = filled(&backend, &["k"]).await;
    let client = backend.client(OWNER);
    let list = || client.list_object_versions().bucket(&bucket);
    refused!(list().version_id_marker("null"), 400, "InvalidArgument");
    let malformed = list().key_marker("k").version_id_marker("nonsense");
    refused!(malformed, 400, "InvalidArgument");
}

/// Fact 101.
#[tokio::test]
async fn parts_beyond_the_last_are_an_empty_page() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let upload = create(&client, &bucket, |create| create).await;
    upload.put(1, 9).await;
    let list = client
        .list_parts()
        .bucket(&bucket)
        .key("t")
        .upload_id(&upload.id);
    let page = list.part_number_marker("10").send().await.expect("a page");
    assert!(page.parts().is_empty());
    assert_eq!(page.is_truncated(), Some(false));
    assert_eq!(page.next_part_number_marker(), Some("0"));
}
