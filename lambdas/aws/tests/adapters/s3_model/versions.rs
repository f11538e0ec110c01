//! Versions of the source: listed in their order, read and copied by their ids, and refused as S3 refuses them.

use shardlift_core::{
    copy::part_layout::{PART_BYTES_MIN, PartLayout},
    failure::fault::FaultKind,
    port::{
        CopyOptions, CopySource, ListedVersion, ObjectRef, Probe, SourceBucket, TargetBucket,
        UploadSpec, VersionRequest, Versioning,
    },
    value::{
        id::VersionId,
        key::{KeyPrefix, ObjectKey},
        object::ListedObject,
    },
};
use shardlift_s3_model::{ObjectSpec, PolicyDocument, Versioning as ModelVersioning};

use super::world::{TARGET_ACCOUNT, World};

const KEYS: [&str; 4] = ["a", "p/a b+c%=\u{e9}", "p/b", "p/\u{1f680}"];

/// A world whose source keeps versions, and lets the target account read them by their ids.
async fn world() -> World {
    let world = World::new().await;
    let bucket = world.model.bucket("source-bucket").unwrap();
    bucket.set_versioning(ModelVersioning::Enabled);
    bucket.set_policy(Some(policy(&[
        "s3:GetObjectVersion",
        "s3:GetObjectVersionTagging",
        "s3:ListObjectVersionAnnotations",
        "s3:GetObjectVersionAnnotation",
        "s3:ListBucket",
    ])));
    world
}

fn policy(actions: &[&str]) -> PolicyDocument {
    serde_json::from_value(serde_json::json!({"Statement": [{
        "Effect": "Allow",
        "Principal": {"AWS": format!("arn:aws:iam::{TARGET_ACCOUNT}:root")},
        "Action": actions,
        "Resource": ["arn:aws:s3:::source-bucket", "arn:aws:s3:::source-bucket/*"],
    }]}))
    .unwrap()
}

/// Each key is written twice, deleted, and written again.
fn fill(world: &World) {
    let bucket = world.model.bucket("source-bucket").unwrap();
    for key in KEYS {
        bucket.put(key, ObjectSpec::synthetic(1, 10).tag("of", "the first"));
        bucket.put(key, ObjectSpec::synthetic(2, 20));
        bucket.remove(key);
        bucket.put(key, ObjectSpec::synthetic(3, 30));
    }
}

/// All versions under a prefix, page by page.
async fn listed(world: &World, prefix: &str, versions_max: Option<u16>) -> Vec<ListedVersion> {
    let mut request = VersionRequest {
        prefix: KeyPrefix::new(prefix).unwrap(),
        after: None,
        versions_max,
    };
    let mut found = Vec::new();
    loop {
        let page = world.source.list_versions(&request).await.unwrap();
        page.check(&request).unwrap();
        request.after = page.end();
        found.extend(page.versions);
        if !page.is_truncated {
            return found;
        }
    }
}

/// A version of the first key, the oldest first.
async fn version(world: &World, age: usize) -> ListedVersion {
    listed(world, "a", None).await.swap_remove(3 - age)
}

fn object(version: ListedVersion) -> ListedObject {
    match version {
        ListedVersion::Object(object) => object,
        ListedVersion::DeleteMarker { .. } => panic!("a delete marker"),
    }
}

fn source(object: &ListedObject) -> CopySource {
    CopySource {
        key: object.key.clone(),
        version_id: object.version_id.clone(),
        etag: object.etag.clone(),
        size_bytes: object.size_bytes,
    }
}

fn key(text: &str) -> ObjectKey {
    ObjectKey::new(text).unwrap()
}

#[tokio::test]
async fn versions_and_delete_markers_are_listed_newest_first_wherever_a_page_ends() {
    let world = world().await;
    assert_eq!(
        world.source.versioning().await.unwrap(),
        Versioning::Enabled
    );
    fill(&world);
    let whole = listed(&world, "", None).await;
    assert_eq!(whole.len(), 16);
    for (at, version) in whole.iter().enumerate() {
        assert_eq!(version.key().as_str(), KEYS[at / 4]);
        match version {
            ListedVersion::Object(object) => {
                assert_eq!(object.size_bytes, [30, 0, 20, 10][at % 4]);
            }
            ListedVersion::DeleteMarker { .. } => assert_eq!(at % 4, 1),
        }
    }
    for versions_max in [1, 3, 5] {
        assert_eq!(listed(&world, "", Some(versions_max)).await, whole);
    }
    assert_eq!(listed(&world, "p/", Some(2)).await, whole[4..]);
    assert_eq!(listed(&world, "absent", None).await, []);
}

#[tokio::test]
async fn a_bucket_tells_whether_it_keeps_versions() {
    let world = World::new().await;
    let bucket = world.model.bucket("source-bucket").unwrap();
    assert_eq!(world.source.versioning().await.unwrap(), Versioning::Never);
    bucket.put("a", ObjectSpec::synthetic(1, 10));
    bucket.set_versioning(ModelVersioning::Suspended);
    let versioning = world.source.versioning().await.unwrap();
    assert_eq!(versioning, Versioning::Suspended);
    let found = listed(&world, "", None).await;
    assert!(found[0].version_id().unwrap().is_null());
}

#[tokio::test]
async fn a_version_is_read_and_copied_by_its_id_although_newer_ones_are_there() {
    let world = world().await;
    fill(&world);
    let target = &world.target;
    let first = object(version(&world, 0).await);
    let reference = ObjectRef::from(&first);
    let head = target.head_source(reference).await.unwrap();
    assert_eq!((head.size_bytes, &head.etag), (10, &first.etag));
    let tags = target.source_tags(reference).await.unwrap();
    assert_eq!(tags["of"], "the first");
    assert!(!target.has_annotations(reference).await.unwrap());
    target.probe(Probe::ReadSource(reference)).await.unwrap();
    let options = CopyOptions::default();
    let (named, copy_key) = (source(&first), key("copy"));
    let copied = target.copy_object(&named, &copy_key, &options).await;
    assert_eq!(copied.unwrap().etag, first.etag);
    let copy = target.head_target(&copy_key).await.unwrap();
    assert_eq!(copy.size_bytes, 10);
}

#[tokio::test]
async fn a_part_is_taken_from_the_version() {
    let world = world().await;
    let bucket = world.model.bucket("source-bucket").unwrap();
    bucket.put("a", ObjectSpec::synthetic(1, 2 * PART_BYTES_MIN));
    bucket.put("a", ObjectSpec::synthetic(2, 1));
    let first = object(listed(&world, "a", None).await.swap_remove(1));
    let source = source(&first);
    let upload = UploadSpec {
        target_key: key("copy"),
        headers: [].into(),
        metadata: [].into(),
        tags: [].into(),
        storage_class: None,
        kms_key_arn: None,
        sse: None,
        acl: None,
        checksum_algorithm: None,
    };
    let target = &world.target;
    let upload = target.create_upload(&upload).await.unwrap().id;
    let layout = PartLayout::new(source.size_bytes, PART_BYTES_MIN).unwrap();
    let mut parts = Vec::new();
    for part in layout.parts() {
        let copied = target
            .copy_part(&source, &key("copy"), &upload, &part)
            .await;
        parts.push(copied.unwrap());
    }
    let copy_key = key("copy");
    let completed = target.complete_upload(&copy_key, &upload, &parts, source.size_bytes);
    completed.await.unwrap();
    let copy = target.head_target(&key("copy")).await.unwrap();
    assert_eq!(copy.size_bytes, 2 * PART_BYTES_MIN);
}

/// Facts 18 and 87 of docs/MODEL.md for the delete marker.
#[tokio::test]
async fn what_is_gone_or_a_delete_marker_is_refused() {
    let world = world().await;
    fill(&world);
    let first = object(version(&world, 0).await);
    let marker = version(&world, 2).await.version_id().unwrap().clone();
    // Of the form of the model's ids.
    let gone = VersionId::new(format!("v{:031x}", 999)).unwrap();
    for (id, kind) in [(gone, FaultKind::NoSuchKey), (marker, FaultKind::Rejected)] {
        let named = CopySource {
            version_id: Some(id.clone()),
            ..source(&first)
        };
        let options = CopyOptions::default();
        let copy_key = key("copy");
        let copied = world.target.copy_object(&named, &copy_key, &options);
        assert_eq!(copied.await.unwrap_err().kind, kind, "copy of {id}");
        let head = world.target.head_source((&named).into()).await;
        assert_eq!(head.unwrap_err().kind, kind, "HEAD of {id}");
    }
}

#[tokio::test]
async fn the_right_to_the_newest_version_is_none_to_the_others() {
    let world = world().await;
    fill(&world);
    let first = object(version(&world, 0).await);
    let bucket = world.model.bucket("source-bucket").unwrap();
    bucket.set_policy(Some(policy(&[
        "s3:GetObject",
        "s3:GetObjectTagging",
        "s3:ListBucket",
    ])));
    let target = &world.target;
    let options = CopyOptions::default();
    let refused = [
        target.head_source((&first).into()).await.map(drop),
        target.source_tags((&first).into()).await.map(drop),
        target.probe(Probe::ReadSource((&first).into())).await,
        target
            .copy_object(&source(&first), &key("copy"), &options)
            .await
            .map(drop),
    ];
    for refused in refused {
        assert_eq!(refused.unwrap_err().kind, FaultKind::AccessDenied);
    }
    target.head_source((&first.key).into()).await.unwrap();
}
