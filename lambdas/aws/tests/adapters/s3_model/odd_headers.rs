//! Headers that are no texts, or not the texts that they should be, are carried byte for byte.

use std::collections::BTreeMap;

use shardlift_core::{
    copy::part_layout::{PART_BYTES_MIN, PartLayout},
    failure::fault::FaultKind,
    port::{CopyOptions, CopySource, ObjectAttributes, TagSet, TargetBucket, UploadSpec},
    value::{header::HeaderBytes, key::ObjectKey},
};
use shardlift_s3_model::ObjectSpec;

use super::world::World;

const LATIN_1: &[u8] = b"attachment; filename=\"\xdcbersicht.pdf\"";

fn key(text: &str) -> ObjectKey {
    ObjectKey::new(text).unwrap()
}

/// An object with every oddity that S3 stores.
fn odd() -> ObjectSpec {
    ObjectSpec::synthetic(1, PART_BYTES_MIN)
        .system_header("content-disposition", LATIN_1)
        .system_header("cache-control", "max-age=60; ü")
        .system_header("content-language", b"de\xfc")
        .system_header("expires", b"n\xe4chste Woche")
        .metadata("empty", "")
        .metadata("umlaut", "für 日本")
        .metadata("word", "=?UTF-8?")
}

async fn put(world: &World, name: &str, spec: ObjectSpec) -> (CopySource, ObjectAttributes) {
    world.model.bucket("source-bucket").unwrap().put(name, spec);
    let attributes = world.target.head_source((&key(name)).into()).await.unwrap();
    let source = CopySource {
        version_id: None,
        key: key(name),
        etag: attributes.etag.clone(),
        size_bytes: attributes.size_bytes,
    };
    (source, attributes)
}

fn upload_of(name: &str, attributes: &ObjectAttributes) -> UploadSpec {
    UploadSpec {
        target_key: key(name),
        headers: attributes.headers.clone(),
        metadata: attributes.metadata.clone(),
        tags: TagSet::new(),
        storage_class: None,
        kms_key_arn: None,
        sse: None,
        acl: None,
        checksum_algorithm: None,
    }
}

#[tokio::test]
async fn a_head_shows_the_bytes_of_every_header() {
    let world = World::new().await;
    let (_, attributes) = put(&world, "odd", odd()).await;
    let bytes = |name: &str| attributes.headers[name].as_bytes();
    assert_eq!(bytes("content-disposition"), LATIN_1);
    assert_eq!(bytes("cache-control"), "max-age=60; ü".as_bytes());
    assert_eq!(bytes("content-language"), b"de\xfc");
    assert_eq!(bytes("expires"), b"n\xe4chste Woche");
    let metadata: BTreeMap<String, HeaderBytes> = [
        ("empty", ""),
        ("umlaut", "=?UTF-8?B?ZsO8ciDml6XmnKw=?="),
        ("word", "=?UTF-8?"),
    ]
    .map(|(name, value)| (name.to_owned(), value.into()))
    .into();
    assert_eq!(attributes.metadata, metadata);
}

#[tokio::test]
async fn both_ways_of_copying_carry_every_header_byte_for_byte() {
    let world = World::new().await;
    for (name, spec) in [
        ("odd", odd()),
        (
            "no date",
            ObjectSpec::synthetic(2, 9).system_header("expires", "0"),
        ),
        ("plain", ObjectSpec::synthetic(3, 9)),
    ] {
        let (source, attributes) = put(&world, name, spec).await;
        let (target, options) = (&world.target, CopyOptions::default());
        let (whole, in_parts) = (key("whole"), key("in-parts"));
        target.copy_object(&source, &whole, &options).await.unwrap();
        let upload = upload_of("in-parts", &attributes);
        let upload = target.create_upload(&upload).await.unwrap().id;
        let layout = PartLayout::new(source.size_bytes, PART_BYTES_MIN).unwrap();
        let part = layout.parts().next().unwrap();
        let part = target.copy_part(&source, &in_parts, &upload, &part).await;
        let parts = [part.unwrap()];
        let completed = target.complete_upload(&in_parts, &upload, &parts, source.size_bytes);
        completed.await.unwrap();
        for copy in ["whole", "in-parts"] {
            let written = target.head_target(&key(copy)).await.unwrap();
            assert_eq!(written.headers, attributes.headers, "{name}, {copy}");
            assert_eq!(written.metadata, attributes.metadata, "{name}, {copy}");
        }
    }
}

#[tokio::test]
async fn a_header_that_must_be_signed_and_cannot_be_is_refused_before_it_is_sent() {
    let world = World::new().await;
    let spec = ObjectSpec::synthetic(1, 9).system_header("content-type", b"text/\xfc");
    let (source, attributes) = put(&world, "type", spec).await;
    let upload = upload_of("in-parts", &attributes);
    let fault = world.target.create_upload(&upload).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Rejected);
    assert!(fault.message.contains("content-type"), "{}", fault.message);
    let (whole, options) = (key("whole"), CopyOptions::default());
    let copied = world.target.copy_object(&source, &whole, &options).await;
    assert!(copied.is_ok(), "{copied:?}");
    let written = world.target.head_target(&whole).await.unwrap();
    assert_eq!(written.headers, attributes.headers);
}
