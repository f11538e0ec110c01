//! The object list of a shard, as it lies in the control bucket.
//!
//! JSON lines under zstd: a person can read one with `zstd -dc`, and 10,000 keys take some
//! 200 KB. The first line is a header, each further line one object as `[key, size_bytes, etag, modified_at_ms]`,
//! followed by its storage class unless that is STANDARD (null for one that no copy can have), and by `true` if it is
//! archived. Where the plan names a version, both always stand there (`false` if it is not archived), and its id follows.

use serde::{Deserialize, Serialize};

use super::bounded_lines::{BoundedLines, LINES_MAX};
use crate::{
    failure::Failure,
    value::{
        id::{RunId, ShardId, VersionId},
        key::ObjectKey,
        object::{ETag, ListedObject},
        storage::{ObjectStorage, StorageClass},
        time::Timestamp,
    },
};

/// The version of the encoding.
pub const MANIFEST_VERSION: u32 = 1;

/// zstd's fastest ordinary level: keys compress about as well as at higher ones, at a fraction of the time.
const COMPRESSION_LEVEL: i32 = 1;

/// The objects of one shard in key order. An object's position here is its index in the progress map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The run.
    pub run_id: RunId,
    /// The shard.
    pub shard_id: ShardId,
    /// The objects.
    pub objects: Vec<ListedObject>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    schema_version: u32,
    run_id: RunId,
    shard_id: ShardId,
    objects: usize,
}

#[derive(Serialize)]
struct LineRef<'a>(&'a ObjectKey, u64, &'a ETag, Timestamp);

#[derive(Serialize)]
struct ClassedLineRef<'a>(
    &'a ObjectKey,
    u64,
    &'a ETag,
    Timestamp,
    Option<StorageClass>,
);

#[derive(Serialize)]
struct ArchivedLineRef<'a>(
    &'a ObjectKey,
    u64,
    &'a ETag,
    Timestamp,
    Option<StorageClass>,
    bool,
);

#[derive(Serialize)]
struct VersionedLineRef<'a>(
    &'a ObjectKey,
    u64,
    &'a ETag,
    Timestamp,
    Option<StorageClass>,
    bool,
    &'a VersionId,
);

#[derive(Deserialize)]
struct Line(
    ObjectKey,
    u64,
    ETag,
    Timestamp,
    #[serde(default = "standard")] Option<StorageClass>,
    #[serde(default)] bool,
    #[serde(default)] Option<VersionId>,
);

#[expect(clippy::unnecessary_wraps, reason = "serde wants the field's type")]
fn standard() -> Option<StorageClass> {
    Some(StorageClass::Standard)
}

impl Manifest {
    /// The manifest as bytes. The same manifest always gives the same bytes (P5).
    ///
    /// # Errors
    /// `InvariantViolated` when the encoder fails, which memory alone cannot make it do.
    pub fn encode(&self) -> Result<Vec<u8>, Failure> {
        self.write().map_err(|error| {
            Failure::invariant(format!(
                "manifest of shard {} cannot be encoded: {error}",
                self.shard_id
            ))
        })
    }

    fn write(&self) -> std::io::Result<Vec<u8>> {
        let mut lines = ManifestLines::default();
        for object in &self.objects {
            lines.push(object);
        }
        write_parts(&self.run_id, &self.shard_id, [&lines])
    }

    /// Reads the manifest of `shard_id` from bytes.
    ///
    /// # Errors
    /// `InvariantViolated` when the bytes are cut off, of another shard or of an unknown version.
    pub fn decode(bytes: &[u8], run_id: &RunId, shard_id: &ShardId) -> Result<Self, Failure> {
        let broken = |problem: String| {
            Failure::invariant(format!(
                "manifest of shard {shard_id} of run {run_id}: {problem}"
            ))
        };
        let mut lines = BoundedLines::new(bytes).map_err(|error| broken(error.to_string()))?;
        let first = lines
            .next()
            .ok_or_else(|| broken("it is empty".into()))?
            .map_err(|error| broken(error.to_string()))?;
        let header: Header =
            serde_json::from_str(&first).map_err(|error| broken(error.to_string()))?;
        if header.schema_version != MANIFEST_VERSION {
            return Err(broken(format!(
                "version {} is not {MANIFEST_VERSION}",
                header.schema_version
            )));
        }
        if header.run_id != *run_id || header.shard_id != *shard_id {
            return Err(broken(format!(
                "it belongs to shard {} of run {}",
                header.shard_id, header.run_id
            )));
        }
        let mut objects = Vec::with_capacity(header.objects.min(LINES_MAX));
        for line in lines.take(header.objects.saturating_add(1)) {
            let line = line.map_err(|error| broken(error.to_string()))?;
            let Line(key, size_bytes, etag, modified_at, class, is_archived, version_id) =
                serde_json::from_str(&line).map_err(|error| broken(error.to_string()))?;
            objects.push(ListedObject {
                key,
                size_bytes,
                etag,
                modified_at,
                storage: ObjectStorage { class, is_archived },
                version_id,
            });
        }
        if objects.len() != header.objects {
            return Err(broken(format!(
                "{} objects expected, {} found",
                header.objects,
                objects.len()
            )));
        }
        Ok(Self {
            run_id: header.run_id,
            shard_id: header.shard_id,
            objects,
        })
    }
}

/// Objects already in the form of the manifest: a tenth of the allocations and half the memory of the objects, which
/// is what a planner holds of its open shards.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ManifestLines {
    bytes: Vec<u8>,
    objects: usize,
}

impl ManifestLines {
    /// Appends an object.
    ///
    /// # Panics
    /// Never: writing to memory does not fail, and every key and ETag is text.
    pub fn push(&mut self, object: &ListedObject) {
        self.bytes.push(b'\n');
        let (key, size, etag, at) = (
            &object.key,
            object.size_bytes,
            &object.etag,
            object.modified_at,
        );
        let ObjectStorage { class, is_archived } = object.storage;
        let bytes = &mut self.bytes;
        let written = if let Some(id) = &object.version_id {
            let line = VersionedLineRef(key, size, etag, at, class, is_archived, id);
            serde_json::to_writer(bytes, &line)
        } else if is_archived {
            serde_json::to_writer(bytes, &ArchivedLineRef(key, size, etag, at, class, true))
        } else if class == Some(StorageClass::Standard) {
            serde_json::to_writer(bytes, &LineRef(key, size, etag, at))
        } else {
            serde_json::to_writer(bytes, &ClassedLineRef(key, size, etag, at, class))
        };
        written.expect("a line is written to memory");
        self.objects += 1;
    }

    /// How many objects there are.
    #[must_use]
    pub fn objects(&self) -> usize {
        self.objects
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects == 0
    }
}

/// The manifest made of these lines, in this order: the same bytes as [`Manifest::encode`] of the same objects.
///
/// # Errors
/// `InvariantViolated` when the encoder fails, which memory alone cannot make it do.
pub fn encode_lines<'a>(
    run_id: &RunId,
    shard_id: &ShardId,
    parts: impl IntoIterator<Item = &'a ManifestLines> + Clone,
) -> Result<Vec<u8>, Failure> {
    write_parts(run_id, shard_id, parts).map_err(|error| {
        Failure::invariant(format!(
            "manifest of shard {shard_id} cannot be encoded: {error}"
        ))
    })
}

fn write_parts<'a>(
    run_id: &RunId,
    shard_id: &ShardId,
    parts: impl IntoIterator<Item = &'a ManifestLines> + Clone,
) -> std::io::Result<Vec<u8>> {
    let header = Header {
        schema_version: MANIFEST_VERSION,
        run_id: run_id.clone(),
        shard_id: shard_id.clone(),
        objects: parts.clone().into_iter().map(ManifestLines::objects).sum(),
    };
    // In one piece: an encoder that is fed part by part copies everything once more.
    let mut text = serde_json::to_vec(&header)?;
    text.reserve(
        parts
            .clone()
            .into_iter()
            .map(|lines| lines.bytes.len())
            .sum::<usize>()
            + 1,
    );
    for lines in parts {
        text.extend_from_slice(&lines.bytes);
    }
    text.push(b'\n');
    let mut manifest = zstd::bulk::compress(&text, COMPRESSION_LEVEL)?;
    // It was made as large as the text, and may wait for the ledger.
    manifest.shrink_to_fit();
    Ok(manifest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STORAGES: [ObjectStorage; 4] = [
        ObjectStorage {
            class: Some(StorageClass::Standard),
            is_archived: false,
        },
        ObjectStorage {
            class: Some(StorageClass::GlacierIr),
            is_archived: false,
        },
        ObjectStorage {
            class: Some(StorageClass::Glacier),
            is_archived: true,
        },
        ObjectStorage {
            class: None,
            is_archived: false,
        },
    ];

    fn manifest(keys: &[String]) -> Manifest {
        Manifest {
            run_id: RunId::new("run").unwrap(),
            shard_id: ShardId::new("r0-1").unwrap(),
            objects: keys
                .iter()
                .enumerate()
                .map(|(index, key)| ListedObject {
                    key: ObjectKey::new(key.clone()).unwrap(),
                    size_bytes: index as u64 * 1_000_000_007,
                    etag: ETag::new(format!("{index:032x}")).unwrap(),
                    modified_at: Timestamp::from_millis(1_700_000_000_000),
                    storage: STORAGES[index % STORAGES.len()],
                    version_id: (index % 3 == 1)
                        .then(|| VersionId::new(format!("v{index}")).unwrap()),
                })
                .collect(),
        }
    }

    fn decode(manifest: &Manifest, bytes: &[u8]) -> Result<Manifest, Failure> {
        Manifest::decode(bytes, &manifest.run_id, &manifest.shard_id)
    }

    proptest! {
        #[test]
        fn hostile_keys_come_back_byte_for_byte(keys in prop::collection::vec("(?s).{1,200}", 0..40)) {
            let written = manifest(&keys);
            let bytes = written.encode().unwrap();
            prop_assert_eq!(decode(&written, &bytes).unwrap(), written.clone());
            prop_assert_eq!(written.encode().unwrap(), bytes, "the same manifest, the same bytes");
        }
    }

    #[test]
    fn a_cut_off_manifest_is_never_a_shorter_one() {
        let written = manifest(&(0..500).map(|n| format!("key/{n}")).collect::<Vec<_>>());
        let bytes = written.encode().unwrap();
        for length in [0, 1, bytes.len() / 2, bytes.len() - 1] {
            assert!(
                decode(&written, &bytes[..length]).is_err(),
                "{length} of {}",
                bytes.len()
            );
        }
    }

    #[test]
    fn a_manifest_from_before_classes_were_listed_is_one_of_standard_objects() {
        let text = "{\"schema_version\":1,\"run_id\":\"run\",\"shard_id\":\"r0-1\",\"objects\":1}\n[\"k\",1,\"e\",0]\n";
        let bytes = zstd::bulk::compress(text.as_bytes(), 1).unwrap();
        let read = decode(&manifest(&[]), &bytes).unwrap();
        assert_eq!(read.objects[0].storage, ObjectStorage::default());
        assert_eq!(read.encode().unwrap(), bytes, "and is written as it was");
    }

    #[test]
    fn a_manifest_of_another_shard_is_refused() {
        let written = manifest(&["k".to_owned()]);
        let other = ShardId::new("r0-2").unwrap();
        assert!(Manifest::decode(&written.encode().unwrap(), &written.run_id, &other).is_err());
    }

    #[test]
    fn ten_thousand_keys_stay_small() {
        let written = manifest(
            &(0..10_000)
                .map(|n| format!("data/year=2026/month=11/part-{n:08}.parquet"))
                .collect::<Vec<_>>(),
        );
        assert!(written.encode().unwrap().len() < 300_000);
    }
}
