//! Metadata, headers and tags, as recorded from AWS: facts 73 to 83 of docs/MODEL.md.

use aws_sdk_s3::types::{Tag, Tagging};
use shardlift_s3_model::ObjectSpec;

use crate::backend::{Backend, Claim, OWNER, error_document, head, put};
use crate::refused;
use crate::signed_request::{has, send, status_and_code};
use crate::versions::with_delete_marker;

const CLAIM: Claim = Claim::ModelOnly("not held against the recordings");

async fn answered(backend: &Backend, bucket: &str, value: &str) -> String {
    let line = format!("x-amz-meta-Some_Name: {value}");
    let path = format!("PUT /{bucket}/k");
    let response = send(backend, &path, &[line.as_bytes()], "x").await;
    assert_eq!(status_and_code(&response, "").0, 200);
    let response = send(backend, &format!("HEAD /{bucket}/k"), &[], "").await;
    let text = String::from_utf8(response).expect("ASCII");
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("x-amz-meta-some_name: "));
    line.expect("a name in lower case, with its underscore")
        .to_owned()
}

/// Facts 73, 74, 75 and 79.
#[tokio::test]
async fn metadata_beyond_ascii_is_answered_encoded() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let bucket = backend.bucket().await;
    let encoded = answered(&backend, &bucket, "f\u{fc}r").await;
    assert_eq!(encoded, "=?UTF-8?B?ZsO8cg==?=");
    for (sent, expected) in [
        ("=?UTF-8?B?ZsO8cg==?=", "=?UTF-8?B?ZsO8cg==?="),
        ("=?UTF-8?Q?f=C3=BCr?=", "=?UTF-8?B?ZsO8cg==?="),
        ("=?UTF-8?B?cGxhaW4=?=", "plain"),
        ("plain", "plain"),
    ] {
        assert_eq!(answered(&backend, &bucket, sent).await, expected, "{sent}");
    }
    let broken = "=?UTF-8?B?====?=";
    assert_ne!(answered(&backend, &bucket, broken).await, broken);
}

/// Facts 77 and 78.
#[tokio::test]
async fn system_headers_are_bytes() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let bucket = backend.bucket().await;
    let sent = "content-disposition: attachment; filename=f\u{fc}r".as_bytes();
    send(&backend, &format!("PUT /{bucket}/k"), &[sent], "x").await;
    let response = send(&backend, &format!("GET /{bucket}/k"), &[], "").await;
    assert!(has(&response, sent), "byte for byte");
    // Not recorded; docs/MODEL.md, assumption S10.
    let latin_1 = b"content-disposition: attachment; filename=f\xfcr";
    send(&backend, &format!("PUT /{bucket}/k"), &[latin_1], "x").await;
    let response = send(&backend, &format!("GET /{bucket}/k"), &[], "").await;
    assert!(has(&response, latin_1), "byte for byte");
    let model = backend.model.as_ref().expect("only the model claims this");
    let view = model.bucket(&bucket).expect("the bucket");
    let by_form = ObjectSpec::literal("x").system_header("cache-control", b"f\xfcr");
    view.put("form", by_form);
    let source = format!("x-amz-copy-source: {bucket}/form");
    let copy = format!("PUT /{bucket}/copy");
    let copied = send(&backend, &copy, &[source.as_bytes()], "").await;
    assert_eq!(status_and_code(&copied, "").0, 200);
    for key in ["form", "copy"] {
        let response = send(&backend, &format!("GET /{bucket}/{key}"), &[], "").await;
        assert!(has(&response, b"cache-control: f\xfcr\r\n"), "ISO-8859-1");
    }
}

/// Fact 80.
#[tokio::test]
async fn the_number_of_tags_is_told_when_there_are_some() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "k", "x").await;
    assert_eq!(head(&client, &bucket, "k").await.tag_count(), None);
    let tagged = client
        .put_object()
        .bucket(&bucket)
        .key("k")
        .tagging("a=1&b=2");
    tagged.send().await.expect("a PUT");
    assert_eq!(head(&client, &bucket, "k").await.tag_count(), Some(2));
    let get = client.get_object().bucket(&bucket).key("k").send().await;
    assert_eq!(get.expect("a GET").tag_count(), Some(2));
}

/// Facts 81 and 82.
#[tokio::test]
async fn tags_of_a_delete_marker_are_not_those_of_a_missing_key() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let client = backend.client(OWNER);
    let (bucket, _marker) = with_delete_marker(&backend, &client).await;
    let get = |key: &str| client.get_object_tagging().bucket(&bucket).key(key);
    let document = error_document(get("k").send().await);
    assert!(
        document.contains("<Code>MethodNotAllowed</Code>"),
        "{document}"
    );
    let kind = "<ResourceType>DeleteMarker</ResourceType>";
    assert!(document.contains(kind), "{document}");
    refused!(get("k"), 405, "MethodNotAllowed");
    let put = client.put_object_tagging().bucket(&bucket).key("k");
    refused!(put.tagging(tagging(&[("a", "b")])), 405, "MethodNotAllowed");
    let delete = client.delete_object_tagging().bucket(&bucket).key("k");
    refused!(delete, 405, "MethodNotAllowed");
    let missing = error_document(get("none").send().await);
    assert!(missing.contains("<Code>NoSuchKey</Code>"), "{missing}");
    assert!(
        missing.contains(&format!("<Key>{bucket}/none</Key>")),
        "{missing}"
    );
}

fn tagging(pairs: &[(&str, &str)]) -> Tagging {
    let tags = pairs.iter().map(|(key, value)| {
        let tag = Tag::builder().key(*key).value(*value);
        tag.build().expect("complete")
    });
    let tagging = Tagging::builder().set_tag_set(Some(tags.collect()));
    tagging.build().expect("complete")
}

/// Fact 83, tags in a document. Tags in a header have a case of their own.
#[tokio::test]
async fn tags_in_a_document_that_break_a_rule_are_refused() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "k", "x").await;
    let put = |pairs: &[(&str, &str)]| {
        let request = client.put_object_tagging().bucket(&bucket).key("k");
        request.tagging(tagging(pairs))
    };
    for pairs in [
        &[("a", "1"), ("a", "2")][..],
        &[("a,b", "1")],
        &[("a", "1,2")],
        &[("aws:a", "1")],
    ] {
        refused!(put(pairs), 400, "InvalidTag");
    }
    let allowed = put(&[("\u{e9} +-=._:/@", ""), ("b", "2")]).send().await;
    allowed.expect("letters of any script, a space, and these signs");
    let document = "<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>";
    let path = format!("PUT /{bucket}/k?tagging");
    let response = send(&backend, &path, &[], document).await;
    assert_eq!(status_and_code(&response, "MalformedXML"), (400, true));
}
