//! The largest sizes: 48.8 TiB in one object, 100,000,000 keys in one bucket.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use shardlift_s3_model::{BucketSpec, KeySpaceSpec, Model, ObjectSpec, Operation, Server, Shape};

const PARTS: u64 = 10_000;
const PART_BYTES: u64 = 5 << 30;

async fn serve(model: &Model) -> (Server, Client) {
    let server = model.start().await.expect("a free port");
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(server.endpoint_url())
        .force_path_style(true)
        .credentials_provider(Credentials::new("key", "secret", None, None, "scale"))
        .build();
    (server, Client::from_conf(config))
}

async fn copy_part(client: Client, id: String, number: u64) -> CompletedPart {
    let (first, last) = ((number - 1) * PART_BYTES, number * PART_BYTES - 1);
    let number = i32::try_from(number).expect("at most 10,000");
    let request = client
        .upload_part_copy()
        .bucket("t")
        .key("k")
        .upload_id(id)
        .part_number(number);
    let range = format!("bytes={first}-{last}");
    let response = request
        .copy_source("s/k")
        .copy_source_range(range)
        .send()
        .await
        .expect("a part");
    let etag = response
        .copy_part_result()
        .and_then(|result| result.e_tag())
        .map(str::to_owned);
    CompletedPart::builder()
        .part_number(number)
        .set_e_tag(etag)
        .build()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_largest_object_is_copied_in_ten_thousand_parts() {
    let model = Model::builder()
        .bucket(BucketSpec::new("s"))
        .bucket(BucketSpec::new("t"))
        .build()
        .expect("valid");
    let source = model.bucket("s").expect("created above");
    source.put("k", ObjectSpec::synthetic(1, PARTS * PART_BYTES));
    let (_server, client) = serve(&model).await;
    let started = std::time::Instant::now();
    let created = client
        .create_multipart_upload()
        .bucket("t")
        .key("k")
        .send()
        .await
        .expect("an upload");
    let id = created.upload_id().expect("an id").to_owned();
    let mut parts = Vec::new();
    for batch in (1..=PARTS).collect::<Vec<_>>().chunks(64) {
        let under_way: Vec<_> = batch
            .iter()
            .map(|number| tokio::spawn(copy_part(client.clone(), id.clone(), *number)))
            .collect();
        for part in under_way {
            parts.push(part.await.expect("no panic"));
        }
    }
    let completed = CompletedMultipartUpload::builder()
        .set_parts(Some(parts))
        .build();
    let request = client
        .complete_multipart_upload()
        .bucket("t")
        .key("k")
        .upload_id(id);
    let size = i64::try_from(PARTS * PART_BYTES).expect("48.8 TiB fits");
    request
        .multipart_upload(completed)
        .mpu_object_size(size)
        .send()
        .await
        .expect("a completion");
    println!("48.8 TiB in 10,000 parts: {:?}", started.elapsed());
    let copy = model
        .bucket("t")
        .and_then(|bucket| bucket.object("k"))
        .expect("the copy");
    assert_eq!((copy.size(), copy.parts()), (PARTS * PART_BYTES, 10_000));
    assert!(
        copy.content()
            .same_content(source.object("k").expect("the source").content())
    );
    assert!(
        model
            .compare(("s", ""), ("t", ""))
            .is_some_and(|comparison| comparison.is_same())
    );
    assert_eq!(model.counters().copied_bytes, PARTS * PART_BYTES);
}

#[tokio::test]
async fn a_hundred_million_keys_are_listed_from_any_start() {
    let space = KeySpaceSpec::new(Shape::Uuid {}, 100_000_000);
    let model = Model::builder()
        .bucket(BucketSpec::new("big").key_space(space))
        .build()
        .expect("valid");
    let (_server, client) = serve(&model).await;
    for start in ["", "3fffffff", "80", "ffff", "g"] {
        let mut pages = client
            .list_objects_v2()
            .bucket("big")
            .start_after(start)
            .into_paginator()
            .page_size(500)
            .send();
        let mut previous = start.to_owned();
        for _ in 0..3 {
            let Some(page) = pages.next().await else {
                break;
            };
            for object in page.expect("a page").contents() {
                let key = object.key().expect("a key").to_owned();
                assert!(previous < key);
                previous = key;
            }
        }
    }
    assert_eq!(model.counters().requests_of(Operation::ListObjectsV2), 13);
}

#[tokio::test]
async fn writes_and_deletes_override_a_key_space() {
    let model = Model::builder()
        .bucket(BucketSpec::new("b").key_space(KeySpaceSpec::flat(10)))
        .build()
        .expect("valid");
    let (_server, client) = serve(&model).await;
    let keys = || async {
        let page = client
            .list_objects_v2()
            .bucket("b")
            .send()
            .await
            .expect("a page");
        page.contents()
            .iter()
            .filter_map(|object| object.key().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    assert_eq!(keys().await.len(), 10);
    client
        .delete_object()
        .bucket("b")
        .key("object-000000000003")
        .send()
        .await
        .expect("a delete");
    client
        .put_object()
        .bucket("b")
        .key("object-000000000005")
        .body(vec![1].into())
        .send()
        .await
        .expect("a PUT");
    client
        .put_object()
        .bucket("b")
        .key("object-000000000005x")
        .body(vec![1].into())
        .send()
        .await
        .expect("a PUT");
    let listed = keys().await;
    assert_eq!(listed.len(), 10);
    assert!(!listed.contains(&"object-000000000003".to_owned()));
    assert_eq!(listed[5], "object-000000000005x");
    let replaced = client
        .head_object()
        .bucket("b")
        .key("object-000000000005")
        .send()
        .await
        .expect("a HEAD");
    assert_eq!(replaced.content_length(), Some(1));
    assert!(
        client
            .head_object()
            .bucket("b")
            .key("object-000000000003")
            .send()
            .await
            .is_err()
    );
}
