//! An undone object of the earlier run, and which of them are looked up together.

use shardlift_core::value::{id::VersionId, key::ObjectKey};

use super::position::Position;

/// Undone objects no further apart in their manifest than this are looked up together: the page of 1,000 keys that
/// holds one of them likely holds the next.
const APART_MAX: u32 = 100;
/// How many are looked up together, so that a shard of 10,000 keeps many lookups busy.
const TOGETHER_MAX: usize = 250;

/// An undone object of the earlier run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UndoneObject {
    pub(super) position: Position,
    pub(super) key: ObjectKey,
    /// The version that was planned, where the plan named one.
    pub(super) version_id: Option<VersionId>,
    /// As it was planned.
    pub(super) size_bytes: u64,
}

/// Groups neighbors of one shard, each group with ascending keys.
pub(super) fn lookup_groups(
    objects: impl IntoIterator<Item = UndoneObject>,
) -> Vec<Vec<UndoneObject>> {
    let mut groups: Vec<Vec<UndoneObject>> = Vec::new();
    for object in objects {
        match groups.last_mut() {
            Some(group) if is_neighbor(group, &object) => group.push(object),
            _ => groups.push(vec![object]),
        }
    }
    groups
}

fn is_neighbor(group: &[UndoneObject], object: &UndoneObject) -> bool {
    let is_near = |last: &UndoneObject| {
        object.position.index - last.position.index <= APART_MAX && object.key > last.key
    };
    group.len() < TOGETHER_MAX && group.last().is_some_and(is_near)
}

#[cfg(test)]
mod tests {
    use shardlift_core::value::id::ShardId;

    use super::*;

    fn object(index: u32) -> UndoneObject {
        UndoneObject {
            position: Position {
                shard_id: ShardId::new("2-1").unwrap(),
                index,
            },
            key: ObjectKey::new(format!("k{index:05}")).unwrap(),
            version_id: None,
            size_bytes: 1,
        }
    }

    fn sizes(indexes: impl IntoIterator<Item = u32>) -> Vec<usize> {
        let groups = lookup_groups(indexes.into_iter().map(object));
        groups.iter().map(Vec::len).collect()
    }

    #[test]
    fn neighbors_are_looked_up_together_and_strays_alone() {
        assert_eq!(sizes([3, 900, 901, 1_001, 5_000]), [1, 3, 1]);
        assert_eq!(sizes(0..600), [250, 250, 100]);
        assert!(sizes([]).is_empty());
    }

    #[test]
    fn a_group_never_holds_keys_that_do_not_ascend() {
        let mut backwards = object(7);
        backwards.key = ObjectKey::new("a").unwrap();
        assert_eq!(lookup_groups([object(6), backwards]).len(), 2);
    }
}
