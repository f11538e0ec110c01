//! An entry as it is sorted: the length of its key and of the rest, the key, and the rest in JSON. Only the key is looked at
//! before the entry is planned, so that sorting and merging move bytes.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use shardlift_core::{
    failure::Failure,
    value::{
        id::VersionId,
        key::ObjectKey,
        object::ETag,
        storage::{ObjectStorage, StorageClass},
        time::Timestamp,
    },
};

use crate::{entry::ListEntry, line_place::LinePlace};

/// The two lengths, of two bytes each.
const HEAD_BYTES: usize = 4;
/// As many problems as a report names.
const NAMED_MAX: usize = 20;

/// Where in a list an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryPlace {
    /// The file, by its place in the list.
    pub file: u32,
    /// The line of a text or the row of a table, from 1.
    pub line: u64,
}

/// The entries that name an object again. They may be as many as there are lines, so only the first are named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RepeatedEntries {
    /// How many there are.
    pub count: u64,
    /// Where the first of them stand.
    pub first: Vec<EntryPlace>,
}

impl RepeatedEntries {
    /// Takes another one.
    pub(super) fn add(&mut self, record: SortRecord<'_>) -> Result<(), Failure> {
        self.count += 1;
        if self.first.len() < NAMED_MAX {
            self.first.push(record.place()?);
        }
        Ok(())
    }
}

/// What an entry is beside its key.
#[derive(Serialize)]
struct RestRef<'a>(
    EntryPlace,
    Option<u64>,
    Option<&'a ETag>,
    Option<Timestamp>,
    Option<(Option<StorageClass>, bool)>,
    Option<&'a VersionId>,
);

#[derive(Deserialize)]
struct Rest(
    EntryPlace,
    Option<u64>,
    Option<ETag>,
    Option<Timestamp>,
    Option<(Option<StorageClass>, bool)>,
    Option<VersionId>,
);

/// Appends an entry of the `file`th file to records.
///
/// # Errors
/// `InvariantViolated` where the entry is longer than any is.
pub(super) fn append(records: &mut Vec<u8>, entry: &ListEntry, file: u32) -> Result<(), Failure> {
    let line = entry.place.line;
    let rest = RestRef(
        EntryPlace { file, line },
        entry.size_bytes,
        entry.etag.as_ref(),
        entry.modified_at,
        entry
            .storage
            .map(|storage| (storage.class, storage.is_archived)),
        entry.version_id.as_ref(),
    );
    let begin = records.len();
    let key = entry.key.as_str().as_bytes();
    records.extend_from_slice(&[0; HEAD_BYTES]);
    records.extend_from_slice(key);
    serde_json::to_writer(&mut *records, &rest)
        .map_err(|error| Failure::invariant(format!("an entry of a list: {error}")))?;
    let rest = records.len() - begin - HEAD_BYTES - key.len();
    for (at, length) in [(begin, key.len()), (begin + 2, rest)] {
        let length = u16::try_from(length)
            .map_err(|_| Failure::invariant("an entry of a list is longer than any is"))?;
        records[at..at + 2].copy_from_slice(&length.to_le_bytes());
    }
    Ok(())
}

/// An entry within records.
#[derive(Debug, Clone, Copy)]
pub(super) struct SortRecord<'a> {
    /// All of it.
    pub(super) bytes: &'a [u8],
    /// Its key.
    pub(super) key: &'a [u8],
    rest: &'a [u8],
}

impl<'a> SortRecord<'a> {
    /// The one at the beginning of `records`; nothing where these are empty.
    ///
    /// # Errors
    /// `InvariantViolated` where they are damaged.
    pub(super) fn first_of(records: &'a [u8]) -> Result<Option<Self>, Failure> {
        let Some((head, behind)) = records.split_first_chunk::<HEAD_BYTES>() else {
            return if records.is_empty() {
                Ok(None)
            } else {
                Err(damaged())
            };
        };
        let length = |at: usize| usize::from(u16::from_le_bytes([head[at], head[at + 1]]));
        let (key_length, rest_length) = (length(0), length(2));
        let (key, behind) = behind.split_at_checked(key_length).ok_or_else(damaged)?;
        let rest = behind.get(..rest_length).ok_or_else(damaged)?;
        let bytes = &records[..HEAD_BYTES + key_length + rest_length];
        Ok(Some(Self { bytes, key, rest }))
    }

    /// Where the entry stands in its list.
    pub(super) fn place(&self) -> Result<EntryPlace, Failure> {
        self.parsed().map(|rest| rest.0)
    }

    /// The entry, of a list with files of these names.
    pub(super) fn entry(&self, names: &[Arc<str>]) -> Result<ListEntry, Failure> {
        let Rest(place, size_bytes, etag, modified_at, storage, version_id) = self.parsed()?;
        let file = usize::try_from(place.file).ok();
        let file = file.and_then(|file| names.get(file)).ok_or_else(damaged)?;
        Ok(ListEntry {
            key: key_of(self.key)?,
            version_id,
            size_bytes,
            etag,
            modified_at,
            storage: storage.map(|(class, is_archived)| ObjectStorage { class, is_archived }),
            place: LinePlace {
                file: file.clone(),
                line: place.line,
            },
        })
    }

    fn parsed(&self) -> Result<Rest, Failure> {
        serde_json::from_slice(self.rest).map_err(|_| damaged())
    }
}

/// The key with these bytes.
pub(super) fn key_of(bytes: &[u8]) -> Result<ObjectKey, Failure> {
    let text = std::str::from_utf8(bytes).map_err(|_| damaged())?;
    ObjectKey::new(text).map_err(|_| damaged())
}

/// The lists of the control bucket are the planner's own.
pub(super) fn damaged() -> Failure {
    Failure::invariant("a block of the sorted list is not as it was written")
}
