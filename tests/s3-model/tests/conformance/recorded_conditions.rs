//! Conditions, as recorded from AWS: facts 25 to 38 of docs/MODEL.md.

use aws_sdk_s3::primitives::DateTime;

use crate::backend::{
    Backend, Claim, OWNER, copy, copy_source, error_document, etag_of, put, refusal,
};
use crate::refused;
use crate::upload::create;
use crate::versions::versioned;

const LONG_AGO: i64 = 1_000_000_000;
const FAR_AHEAD: i64 = 4_000_000_000;

const CLAIM: Claim = Claim::ModelOnly("not held against the recordings");

/// Facts 25, 26 and 28.
#[tokio::test]
async fn the_first_condition_on_a_source_that_fails_is_named() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "s", "x").await;
    let etag = etag_of(&client, &bucket, "s").await;
    let unquoted = etag.trim_matches('"');
    let past = DateTime::from_secs(LONG_AGO);
    let copy = || copy(&client, &bucket, "s", "t");
    for (request, condition) in [
        (
            copy()
                .copy_source_if_match("0")
                .copy_source_if_unmodified_since(past)
                .copy_source_if_none_match(&etag),
            "If-Match",
        ),
        (
            copy()
                .copy_source_if_unmodified_since(past)
                .copy_source_if_none_match(&etag),
            "If-Unmodified-Since",
        ),
        (copy().copy_source_if_none_match(unquoted), "If-None-Match"),
    ] {
        let document = error_document(request.send().await);
        let named = format!("<Condition>x-amz-copy-source-{condition}</Condition>");
        assert!(document.contains(&named), "{document}");
    }
    let matching = copy().copy_source_if_match(unquoted).send().await;
    matching.expect("quotes may be missing");
    let future = copy().copy_source_if_modified_since(DateTime::from_secs(FAR_AHEAD));
    future.send().await.expect("ignored");
}

/// Facts 26 and 29.
#[tokio::test]
async fn a_part_copy_weighs_conditions_like_a_copy() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "s", "x").await;
    let etag = etag_of(&client, &bucket, "s").await;
    let upload = create(&client, &bucket, |create| create).await;
    let part = || {
        let request = client.upload_part_copy().bucket(&bucket).key("t");
        let request = request.upload_id(&upload.id).part_number(1);
        request.copy_source(copy_source(&bucket, "s"))
    };
    let past = DateTime::from_secs(LONG_AGO);
    let outweighed = part()
        .copy_source_if_match(&etag)
        .copy_source_if_unmodified_since(past);
    outweighed.send().await.expect("the ETag decides");
    let not_outweighed = part()
        .copy_source_if_none_match("0")
        .copy_source_if_unmodified_since(past);
    refused!(not_outweighed, 412, "PreconditionFailed");
    let future = part().copy_source_if_modified_since(DateTime::from_secs(FAR_AHEAD));
    future.send().await.expect("ignored");
}

/// Fact 30.
#[tokio::test]
async fn a_write_has_one_condition_in_the_only_form_there_is() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "k", "x").await;
    let etag = etag_of(&client, &bucket, "k").await;
    let put = || client.put_object().bucket(&bucket).key("k");
    refused!(put().if_match("*"), 501, "NotImplemented");
    refused!(put().if_none_match(&etag), 501, "NotImplemented");
    let both = error_document(put().if_match(&etag).if_none_match("*").send().await);
    assert!(both.contains("<Code>NotImplemented</Code>"), "{both}");
    assert!(
        both.contains("<Header>If-Match,If-None-Match</Header>"),
        "{both}"
    );
    let copy = || copy(&client, &bucket, "k", "c");
    refused!(copy().if_match("*"), 501, "NotImplemented");
    refused!(copy().if_none_match(&etag), 501, "NotImplemented");
    refused!(
        copy().if_match(&etag).if_none_match("*"),
        501,
        "NotImplemented"
    );
    put().if_match(&etag).send().await.expect("an ETag");
}

/// Facts 31 and 32.
#[tokio::test]
async fn a_delete_marker_counts_as_no_object() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let client = backend.client(OWNER);
    let bucket = versioned(&backend, &client).await;
    for key in ["s", "t"] {
        put(&client, &bucket, key, "x").await;
    }
    let etag = etag_of(&client, &bucket, "t").await;
    let delete = client.delete_object().bucket(&bucket).key("t").send();
    delete.await.expect("a marker");
    let copy = || copy(&client, &bucket, "s", "t");
    refused!(copy().if_match(&etag), 404, "NoSuchKey");
    let put = client.put_object().bucket(&bucket).key("t");
    refused!(put.if_match(&etag), 404, "NoSuchKey");
    copy()
        .if_none_match("*")
        .send()
        .await
        .expect("over the marker");
    refused!(copy().if_none_match("*"), 412, "PreconditionFailed");
}

/// Fact 33.
#[tokio::test]
async fn conditions_on_the_target_hold_in_place_too() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "k", "x").await;
    let etag = etag_of(&client, &bucket, "k").await;
    let copy = || copy(&client, &bucket, "k", "k").metadata_directive("REPLACE".into());
    refused!(copy().if_none_match("*"), 412, "PreconditionFailed");
    refused!(copy().if_match("\"0\""), 412, "PreconditionFailed");
    copy().if_match(&etag).send().await.expect("it is there");
}

/// Facts 36 and 37.
#[tokio::test]
async fn a_delete_takes_an_etag_and_no_other_condition() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "k", "x").await;
    let delete = || client.delete_object().bucket(&bucket).key("k");
    refused!(delete().if_match("\"0\""), 412, "PreconditionFailed");
    refused!(delete().if_match_size(1), 501, "NotImplemented");
    let by_date = delete().if_match_last_modified_time(DateTime::from_secs(FAR_AHEAD));
    refused!(by_date, 501, "NotImplemented");
    for name in ["if-none-match", "if-modified-since", "if-unmodified-since"] {
        let request = delete().customize().mutate_request(move |request| {
            request.headers_mut().insert(name, "0");
        });
        assert_eq!(
            refusal(request.send().await),
            (501, "NotImplemented".into())
        );
    }
    let still_there = client.head_object().bucket(&bucket).key("k").send().await;
    still_there.expect("nothing was deleted");
}

/// Fact 38.
#[tokio::test]
async fn a_head_fails_without_a_document() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "k", "x").await;
    let etag = etag_of(&client, &bucket, "k").await;
    let head = |key: &str| client.head_object().bucket(&bucket).key(key);
    for (request, status) in [
        (head("k").if_match("\"0\""), 412),
        (head("k").if_none_match(&etag), 304),
        (head("none"), 404),
    ] {
        let error = request.send().await.expect_err("a refusal");
        let response = error.raw_response().expect("a response");
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(response.body().bytes().unwrap_or_default(), b"");
    }
}
