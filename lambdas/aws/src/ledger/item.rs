//! Records as items. Every field is a native attribute, which the console can show.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hasher, RandomState},
    sync::atomic::{AtomicU64, Ordering},
};

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Serialize, de::DeserializeOwned};
use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    value::arn::ExecutionArn,
};

use super::{
    operation::PUT_ITEM,
    record_key::{PARTITION, RecordKey, SORT},
};
use crate::fault_mapping::malformed_response;

/// The attribute that holds the mark of the write.
const WRITE_MARK: &str = "written_by";
const REVISION: &str = "revision";
/// The attribute of a lock that names its execution.
const HOLDER: &str = "execution_arn";

/// An item of the table.
pub(super) type Item = HashMap<String, AttributeValue>;

/// A mark that no other write has: 64 random bits of the process and a number within it. It is also the token of a
/// transaction, which allows 36 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WriteMark(String);

impl WriteMark {
    pub(super) fn fresh() -> Self {
        static WRITES: AtomicU64 = AtomicU64::new(0);
        // The only randomness in the standard library: the system seeds the first state, and each next one counts up.
        let random = RandomState::new().build_hasher().finish();
        let number = WRITES.fetch_add(1, Ordering::Relaxed);
        Self(format!("{random:016x}-{number:x}"))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A record to write.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: RecordKey,
    pub(super) item: Item,
    /// The revision that it replaces; `None` for a record that must not exist yet.
    pub(super) revision_before: Option<u64>,
    /// The execution that it takes a lock from, or whose lock it moves.
    pub(super) holder_before: Option<String>,
}

/// The condition of a write.
pub(super) struct WriteCondition {
    pub(super) expression: &'static str,
    pub(super) names: HashMap<String, String>,
    pub(super) values: Option<HashMap<String, AttributeValue>>,
}

impl Entry {
    /// A record that must not exist yet.
    pub(super) fn created(
        key: RecordKey,
        record: &impl Serialize,
        mark: &WriteMark,
    ) -> Result<Self, CallFault> {
        let item = item_of(&key, record, mark)?;
        Ok(Self {
            key,
            item,
            revision_before: None,
            holder_before: None,
        })
    }

    /// A record of `revision` that replaces the revision before it.
    pub(super) fn replaced(
        key: RecordKey,
        record: &impl Serialize,
        revision: u64,
        mark: &WriteMark,
    ) -> Result<Self, CallFault> {
        let before = revision.checked_sub(1).ok_or_else(|| {
            CallFault::new(
                PUT_ITEM,
                FaultKind::Rejected,
                "a record of revision 0 replaces nothing",
            )
        })?;
        let item = item_of(&key, record, mark)?;
        Ok(Self {
            key,
            item,
            revision_before: Some(before),
            holder_before: None,
        })
    }

    /// The same, which replaces a lock of this execution only.
    pub(super) fn held_before_by(mut self, execution: &ExecutionArn) -> Self {
        self.holder_before = Some(execution.to_string());
        self
    }

    pub(super) fn condition(&self) -> WriteCondition {
        match self.revision_before {
            None => WriteCondition {
                expression: "attribute_not_exists(#partition)",
                names: HashMap::from([("#partition".to_owned(), PARTITION.to_owned())]),
                values: None,
            },
            Some(revision) => {
                let mut condition = WriteCondition {
                    expression: "#revision = :before",
                    names: HashMap::from([("#revision".to_owned(), REVISION.to_owned())]),
                    values: None,
                };
                let before = AttributeValue::N(revision.to_string());
                let mut values = HashMap::from([(":before".to_owned(), before)]);
                if let Some(holder) = &self.holder_before {
                    condition.expression = "#revision = :before AND #holder = :holder";
                    let name = ("#holder".to_owned(), HOLDER.to_owned());
                    condition.names.extend([name]);
                    values.insert(":holder".to_owned(), AttributeValue::S(holder.clone()));
                }
                condition.values = Some(values);
                condition
            }
        }
    }
}

/// The mark of the write that stored an item.
pub(super) fn mark_of(item: &Item) -> Option<&str> {
    item.get(WRITE_MARK)?.as_s().ok().map(String::as_str)
}

/// The revision of a stored record.
pub(super) fn revision_of(item: &Item) -> Option<u64> {
    item.get(REVISION)?.as_n().ok()?.parse().ok()
}

/// The record in a stored item.
pub(super) fn record_of<T: DeserializeOwned>(
    operation: &'static str,
    mut item: Item,
) -> Result<T, CallFault> {
    for own_attribute in [PARTITION, SORT, WRITE_MARK] {
        item.remove(own_attribute);
    }
    serde_dynamo::from_item(item).map_err(|problem| {
        malformed_response(
            operation,
            format_args!("a record of the ledger is not readable: {problem}"),
        )
    })
}

fn item_of(key: &RecordKey, record: &impl Serialize, mark: &WriteMark) -> Result<Item, CallFault> {
    let mut item: Item = serde_dynamo::to_item(record).map_err(|problem| {
        CallFault::new(
            PUT_ITEM,
            FaultKind::Rejected,
            format!("the record cannot be written as an item: {problem}"),
        )
    })?;
    // An absent attribute means the same as NULL, in fewer bytes.
    item.retain(|_, value| !value.is_null());
    item.extend(key.attributes());
    item.insert(
        WRITE_MARK.to_owned(),
        AttributeValue::S(mark.as_str().to_owned()),
    );
    Ok(item)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use shardlift_testkit::conformance::{lock_record, range_record, run_record, shard_record};

    use super::*;

    fn round_trip<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(record: &T) {
        let key = RecordKey::new("p", "s");
        let entry = Entry::created(key, record, &WriteMark::fresh()).unwrap();
        let back: T = record_of("test", entry.item).unwrap();
        assert_eq!(&back, record);
    }

    #[test]
    fn every_record_survives_the_round_trip() {
        round_trip(&run_record("run"));
        round_trip(&shard_record("run", "1-0"));
        round_trip(&range_record("run", 0));
        round_trip(&lock_record("target", "", "run"));
        round_trip(&lock_record("target", "data/\u{1f680}", "run"));
    }

    #[test]
    fn attributes_that_dynamodb_evaluates_are_native() {
        let key = RecordKey::new("p", "s");
        let record = shard_record("run", "1-0");
        let item = Entry::created(key, &record, &WriteMark::fresh())
            .unwrap()
            .item;
        assert_eq!(item["expires_at"], AttributeValue::N("1800000000".into()));
        assert_eq!(item["state"], AttributeValue::S("COPYING".into()));
        assert_eq!(revision_of(&item), Some(1));
    }

    #[test]
    fn an_item_that_is_not_our_record_is_rejected() {
        let item = HashMap::from([("run_id".to_owned(), AttributeValue::S("run".into()))]);
        assert!(record_of::<shardlift_core::shard::ShardRecord>("test", item).is_err());
    }

    #[test]
    fn an_ordinary_shard_takes_one_write_unit() {
        let mut record = shard_record("nightly-2026-11-22", "12-345");
        record.outcome.uploads.clear();
        record.problem = None;
        let key = RecordKey::shard(&record.run_id, &record.shard_id);
        let item = Entry::created(key, &record, &WriteMark::fresh())
            .unwrap()
            .item;
        assert!(item_bytes(&item) <= 1_024, "{}", item_bytes(&item));
    }

    /// Its bounds and its checkpoint are keys. A transaction of 100 records with the longest keys takes 2 x 400 of the
    /// 1,000 units that the partition allows per second.
    #[test]
    fn a_range_takes_one_write_unit_and_four_between_the_longest_keys() {
        let mut record = range_record("nightly-2026-11-22", 1_234);
        for (key_bytes, units) in [(150, 1), (1_024, 4)] {
            let key = shardlift_core::value::key::RelativeKey::new("k".repeat(key_bytes)).unwrap();
            record.bounds.after = Some(key.clone());
            record.bounds.until = Some(key.clone());
            let checkpoint = record.checkpoint.as_mut().unwrap();
            checkpoint.through = Some(key);
            // That of a run from a list is one record, which is written once for each shard.
            checkpoint.list = None;
            let at = RecordKey::range(&record.run_id, &record.range_id);
            let entry = Entry::replaced(at, &record, 2, &WriteMark::fresh()).unwrap();
            let bytes = item_bytes(&entry.item);
            assert_eq!(bytes.div_ceil(1_024), units, "{bytes}");
        }
    }

    /// docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html: names count, a number takes
    /// one byte for two digits and one more, and a map or list takes three bytes and one for each member.
    fn item_bytes(item: &Item) -> usize {
        item.iter()
            .map(|(name, value)| name.len() + value_bytes(value))
            .sum()
    }

    fn value_bytes(value: &AttributeValue) -> usize {
        match value {
            AttributeValue::S(text) => text.len(),
            AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
            AttributeValue::M(map) => 3 + map.len() + item_bytes(map),
            AttributeValue::L(list) => 3 + list.len() + list.iter().map(value_bytes).sum::<usize>(),
            _ => 1,
        }
    }

    #[test]
    fn no_two_writes_have_the_same_mark() {
        let marks: BTreeSet<String> = (0..1_000).map(|_| WriteMark::fresh().0).collect();
        assert_eq!(marks.len(), 1_000);
        assert!(marks.iter().all(|mark| mark.len() <= 36));
    }
}
