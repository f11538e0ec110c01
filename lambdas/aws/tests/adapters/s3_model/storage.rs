//! What a listing says of storage classes and archives, and the class that a copy asks for.

use shardlift_core::{
    failure::fault::FaultKind,
    port::{BucketListing, CopyOptions, CopySource, ListRequest, TargetBucket},
    value::{
        key::{KeyPrefix, ObjectKey},
        object::ListedObject,
        storage::{ObjectStorage, StorageClass},
    },
};
use shardlift_s3_model::{ObjectSpec, StorageClass as ModelClass};

use super::world::World;

fn objects() -> Vec<(&'static str, ObjectSpec, ObjectStorage)> {
    let spec = |class| ObjectSpec::synthetic(1, 9).storage_class(class);
    vec![
        (
            "frozen",
            spec(ModelClass::Glacier),
            ObjectStorage::listed("GLACIER", false),
        ),
        (
            "instant",
            spec(ModelClass::GlacierIr),
            ObjectStorage::listed("GLACIER_IR", false),
        ),
        (
            "plain",
            spec(ModelClass::Standard),
            ObjectStorage::default(),
        ),
        (
            "thawed",
            spec(ModelClass::DeepArchive).restored(),
            ObjectStorage::listed("DEEP_ARCHIVE", true),
        ),
        (
            "tiered",
            spec(ModelClass::IntelligentTiering).archive_tier(),
            ObjectStorage::listed("INTELLIGENT_TIERING", false),
        ),
    ]
}

async fn listed(world: &World) -> Vec<ListedObject> {
    let bucket = world.model.bucket("source-bucket").unwrap();
    for (key, spec, _) in objects() {
        bucket.put(key, spec);
    }
    let request = ListRequest {
        prefix: KeyPrefix::default(),
        after: None,
    };
    world.source.list_page(&request).await.unwrap().objects
}

#[tokio::test]
async fn a_listing_of_the_source_tells_classes_and_what_was_restored() {
    let world = World::new().await;
    let listed = listed(&world).await;
    for (object, (key, _, storage)) in listed.iter().zip(objects()) {
        assert_eq!((object.key.as_str(), object.storage), (key, storage));
    }
}

#[tokio::test]
async fn what_is_listed_as_readable_is_copied_in_its_class_and_what_is_not_is_refused() {
    let world = World::new().await;
    for object in listed(&world).await {
        let source = CopySource {
            version_id: None,
            key: object.key.clone(),
            etag: object.etag.clone(),
            size_bytes: object.size_bytes,
        };
        let options = CopyOptions {
            storage_class: object.storage.class,
            ..CopyOptions::default()
        };
        let target = ObjectKey::new(format!("copy/{}", object.key)).unwrap();
        let copied = world.target.copy_object(&source, &target, &options).await;
        let is_refused = object.storage.is_archived || object.storage.has_hidden_tiers();
        if is_refused {
            assert_eq!(copied.unwrap_err().kind, FaultKind::Archived);
            continue;
        }
        copied.unwrap();
        let written = world.target.head_target(&target).await.unwrap();
        let class = object.storage.class.map(StorageClass::name);
        assert_eq!(Some(written.storage_class.as_str()), class);
    }
}
