//! Conditions on the object that is read, copied or overwritten.

use aws_sdk_s3::primitives::DateTime;

use crate::backend::{Backend, Claim, OWNER, copy, head, put};
use crate::refused;

const LONG_AGO: i64 = 1_000_000_000;
const FAR_AHEAD: i64 = 4_000_000_000;

#[tokio::test]
async fn reads_obey_if_match_and_if_none_match() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "k", "x").await;
    let head = head(&client, &bucket, "k").await;
    let etag = head.e_tag().expect("an ETag");
    let get = || client.get_object().bucket(&bucket).key("k");
    get().if_match(etag).send().await.expect("the same");
    refused!(get().if_match("\"0\""), 412, "PreconditionFailed");
    get().if_none_match("\"0\"").send().await.expect("another");
    let error = get()
        .if_none_match(etag)
        .send()
        .await
        .expect_err("not modified");
    assert_eq!(
        error
            .raw_response()
            .map(|response| response.status().as_u16()),
        Some(304)
    );
}

/// Facts 26 and 27.
#[tokio::test]
async fn reads_obey_dates() {
    let claim = Claim::ModelOnly("takes dates in the future");
    let Some(backend) = Backend::open(claim).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "k", "x").await;
    let get = || client.get_object().bucket(&bucket).key("k");
    get()
        .if_modified_since(DateTime::from_secs(LONG_AGO))
        .send()
        .await
        .expect("modified since");
    let written = head(&client, &bucket, "k").await;
    let written = *written.last_modified().expect("a date");
    let at_once = get().if_modified_since(written).send().await;
    let status = at_once
        .expect_err("not modified")
        .raw_response()
        .map(|response| response.status().as_u16());
    assert_eq!(status, Some(304));
    let unmodified = get().if_unmodified_since(written).send().await;
    unmodified.expect("the same instant");
    get()
        .if_modified_since(DateTime::from_secs(FAR_AHEAD))
        .send()
        .await
        .expect("a date in the future is ignored");
    refused!(
        get().if_unmodified_since(DateTime::from_secs(LONG_AGO)),
        412,
        "PreconditionFailed"
    );
}

#[tokio::test]
async fn a_put_obeys_if_none_match_and_if_match() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let put = || client.put_object().bucket(&bucket).key("k");
    refused!(put().if_match("\"0\""), 404, "NoSuchKey");
    let etag = put()
        .if_none_match("*")
        .send()
        .await
        .expect("nothing is there")
        .e_tag()
        .map(str::to_owned);
    refused!(put().if_none_match("*"), 412, "PreconditionFailed");
    refused!(put().if_match("\"0\""), 412, "PreconditionFailed");
    put()
        .set_if_match(etag)
        .send()
        .await
        .expect("the expected object is there");
}

/// Fact 31.
#[tokio::test]
async fn a_copy_obeys_conditions_on_the_object_it_overwrites() {
    let Some(backend) = Backend::open(Claim::ModelOnly("ignores them on CopyObject")).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "s", "x").await;
    let copy = || copy(&client, &bucket, "s", "t");
    refused!(copy().if_match("\"0\""), 404, "NoSuchKey");
    copy()
        .if_none_match("*")
        .send()
        .await
        .expect("nothing is there");
    refused!(copy().if_none_match("*"), 412, "PreconditionFailed");
    refused!(copy().if_match("\"0\""), 412, "PreconditionFailed");
    let there = head(&client, &bucket, "t").await;
    copy()
        .set_if_match(there.e_tag().map(str::to_owned))
        .send()
        .await
        .expect("the expected object is there");
}

#[tokio::test]
async fn a_copy_obeys_conditions_on_its_source() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "s", "x").await;
    let head = head(&client, &bucket, "s").await;
    let etag = head.e_tag().expect("an ETag");
    let copy = || copy(&client, &bucket, "s", "t");
    copy()
        .copy_source_if_match(etag)
        .send()
        .await
        .expect("the same");
    refused!(
        copy().copy_source_if_match("\"0\""),
        412,
        "PreconditionFailed"
    );
    copy()
        .copy_source_if_none_match("\"0\"")
        .send()
        .await
        .expect("another");
    refused!(
        copy().copy_source_if_none_match(etag),
        412,
        "PreconditionFailed"
    );
}

#[tokio::test]
async fn a_copy_obeys_dates_of_its_source() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "s", "x").await;
    let head = head(&client, &bucket, "s").await;
    let etag = head.e_tag().expect("an ETag");
    let copy = || copy(&client, &bucket, "s", "t");
    copy()
        .copy_source_if_modified_since(DateTime::from_secs(LONG_AGO))
        .send()
        .await
        .expect("modified since");
    let unmodified = || copy().copy_source_if_unmodified_since(DateTime::from_secs(LONG_AGO));
    refused!(unmodified(), 412, "PreconditionFailed");
    // A matching ETag outweighs the date.
    unmodified()
        .copy_source_if_match(etag)
        .send()
        .await
        .expect("the ETag matches");
}
