//! PutObjectTagging replaces the tags of an object.

use aws_sdk_s3::{
    Client,
    types::{Tag, Tagging},
};
use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::TagSet,
    value::key::ObjectKey,
};

use super::{owned_bucket::OwnedBucket, wire::escaped_key::escape};
use crate::fault_mapping::call_fault;

const OPERATION: &str = "s3:PutObjectTagging";

/// Replaces the tags of an object, in its newest version.
pub(super) async fn put_object_tagging(
    client: &Client,
    bucket: &OwnedBucket,
    key: &ObjectKey,
    tags: &TagSet,
) -> Result<(), CallFault> {
    let rejected = |problem| CallFault::new(OPERATION, FaultKind::Rejected, problem);
    let tags = tags.iter().map(|(key, value)| {
        let tag = Tag::builder().key(key).value(value).build();
        tag.map_err(|problem| rejected(problem.to_string()))
    });
    let tags: Vec<Tag> = tags.collect::<Result<_, _>>()?;
    let tagging = Tagging::builder().set_tag_set(Some(tags)).build();
    client
        .put_object_tagging()
        .bucket(bucket.name())
        .key(escape(key))
        .tagging(tagging.map_err(|problem| rejected(problem.to_string()))?)
        .expected_bucket_owner(bucket.owner())
        .send()
        .await
        .map(drop)
        .map_err(|error| call_fault(OPERATION, &error))
}
