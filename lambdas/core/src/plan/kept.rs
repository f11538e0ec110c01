//! What a plan leaves as it stands at the target.

use serde::{Deserialize, Serialize};

use super::audit::AuditSums;
use crate::value::{
    id::{RunId, ShardId},
    set_sum::SetSum,
    version::LEDGER_VERSION,
};

/// The ledger's record of a list of objects that the plan leaves as they stand at the target
/// ([`KeptLines`](crate::documents::receipt::KeptLines)). It is written in the transaction that moves the ranges past them, and
/// never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptRecord {
    /// The version of the record.
    pub schema_version: u32,
    /// The run.
    pub run_id: RunId,
    /// The list; lists and shards share their numbers.
    pub list_id: ShardId,
    /// The objects that are the same as those of the source.
    pub same: SetSum,
    /// The objects that the run is not about.
    pub beside: SetSum,
    /// In an audit: both sides, and how many keys of them differ. These are in a list of the same number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<AuditSums>,
    /// When the ledger deletes the record, in seconds since the epoch (DynamoDB's TTL).
    pub expires_at: i64,
    /// Always 1: the record never changes.
    pub revision: u64,
}

impl KeptRecord {
    /// Whether it has a list of objects that stay: an audit may have found differences alone.
    #[must_use]
    pub fn has_list(&self) -> bool {
        self.same.objects + self.beside.objects > 0
    }

    /// A new record.
    #[must_use]
    pub fn new(
        run_id: RunId,
        list_id: ShardId,
        (same, beside): (SetSum, SetSum),
        expires_at: i64,
    ) -> Self {
        Self {
            schema_version: LEDGER_VERSION,
            run_id,
            list_id,
            same,
            beside,
            audit: None,
            expires_at,
            revision: 1,
        }
    }
}
