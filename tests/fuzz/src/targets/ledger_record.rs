//! Records of the ledger, as an older version or a person at the console left them.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};
use shardlift_core::{
    run::{lock::LockRecord, record::RunRecord},
    shard::ShardRecord,
};

/// What is read is written and read again as the same.
pub(crate) fn ledger_record(bytes: &[u8]) {
    read_twice::<ShardRecord>(bytes);
    read_twice::<RunRecord>(bytes);
    read_twice::<LockRecord>(bytes);
}

fn read_twice<T: DeserializeOwned + Serialize + PartialEq + Debug>(bytes: &[u8]) {
    if let Ok(record) = serde_json::from_slice::<T>(bytes) {
        let written = serde_json::to_vec(&record).expect("a record can be written");
        let read: T = serde_json::from_slice(&written).expect("a written record can be read");
        assert_eq!(read, record);
    }
}
