//! A bounded piece of work, and where it stands.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    failure::Failure,
    shard::{progress::ProgressMap, samples::CopySamples},
    value::{
        id::{RunId, ShardId, UploadId},
        object::ETag,
        set_sum::SetSum,
        skips::NewerCopies,
        storage::StorageClass,
        tally::{Count, RequestCounts, Tally},
        time::Timestamp,
        version::LEDGER_VERSION,
    },
};

/// What a shard's copier does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ShardWork {
    /// Copies the objects of the manifest.
    CopyObjects,
    /// Deletes the objects of the manifest, which names them at the target.
    DeleteObjects,
    /// Copies a run of parts of one very large object, whose own record is the shard's [`ShardId::whole`].
    CopyParts {
        /// The number of its first part.
        first_part: u32,
        /// The number of its last part.
        last_part: u32,
    },
    /// Assembles one very large object from its parts, once all of its part shards are finished.
    AssembleObject {
        /// How many part shards it has.
        part_shards: u32,
    },
}

impl ShardWork {
    /// Whether the shard copies the objects of its manifest, which no other shard's manifest holds: part shards have
    /// none, and share their object with the shard that assembles it.
    #[must_use]
    pub fn copies_manifest(self) -> bool {
        matches!(self, Self::CopyObjects | Self::AssembleObject { .. })
    }
}

/// Where a shard is between planned and done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ShardState {
    /// Waiting for a copier.
    Ready,
    /// A copier holds its lease.
    Copying,
    /// Its copier stopped before the deadline; the next invocation goes on.
    Yielded,
    /// Every object has an outcome.
    Done,
}

/// A copier's hold on a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The fencing token: greater with every claim, so that a copier that lost the shard is refused.
    pub token: u64,
    /// When its invocation is killed at the latest.
    pub expires_at: Timestamp,
}

/// What became of the objects of a shard so far.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ShardOutcome {
    /// The objects that are settled, by their position in the manifest.
    pub progress: ProgressMap,
    /// Their counts.
    pub tally: Tally,
    /// How many of the failed objects may succeed in another round.
    pub retryable: u64,
    /// Where the list of failed objects lies in the control bucket; absent when none failed.
    pub failures_key: Option<String>,
    /// The notes on copied objects: how many there are of each name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub notes: BTreeMap<String, u64>,
    /// Where the list of those objects lies in the control bucket; absent when there are no notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes_key: Option<String>,
    /// The objects that were copied, as they are at the target.
    #[serde(default, skip_serializing_if = "SetSum::is_empty")]
    pub vouched: SetSum,
    /// The objects that the shard deletes at the target and that are not deleted.
    #[serde(default, skip_serializing_if = "SetSum::is_empty")]
    pub beside: SetSum,
    /// Where the receipts of the settled objects lie in the control bucket; absent when none is settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipts_key: Option<String>,
    /// Those of the copied objects that were copied in a newer version than the planned one.
    #[serde(default, skip_serializing_if = "NewerCopies::is_empty")]
    pub newer: NewerCopies,
    /// Requests made so far.
    pub requests: RequestCounts,
    /// Multipart uploads of this shard that are neither completed nor aborted (P8): the next holder goes on with them,
    /// and the reporter aborts them when the run gives up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uploads: Vec<OpenUpload>,
}

/// A multipart upload under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenUpload {
    /// The object's position in the manifest.
    pub index: u32,
    /// The upload.
    pub upload_id: UploadId,
    /// Whether it was created without the source's tags because these were refused: a note will say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_without_tags: bool,
    /// Whether its object gets its tags only once it is completed, because they do not fit a header.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_tagged_later: bool,
    /// When it was created, by S3's clock: an object that it made is dated by this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// Once it is being completed: the ETag that follows from its parts. An upload that is gone when a copier comes back
    /// to it was completed if the target shows this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completing: Option<ETag>,
    /// The version that it copies, if that is newer than the planned one. Parts of two versions are never mixed: whoever
    /// goes on with the upload copies this version, or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newer: Option<NewerVersion>,
}

/// A version of an object that is newer than the planned one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewerVersion {
    /// Its entity tag.
    pub etag: ETag,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// The storage class that its copy asks for; S3's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<StorageClass>,
    /// How many versions after the planned one the copiers saw, this one included.
    pub number: u32,
}

/// The ledger's record of a shard: kept within one DynamoDB write unit (1 KB) in the ordinary case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShardRecord {
    /// The version of the record.
    pub schema_version: u32,
    /// The run.
    pub run_id: RunId,
    /// The shard.
    pub shard_id: ShardId,
    /// What its copier does.
    pub work: ShardWork,
    /// The planned objects and bytes.
    pub planned: Count,
    /// Where it is.
    pub state: ShardState,
    /// How often it was claimed.
    pub attempts: u32,
    /// The round in which it was last offered.
    pub round: u32,
    /// Who works on it.
    pub lease: Option<Lease>,
    /// What became of its objects so far.
    #[serde(flatten)]
    pub outcome: ShardOutcome,
    /// Of an object that is assembled from parts: the part shards that are finished, by their numbers.
    #[serde(default, skip_serializing_if = "ProgressMap::is_empty")]
    pub finished_part_shards: ProgressMap,
    /// How many invocations in a row gave it back without S3 having taken a single write.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub idle_yields: u32,
    /// When a copier first claimed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_at: Option<Timestamp>,
    /// When its last object got its outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// What was copied at some of the checkpoints.
    #[serde(default, skip_serializing_if = "CopySamples::is_empty")]
    pub samples: CopySamples,
    /// What ended the last copier's work before its time, for example a role that cannot be assumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Failure>,
    /// When it can be forgotten, in seconds since the epoch (DynamoDB's TTL).
    pub expires_at: i64,
    /// The number of writes to this record; each write expects the one before it.
    pub revision: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl ShardRecord {
    /// A new shard, waiting for a copier in the first round.
    #[must_use]
    pub fn ready(
        run_id: RunId,
        shard_id: ShardId,
        work: ShardWork,
        planned: Count,
        expires_at: i64,
    ) -> Self {
        Self {
            schema_version: LEDGER_VERSION,
            run_id,
            shard_id,
            work,
            planned,
            state: ShardState::Ready,
            attempts: 0,
            round: 1,
            lease: None,
            outcome: ShardOutcome::default(),
            finished_part_shards: ProgressMap::default(),
            idle_yields: 0,
            begun_at: None,
            ended_at: None,
            samples: CopySamples::default(),
            problem: None,
            expires_at,
            revision: 1,
        }
    }

    /// Whether an object in part shards can be assembled: each of them is finished.
    #[must_use]
    pub fn is_ready_to_assemble(&self) -> bool {
        matches!(self.work, ShardWork::AssembleObject { part_shards }
            if self.finished_part_shards.settled_count() >= u64::from(part_shards))
    }
}
