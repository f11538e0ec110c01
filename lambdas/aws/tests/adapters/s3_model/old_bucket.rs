//! A bucket that was named before March 2018, with capitals and underscores.

use shardlift_core::{
    port::{BucketListing, CopyOptions, CopySource, ListRequest, TargetBucket},
    value::key::{KeyPrefix, ObjectKey},
};
use shardlift_s3_model::ObjectSpec;

use super::world::World;

#[tokio::test]
async fn an_object_of_an_old_bucket_is_listed_read_and_copied() {
    let world = World::with_source("Old_Bucket.2010").await;
    let bucket = world.model.bucket("Old_Bucket.2010").unwrap();
    bucket.put("data/k", ObjectSpec::synthetic(1, 9));
    let request = ListRequest {
        prefix: KeyPrefix::new("data/").unwrap(),
        after: None,
    };
    let page = world.source.list_page(&request).await.unwrap();
    let [listed] = page.objects.as_slice() else {
        panic!("{page:?}");
    };
    let head = world
        .target
        .head_source((&listed.key).into())
        .await
        .unwrap();
    assert_eq!(head.etag, listed.etag);
    let source = CopySource {
        version_id: None,
        key: listed.key.clone(),
        etag: listed.etag.clone(),
        size_bytes: listed.size_bytes,
    };
    let copy = ObjectKey::new("copy/k").unwrap();
    let options = CopyOptions::default();
    world
        .target
        .copy_object(&source, &copy, &options)
        .await
        .unwrap();
    let target = world.model.bucket("target-bucket").unwrap();
    assert_eq!(target.object("copy/k").unwrap().content().length(), 9);
}
