//! The objects of the run: what they are called, and how large they are.

use shardlift_core::value::{
    id::ShardId,
    key::ObjectKey,
    object::{ETag, ListedObject},
    storage::ObjectStorage,
};

use super::WRITTEN_AT;

pub(super) fn listed(shard: u32, index: u32) -> ListedObject {
    ListedObject {
        key: ObjectKey::new(key(shard, index)).unwrap(),
        size_bytes: size(index),
        etag: ETag::new("e").unwrap(),
        storage: ObjectStorage::default(),
        modified_at: WRITTEN_AT,
        version_id: None,
    }
}

/// Objects from the third on are copied in parts.
pub(super) fn size(index: u32) -> u64 {
    u64::from(index) * (3 << 20)
}

pub(super) fn key(shard: u32, index: u32) -> String {
    format!("in/{shard}-{index}")
}

pub(super) fn target_key(shard: u32, index: u32) -> String {
    format!("out/{shard}-{index}")
}

pub(super) fn shard_id(shard: u32) -> ShardId {
    ShardId::new(format!("2-{shard}")).unwrap()
}
