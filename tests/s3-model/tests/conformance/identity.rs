//! Identities, permissions and signatures.

use std::io::{Read, Write};
use std::net::TcpStream;

use aws_sdk_s3::types::{ObjectCannedAcl, ServerSideEncryption};
use shardlift_s3_model::{Principal, Weather};

use crate::backend::{Backend, Claim, OWNER, STRANGER, copy_source, number, put};
use crate::refused;

pub(crate) fn policy(bucket: &str, effect: &str, actions: &str, resource: &str) -> String {
    let stranger = number(STRANGER);
    format!(
        r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "{effect}", "Principal": {{"AWS": "arn:aws:iam::{stranger}:root"}},
            "Action": [{actions}], "Resource": "arn:aws:s3:::{bucket}{resource}"}}]}}"#
    )
}

pub(crate) async fn set_policy(backend: &Backend, bucket: &str, policy: String) {
    backend
        .client(OWNER)
        .put_bucket_policy()
        .bucket(bucket)
        .policy(policy)
        .send()
        .await
        .expect("a policy");
}

#[tokio::test]
async fn another_account_needs_the_bucket_policy() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, stranger) = (backend.bucket().await, backend.client(STRANGER));
    put(&backend.client(OWNER), &bucket, "k", "x").await;
    let get = || stranger.get_object().bucket(&bucket).key("k");
    refused!(get(), 403, "AccessDenied");
    refused!(
        stranger.list_objects_v2().bucket(&bucket),
        403,
        "AccessDenied"
    );
    set_policy(
        &backend,
        &bucket,
        policy(&bucket, "Allow", "\"s3:GetObject\"", "/*"),
    )
    .await;
    get().send().await.expect("granted");
    refused!(
        stranger.put_object().bucket(&bucket).key("k"),
        403,
        "AccessDenied"
    );
}

#[tokio::test]
async fn a_denial_overrides_the_rights_of_the_owner() {
    let Some(backend) = Backend::open(Claim::ModelOnly("lets the account's root pass")).await
    else {
        return;
    };
    let (bucket, owner) = (backend.bucket().await, backend.client(OWNER));
    put(&owner, &bucket, "k", "x").await;
    let document = policy(&bucket, "Deny", "\"s3:GetObject\"", "/k")
        .replace(&number(STRANGER), &number(OWNER));
    set_policy(&backend, &bucket, document).await;
    refused!(
        owner.get_object().bucket(&bucket).key("k"),
        403,
        "AccessDenied"
    );
    owner
        .head_bucket()
        .bucket(&bucket)
        .send()
        .await
        .expect("other actions are still allowed");
}

#[tokio::test]
async fn without_permission_to_list_a_missing_key_is_not_revealed() {
    let Some(backend) = Backend::open(Claim::ModelOnly("responds with 404")).await else {
        return;
    };
    let (bucket, stranger) = (backend.bucket().await, backend.client(STRANGER));
    set_policy(
        &backend,
        &bucket,
        policy(&bucket, "Allow", "\"s3:GetObject\"", "/*"),
    )
    .await;
    refused!(
        stranger.get_object().bucket(&bucket).key("none"),
        403,
        "AccessDenied"
    );
    let both = policy(&bucket, "Allow", "\"s3:GetObject\", \"s3:ListBucket\"", "*");
    set_policy(&backend, &bucket, both).await;
    refused!(
        stranger.get_object().bucket(&bucket).key("none"),
        404,
        "NoSuchKey"
    );
}

#[tokio::test]
async fn a_copy_across_accounts_needs_both_sides() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (source, stranger) = (backend.bucket().await, backend.client(STRANGER));
    put(&backend.client(OWNER), &source, "k", "x").await;
    let target = format!("{source}-t");
    stranger
        .create_bucket()
        .bucket(&target)
        .send()
        .await
        .expect("a bucket of the stranger");
    let copy = || {
        stranger
            .copy_object()
            .bucket(&target)
            .key("k")
            .copy_source(copy_source(&source, "k"))
    };
    refused!(copy(), 403, "AccessDenied");
    set_policy(
        &backend,
        &source,
        policy(&source, "Allow", "\"s3:GetObject\"", "/*"),
    )
    .await;
    copy().send().await.expect("granted on both sides");
}

#[tokio::test]
async fn copying_a_tagged_source_needs_permission_to_read_tags() {
    let Some(backend) = Backend::open(Claim::ModelOnly("does not ask for it")).await else {
        return;
    };
    let (source, stranger) = (backend.bucket().await, backend.client(STRANGER));
    backend
        .client(OWNER)
        .put_object()
        .bucket(&source)
        .key("k")
        .tagging("a=b")
        .send()
        .await
        .expect("a PUT");
    let target = format!("{source}-t");
    stranger
        .create_bucket()
        .bucket(&target)
        .send()
        .await
        .expect("a bucket of the stranger");
    let copy = || {
        stranger
            .copy_object()
            .bucket(&target)
            .key("k")
            .copy_source(copy_source(&source, "k"))
    };
    set_policy(
        &backend,
        &source,
        policy(&source, "Allow", "\"s3:GetObject\"", "/*"),
    )
    .await;
    refused!(copy(), 403, "AccessDenied");
    let replacing = copy().tagging_directive(aws_sdk_s3::types::TaggingDirective::Replace);
    replacing
        .send()
        .await
        .expect("tags that are replaced are not read");
    let both = policy(
        &source,
        "Allow",
        "\"s3:GetObject\", \"s3:GetObjectTagging\"",
        "/*",
    );
    set_policy(&backend, &source, both).await;
    copy().send().await.expect("granted");
}

#[tokio::test]
async fn an_unsupported_policy_is_refused() {
    let Some(backend) = Backend::open(Claim::ModelOnly("takes an empty policy")).await else {
        return;
    };
    let bucket = backend.bucket().await;
    let request = |policy: &str| {
        backend
            .client(OWNER)
            .put_bucket_policy()
            .bucket(&bucket)
            .policy(policy)
    };
    refused!(request("{}"), 400, "MalformedPolicy");
    refused!(
        backend.client(OWNER).get_bucket_policy().bucket(&bucket),
        404,
        "NoSuchBucketPolicy"
    );
}

#[tokio::test]
async fn registered_keys_stand_for_their_principals_until_they_expire() {
    let Some(backend) = Backend::open(Claim::ModelOnly("has its own IAM")).await else {
        return;
    };
    let bucket = backend.bucket().await;
    let model = backend
        .model
        .as_ref()
        .expect("only the model claims this case");
    let list = |key: &'static str| {
        backend
            .client_in(key, "us-east-1")
            .list_objects_v2()
            .bucket(&bucket)
    };
    model.register("ASIASESSION", Principal::role(STRANGER, "copier"));
    refused!(list("ASIASESSION"), 403, "AccessDenied");
    model.register("ASIASESSION", Principal::role(OWNER, "copier"));
    list("ASIASESSION")
        .send()
        .await
        .expect("a role of the owner");
    model.register(
        "ASIASESSION",
        Principal::role(OWNER, "copier").expires_s(1_000_000_000),
    );
    refused!(list("ASIASESSION"), 400, "ExpiredToken");
    list("ASIAUNKNOWN")
        .send()
        .await
        .expect("any other key is the owner's root");
    model.register_any_other(Principal::root(STRANGER));
    refused!(list("ASIAUNKNOWN"), 403, "AccessDenied");
}

#[tokio::test]
async fn the_tag_count_needs_permission_to_read_tags() {
    let Some(backend) = Backend::open(Claim::ModelOnly("reports it to every caller")).await else {
        return;
    };
    let (bucket, stranger) = (backend.bucket().await, backend.client(STRANGER));
    let put = backend.client(OWNER).put_object().bucket(&bucket).key("k");
    put.tagging("a=b").send().await.expect("a PUT");
    let both = "\"s3:GetObject\", \"s3:GetObjectTagging\"";
    for (actions, expected) in [("\"s3:GetObject\"", None), (both, Some(1))] {
        set_policy(&backend, &bucket, policy(&bucket, "Allow", actions, "/*")).await;
        let head = stranger.head_object().bucket(&bucket).key("k").send().await;
        assert_eq!(head.expect("a HEAD").tag_count(), expected, "{actions}");
    }
}

#[tokio::test]
async fn a_date_more_than_15_minutes_off_is_refused() {
    let Some(backend) = Backend::open(Claim::ModelOnly("does not look at dates")).await else {
        return;
    };
    let model = backend
        .model
        .as_ref()
        .expect("only the model claims this case");
    let list = || backend.client(OWNER).list_buckets();
    model.set_weather(Weather {
        clock_skew_s: 14 * 60,
        ..Weather::default()
    });
    list().send().await.expect("within bounds");
    model.set_weather(Weather {
        clock_skew_s: -16 * 60,
        ..Weather::default()
    });
    refused!(list(), 403, "RequestTimeTooSkewed");
}

/// Sends a request with this header and returns the whole response.
fn raw(backend: &Backend, authorization: &str) -> String {
    let address = backend.endpoint_url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("the server listens");
    let head =
        format!("GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{authorization}\r\n");
    stream.write_all(head.as_bytes()).expect("a request");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("a response");
    response
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_must_be_present_and_well_formed() {
    let Some(backend) = Backend::open(Claim::ModelOnly("takes requests without one")).await else {
        return;
    };
    for (authorization, code) in [
        ("", "AccessDenied"),
        ("authorization: Basic Zm9v\r\n", "InvalidRequest"),
        (
            "authorization: AWS4-HMAC-SHA256 SignedHeaders=host, Signature=00\r\n",
            "AuthorizationHeaderMalformed",
        ),
        (
            "authorization: AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00\r\n",
            "AuthorizationHeaderMalformed",
        ),
    ] {
        let response = raw(&backend, authorization);
        assert!(
            response.contains(&format!("<Code>{code}</Code>")),
            "{authorization}: {response}"
        );
    }
}

/// docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html: a policy can demand headers of a write.
#[tokio::test]
async fn a_policy_can_demand_headers_of_every_write() {
    let Some(backend) = Backend::open(Claim::ModelOnly("refuses conditions on headers")).await
    else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "source", "x").await;
    let policy = format!(
        r#"{{"Version": "2012-10-17", "Statement": [
            {{"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::{bucket}/*",
              "Condition": {{"StringNotEquals": {{"s3:x-amz-server-side-encryption": "AES256"}}}}}},
            {{"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::{bucket}/*",
              "Condition": {{"Null": {{"s3:x-amz-acl": "true"}}}}}}]}}"#
    );
    set_policy(&backend, &bucket, policy).await;
    let copy = || {
        let copy = client.copy_object().bucket(&bucket).key("k");
        copy.copy_source(format!("{bucket}/source"))
    };
    let (sse, acl) = (
        ServerSideEncryption::Aes256,
        ObjectCannedAcl::BucketOwnerFullControl,
    );
    refused!(copy(), 403, "AccessDenied");
    refused!(copy().acl(acl.clone()), 403, "AccessDenied");
    refused!(
        copy().server_side_encryption(sse.clone()),
        403,
        "AccessDenied"
    );
    let both = copy().acl(acl.clone()).server_side_encryption(sse.clone());
    both.send().await.expect("both are stated");
    let create = client.create_multipart_upload().bucket(&bucket).key("k");
    let create = create.acl(acl).server_side_encryption(sse);
    let upload = create.send().await.expect("both are stated");
    let part = client.upload_part_copy().bucket(&bucket).key("k");
    let part = part.copy_source(format!("{bucket}/source")).part_number(1);
    let part = part.upload_id(upload.upload_id().expect("an id"));
    part.send().await.expect("the creation stated them");
}

/// docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html: an ACL in the headers of a write
/// needs s3:PutObjectAcl too.
#[tokio::test]
async fn an_acl_in_a_header_needs_a_permission_of_its_own() {
    let Some(backend) = Backend::open(Claim::ModelOnly("asks for s3:PutObject alone")).await else {
        return;
    };
    let (bucket, stranger) = (backend.bucket().await, backend.client(STRANGER));
    let put = || {
        let put = stranger.put_object().bucket(&bucket).key("k");
        put.acl(ObjectCannedAcl::BucketOwnerFullControl)
    };
    let allow = |actions: &str| policy(&bucket, "Allow", actions, "/*");
    set_policy(&backend, &bucket, allow("\"s3:PutObject\"")).await;
    refused!(put(), 403, "AccessDenied");
    set_policy(
        &backend,
        &bucket,
        allow("\"s3:PutObject\", \"s3:PutObjectAcl\""),
    )
    .await;
    put().send().await.expect("both are granted");
}
