//! Where each record is stored in the table.

use std::{collections::HashMap, fmt};

use aws_sdk_dynamodb::types::AttributeValue;
use sha2::{Digest, Sha256};
use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    run::lock::{LockSlot, LockedPrefix},
    value::{
        bucket::BucketName,
        id::{RangeId, RunId, ShardId},
    },
};

use super::operation::QUERY;

/// The table's partition key.
pub(super) const PARTITION: &str = "pk";
/// The table's sort key.
pub(super) const SORT: &str = "sk";

/// The shards of a run are spread over this many partitions. One partition allows 1,000 write units per second, and 1,000
/// copiers that checkpoint every few seconds must not have to wait for it.
pub(super) const SHARD_PARTITIONS: u32 = 8;

/// The primary key of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RecordKey {
    partition: String,
    sort: String,
}

impl RecordKey {
    pub(super) fn new(partition: impl Into<String>, sort: impl Into<String>) -> Self {
        Self {
            partition: partition.into(),
            sort: sort.into(),
        }
    }

    pub(super) fn run(run_id: &RunId) -> Self {
        Self::new(format!("RUN#{run_id}"), "RUN")
    }

    pub(super) fn range(run_id: &RunId, range_id: &RangeId) -> Self {
        Self::new(range_partition(run_id), format!("RANGE#{range_id}"))
    }

    pub(super) fn shard(run_id: &RunId, shard_id: &ShardId) -> Self {
        let partition = shard_partition(run_id, shard_id.partition(SHARD_PARTITIONS));
        Self::new(partition, format!("SHARD#{shard_id}"))
    }

    pub(super) fn kept(run_id: &RunId, list_id: &ShardId) -> Self {
        Self::new(kept_partition(run_id), format!("KEPT#{list_id}"))
    }

    /// The locks of a bucket are in one partition, so that a run finds all that overlap its own. A prefix can be as long as the
    /// 1,024 bytes that a sort key may have, so its digest is the key.
    pub(super) fn lock(locked: &LockedPrefix, slot: LockSlot) -> Self {
        let kind = match slot {
            LockSlot::Holder => "LOCK",
            LockSlot::Turn => "TURN",
        };
        let sort = format!("{kind}#{}", prefix_digest(locked));
        Self::new(lock_partition(&locked.bucket), sort)
    }

    /// As the locks.
    pub(super) fn renditions(place: &LockedPrefix) -> Self {
        let sort = format!("RENDITIONS#{}", prefix_digest(place));
        Self::new(renditions_partition(&place.bucket), sort)
    }

    pub(super) fn attributes(&self) -> HashMap<String, AttributeValue> {
        HashMap::from([
            (
                PARTITION.to_owned(),
                AttributeValue::S(self.partition.clone()),
            ),
            (SORT.to_owned(), AttributeValue::S(self.sort.clone())),
        ])
    }
}

fn prefix_digest(locked: &LockedPrefix) -> String {
    Sha256::digest(locked.prefix.as_str().as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

pub(super) fn renditions_partition(bucket: &BucketName) -> String {
    format!("RENDITIONS#{bucket}")
}

pub(super) fn lock_partition(bucket: &BucketName) -> String {
    format!("LOCKS#{bucket}")
}

pub(super) fn range_partition(run_id: &RunId) -> String {
    format!("RUN#{run_id}#RANGES")
}

pub(super) fn kept_partition(run_id: &RunId) -> String {
    format!("RUN#{run_id}#KEPT")
}

pub(super) fn shard_partition(run_id: &RunId, partition: u32) -> String {
    format!("RUN#{run_id}#SHARDS#{partition}")
}

/// Where a page of shards starts: `<partition>`, or `<partition>/<last sort key>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PageMark {
    pub(super) partition: u32,
    pub(super) after: Option<String>,
}

impl PageMark {
    pub(super) fn parse(text: Option<&str>) -> Result<Self, CallFault> {
        let Some(text) = text else {
            return Ok(Self {
                partition: 0,
                after: None,
            });
        };
        let (partition, after) = match text.split_once('/') {
            Some((partition, after)) => (partition, Some(after.to_owned())),
            None => (text, None),
        };
        match partition.parse() {
            Ok(partition) if partition < SHARD_PARTITIONS => Ok(Self { partition, after }),
            _ => Err(CallFault::new(
                QUERY,
                FaultKind::Rejected,
                format!("{text:?} is not the start of a page of shards"),
            )),
        }
    }
}

impl fmt::Display for PageMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.after {
            Some(after) => write!(f, "{}/{after}", self.partition),
            None => write!(f, "{}", self.partition),
        }
    }
}

#[cfg(test)]
mod tests {
    use shardlift_core::value::key::KeyPrefix;

    use super::*;

    #[test]
    fn a_page_mark_survives_the_round_trip() {
        for mark in [
            PageMark {
                partition: 0,
                after: None,
            },
            PageMark {
                partition: 7,
                after: Some("SHARD#2-17".into()),
            },
        ] {
            assert_eq!(PageMark::parse(Some(&mark.to_string())).unwrap(), mark);
        }
        for wrong in ["", "8", "x/SHARD#1", "-1"] {
            assert!(PageMark::parse(Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_longest_prefix_still_has_a_key_and_shares_the_partition_of_its_bucket() {
        let lock = |prefix: &str| {
            let locked = LockedPrefix {
                bucket: BucketName::new("target").unwrap(),
                prefix: KeyPrefix::new(prefix).unwrap(),
            };
            RecordKey::lock(&locked, LockSlot::Holder)
        };
        let (longest, whole) = (lock(&"é".repeat(512)), lock(""));
        assert!(longest.sort.len() < 1_024);
        assert_eq!(longest.partition, whole.partition);
        assert_ne!(longest.sort, whole.sort);
    }
}
