//! Receipts: what became of each object, and what stood at the target then.
//!
//! JSON lines under zstd. Each shard has one list, and so has each step of the plan that left objects as they stood. Every
//! object whose ETag a run vouches for is in exactly one of the lists that the ledger names, so their sum is the run's digest
//! ([`SetSum`]).

use serde::{Deserialize, Serialize};

use super::json_lines;
use crate::{
    failure::Failure,
    shard::note::Note,
    value::{
        id::VersionId,
        key::RelativeKey,
        object::{ETag, ListedObject},
        set_sum::SetSum,
    },
};

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptOutcome {
    /// It was copied: the receipt shows the object that was written.
    Copied,
    /// The target had the same already: the receipt shows the object that was found.
    Same,
    /// It stands at the target, and the run is not about it: the receipt shows the object that was found.
    Beside,
    /// It was deleted at the target.
    Deleted,
    /// Nothing was to be done any more.
    Skipped,
    /// It could not be copied or deleted.
    Failed,
}

impl ReceiptOutcome {
    /// Whether the run vouches for the object that the receipt shows.
    #[must_use]
    pub const fn is_vouched(self) -> bool {
        matches!(self, Self::Copied | Self::Same)
    }
}

/// An object at the target, as S3 named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetVersion {
    /// Its entity tag.
    pub etag: ETag,
    /// Its version, where the bucket keeps versions.
    pub version_id: Option<String>,
    /// Its size in bytes.
    pub size_bytes: u64,
}

/// One object of a list of receipts: a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Its key below the prefixes of the pair.
    pub key: RelativeKey,
    /// What became of it.
    pub outcome: ReceiptOutcome,
    /// The entity tag of the object at the target that the outcome is about; absent where nothing is known of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<ETag>,
    /// The version of that object, where the bucket keeps versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// The size of that object in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The version of the source that was planned, where the plan named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_version_id: Option<VersionId>,
    /// What proves the copy, where something does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Note>,
    /// Why it was skipped or failed: a [`SkipReason`](crate::value::skips::SkipReason) or a
    /// [`FailureCode`](crate::failure::FailureCode).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its position in the shard's manifest; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
}

impl Receipt {
    /// That of an object with this outcome, of which nothing is known at the target.
    #[must_use]
    pub fn of(key: RelativeKey, outcome: ReceiptOutcome) -> Self {
        Self {
            key,
            outcome,
            etag: None,
            version_id: None,
            size: None,
            source_version_id: None,
            proof: None,
            reason: None,
            index: None,
        }
    }

    /// With the object at the target.
    #[must_use]
    pub fn at_target(mut self, version: TargetVersion) -> Self {
        self.etag = Some(version.etag);
        self.version_id = version.version_id;
        self.size = Some(version.size_bytes);
        self
    }

    /// What the run vouches for: the ETag and the size of the object at the target.
    #[must_use]
    pub fn vouched(&self) -> Option<(&ETag, u64)> {
        if !self.outcome.is_vouched() {
            return None;
        }
        Some((self.etag.as_ref()?, self.size?))
    }
}

/// Objects that the plan leaves as they stand at the target, already in the form of their list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeptLines {
    bytes: Vec<u8>,
    /// The objects that are the same.
    pub same: SetSum,
    /// The objects that the run is not about.
    pub beside: SetSum,
}

/// A line of an object that is kept, without a copy of anything.
#[derive(Serialize)]
struct KeptLine<'a> {
    key: &'a str,
    outcome: ReceiptOutcome,
    etag: &'a ETag,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_version_id: Option<&'a VersionId>,
}

impl KeptLines {
    /// Appends an object of the target that is the same as that of the source, in the version that the plan names.
    pub fn push_same(
        &mut self,
        relative: &str,
        target: &ListedObject,
        version_id: Option<&VersionId>,
    ) {
        self.push(relative, target, ReceiptOutcome::Same, version_id);
        self.same
            .add_object(relative, &target.etag, target.size_bytes);
    }

    /// Appends an object of the target that the run is not about.
    pub fn push_beside(&mut self, relative: &str, target: &ListedObject) {
        self.push(relative, target, ReceiptOutcome::Beside, None);
        self.beside
            .add_object(relative, &target.etag, target.size_bytes);
    }

    fn push(
        &mut self,
        relative: &str,
        target: &ListedObject,
        outcome: ReceiptOutcome,
        source_version_id: Option<&VersionId>,
    ) {
        let line = KeptLine {
            key: relative,
            outcome,
            etag: &target.etag,
            size: target.size_bytes,
            source_version_id,
        };
        serde_json::to_writer(&mut self.bytes, &line).expect("a line is written to memory");
        self.bytes.push(b'\n');
    }

    /// How many objects there are.
    #[must_use]
    pub fn objects(&self) -> u64 {
        self.same.objects + self.beside.objects
    }

    /// How many bytes they take in memory, which is before they are compressed.
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        self.bytes.len()
    }
}

/// The list of these lines, in this order.
///
/// # Errors
/// `InvariantViolated` when the encoder fails, which memory alone cannot make it do.
pub fn encode_kept<'a>(lines: impl IntoIterator<Item = &'a KeptLines>) -> Result<Vec<u8>, Failure> {
    json_lines::compress(lines.into_iter().map(|lines| lines.bytes.as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{key::ObjectKey, storage::ObjectStorage, time::Timestamp};

    fn object(key: &str, etag: &str, size_bytes: u64) -> ListedObject {
        ListedObject {
            key: ObjectKey::new(key).unwrap(),
            size_bytes,
            etag: ETag::new(etag).unwrap(),
            modified_at: Timestamp::default(),
            storage: ObjectStorage::default(),
            version_id: None,
        }
    }

    #[test]
    fn kept_objects_are_receipts_like_those_of_shards() {
        let (mut first, mut second) = (KeptLines::default(), KeptLines::default());
        let version_id = VersionId::new("v1").unwrap();
        first.push_same(
            "a\n\"\u{feff}",
            &object("copy/a", "e-1", 3),
            Some(&version_id),
        );
        second.push_beside("z", &object("copy/z", "f", 4));
        let bytes = encode_kept([&first, &second]).unwrap();
        let read: Vec<Receipt> = json_lines::decode(&bytes)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let expected = |key: &str, outcome, etag: &str, size_bytes| {
            Receipt::of(RelativeKey::new(key).unwrap(), outcome).at_target(TargetVersion {
                etag: ETag::new(etag).unwrap(),
                version_id: None,
                size_bytes,
            })
        };
        let same = Receipt {
            source_version_id: Some(version_id),
            ..expected("a\n\"\u{feff}", ReceiptOutcome::Same, "e-1", 3)
        };
        assert_eq!(read, [same, expected("z", ReceiptOutcome::Beside, "f", 4)]);
        assert!(read[0].vouched().is_some() && read[1].vouched().is_none());
        let mut sum = SetSum::default();
        let (etag, size_bytes) = read[0].vouched().unwrap();
        sum.add_object(read[0].key.as_str(), etag, size_bytes);
        assert_eq!((sum, first.objects()), (first.same, 1));
        assert_eq!((second.beside.bytes, second.same), (4, SetSum::default()));
    }
}
