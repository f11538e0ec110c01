//! A bucket: its keys with their versions, over an optional key space.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::S3Error;
use crate::key_space::KeySpace;
use crate::multipart::Upload;
use crate::object::{Encryption, Object, PLAIN_ATTRIBUTES, VersionId};
use crate::policy::PolicyDocument;

/// Whether a bucket keeps old versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Versioning {
    /// Never switched on: every version is the null version.
    #[default]
    Off,
    /// A write adds a version, a delete adds a marker.
    Enabled,
    /// A write replaces the null version only.
    Suspended,
}

/// A version of a key.
#[derive(Debug, Clone)]
pub(crate) enum Version {
    Object(Arc<Object>),
    DeleteMarker { version: VersionId, modified_s: u64 },
}

impl Version {
    pub(crate) fn id(&self) -> VersionId {
        match self {
            Self::Object(object) => object.version,
            Self::DeleteMarker { version, .. } => *version,
        }
    }

    pub(crate) fn object(&self) -> Option<&Arc<Object>> {
        match self {
            Self::Object(object) => Some(object),
            Self::DeleteMarker { .. } => None,
        }
    }
}

/// What is stored under a key. An empty slot hides a key of the key space.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slot {
    pub(crate) current: Option<Version>,
    /// Oldest first.
    pub(crate) older: Vec<Version>,
}

/// What a delete did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deleted {
    /// The version that was deleted or the marker that was put.
    pub(crate) version: Option<VersionId>,
    pub(crate) marker: bool,
}

/// The state of a bucket, behind one lock.
#[derive(Debug, Default)]
pub(crate) struct Bucket {
    pub(crate) owner: String,
    pub(crate) region: String,
    pub(crate) versioning: Versioning,
    pub(crate) policy: Option<Arc<PolicyDocument>>,
    /// What an object gets whose request says nothing about it.
    pub(crate) default_encryption: Encryption,
    pub(crate) space: Option<Arc<KeySpace>>,
    pub(crate) slots: BTreeMap<Box<[u8]>, Slot>,
    /// By key, then by upload id, the order in which they are listed.
    pub(crate) uploads: BTreeMap<(String, String), Upload>,
    pub(crate) created_s: u64,
    versions_made: u64,
}

impl Bucket {
    pub(crate) fn new(owner: String, region: String, created_s: u64) -> Self {
        Self {
            owner,
            region,
            created_s,
            ..Self::default()
        }
    }

    /// The object of the key space under a key, whatever lies over it.
    fn space_object(&self, key: &[u8]) -> Option<Arc<Object>> {
        let space = self.space.as_ref()?;
        let object = space.object(space.find(key)?);
        Some(Arc::new(Object {
            rope: object.rope(),
            etag: object.etag(),
            modified_s: object.modified_s,
            version: VersionId::NULL,
            attributes: PLAIN_ATTRIBUTES.clone(),
        }))
    }

    /// The newest version of a key, which may be a delete marker.
    pub(crate) fn newest(&self, key: &[u8]) -> Option<Version> {
        match self.slots.get(key) {
            Some(slot) => slot.current.clone(),
            None => self.space_object(key).map(Version::Object),
        }
    }

    /// The object that a plain GET finds.
    pub(crate) fn current(&self, key: &[u8]) -> Option<Arc<Object>> {
        self.newest(key)
            .and_then(|version| version.object().cloned())
    }

    /// A version by its id.
    pub(crate) fn version(&self, key: &[u8], id: VersionId) -> Option<Version> {
        let Some(slot) = self.slots.get(key) else {
            return self.newest(key).filter(|version| version.id() == id);
        };
        slot.current
            .iter()
            .chain(slot.older.iter().rev())
            .find(|version| version.id() == id)
            .cloned()
    }

    fn slot(&mut self, key: &[u8]) -> &mut Slot {
        if !self.slots.contains_key(key) {
            let below = self.space_object(key).map(Version::Object);
            self.slots.insert(
                key.into(),
                Slot {
                    current: below,
                    older: Vec::new(),
                },
            );
        }
        self.slots
            .get_mut(key)
            .expect("the slot was just put there")
    }

    /// Makes a version the newest of its key, as the bucket's versioning wants it.
    fn push(&mut self, key: &[u8], mut make: impl FnMut(VersionId) -> Version) -> VersionId {
        let id = if self.versioning == Versioning::Enabled {
            self.versions_made += 1;
            VersionId(self.versions_made)
        } else {
            VersionId::NULL
        };
        let keeps_versions = self.versioning != Versioning::Off;
        if !keeps_versions && !self.slots.contains_key(key) {
            // The common case of a large copy: no older version to look for.
            self.slots.insert(
                key.into(),
                Slot {
                    current: Some(make(id)),
                    older: Vec::new(),
                },
            );
            return id;
        }
        let slot = self.slot(key);
        if id == VersionId::NULL {
            slot.older.retain(|version| version.id() != VersionId::NULL);
        }
        if let Some(previous) = slot.current.take()
            && keeps_versions
            && previous.id() != id
        {
            slot.older.push(previous);
        }
        slot.current = Some(make(id));
        id
    }

    /// Stores an object as the newest version and gives that version's id.
    pub(crate) fn put(&mut self, key: &str, object: Object) -> VersionId {
        let mut object = Some(object);
        self.push(key.as_bytes(), |version| {
            let mut stored = object.take().expect("a version is made once");
            stored.version = version;
            Version::Object(Arc::new(stored))
        })
    }

    /// Replaces the attributes of a version in place (tagging, restoring).
    pub(crate) fn amend(
        &mut self,
        key: &str,
        id: VersionId,
        change: impl FnOnce(&mut Object),
    ) -> Result<(), S3Error> {
        let slot = self.slot(key.as_bytes());
        let found = slot
            .current
            .iter_mut()
            .chain(slot.older.iter_mut())
            .find(|version| version.id() == id);
        match found {
            Some(Version::Object(object)) => {
                change(Arc::make_mut(object));
                Ok(())
            }
            Some(Version::DeleteMarker { .. }) | None => Err(S3Error::no_such_key(key)),
        }
    }

    /// Deletes a key, or puts a marker on it.
    pub(crate) fn delete(&mut self, key: &str, now_s: u64) -> Deleted {
        let bytes = key.as_bytes();
        if self.versioning == Versioning::Off {
            let in_space = self
                .space
                .as_ref()
                .is_some_and(|space| space.find(bytes).is_some());
            if in_space {
                self.slots.insert(bytes.into(), Slot::default());
            } else {
                self.slots.remove(bytes);
            }
            return Deleted {
                version: None,
                marker: false,
            };
        }
        let version = self.push(bytes, |version| Version::DeleteMarker {
            version,
            modified_s: now_s,
        });
        Deleted {
            version: Some(version),
            marker: true,
        }
    }

    /// Deletes one version for good. A version that does not exist is deleted as well as any.
    pub(crate) fn delete_version(&mut self, key: &str, id: VersionId) -> Deleted {
        let bytes = key.as_bytes();
        let marker = matches!(self.version(bytes, id), Some(Version::DeleteMarker { .. }));
        let in_space = self.space_object(bytes).is_some();
        let slot = self.slot(bytes);
        slot.older.retain(|version| version.id() != id);
        if slot
            .current
            .as_ref()
            .is_some_and(|version| version.id() == id)
        {
            slot.current = slot.older.pop();
        }
        if slot.current.is_none() && !in_space {
            self.slots.remove(bytes);
        }
        Deleted {
            version: Some(id),
            marker,
        }
    }

    /// Whether nothing is in it, old versions included.
    pub(crate) fn is_empty(&self) -> bool {
        let mut cursor = self.cursor(b"", true);
        self.slots
            .values()
            .all(|slot| slot.current.is_none() && slot.older.is_empty())
            && cursor.advance().is_none()
    }

    /// A walk over the live keys from `start` on.
    pub(crate) fn cursor(&self, start: &[u8], inclusive: bool) -> Cursor<'_> {
        Cursor::new(self, start, inclusive)
    }
}

/// What a cursor stands on.
#[derive(Debug)]
pub(crate) enum Entry<'a> {
    Stored(&'a Arc<Object>),
    Space(crate::key_space::SpaceObject),
}

/// Walks the live keys in byte order: the key space merged with what lies over it.
pub(crate) struct Cursor<'a> {
    bucket: &'a Bucket,
    stored: std::iter::Peekable<std::collections::btree_map::Range<'a, Box<[u8]>, Slot>>,
    /// The next key of the space, and its rank; past the end when `rank == len`.
    space_key: Vec<u8>,
    rank: u64,
    key: Vec<u8>,
}

impl<'a> Cursor<'a> {
    fn new(bucket: &'a Bucket, start: &[u8], inclusive: bool) -> Self {
        let mut cursor = Self {
            bucket,
            stored: bucket
                .slots
                .range::<[u8], _>(bounds(start, inclusive))
                .peekable(),
            space_key: Vec::with_capacity(64),
            rank: 0,
            key: Vec::with_capacity(64),
        };
        cursor.seek_space(start, inclusive);
        cursor
    }

    /// Goes on at the first key that is at least `start`.
    pub(crate) fn seek(&mut self, start: &[u8]) {
        self.stored = self
            .bucket
            .slots
            .range::<[u8], _>(bounds(start, true))
            .peekable();
        self.seek_space(start, true);
    }

    fn seek_space(&mut self, start: &[u8], inclusive: bool) {
        let Some(space) = &self.bucket.space else {
            return;
        };
        self.rank = space.lower_bound(start);
        self.load_space_key();
        if !inclusive && self.rank < space.len() && self.space_key == start {
            self.rank += 1;
            self.load_space_key();
        }
    }

    fn load_space_key(&mut self) {
        if let Some(space) = &self.bucket.space
            && self.rank < space.len()
        {
            space.key(self.rank, &mut self.space_key);
        }
    }

    /// The key of the entry that [`Cursor::advance`] gave last.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    /// The next live entry.
    pub(crate) fn advance(&mut self) -> Option<Entry<'a>> {
        loop {
            let space = self
                .bucket
                .space
                .as_deref()
                .filter(|space| self.rank < space.len());
            if let Some(space) = space {
                let before_stored = match self.stored.peek() {
                    None => std::cmp::Ordering::Less,
                    Some((stored, _)) => self.space_key.as_slice().cmp(stored),
                };
                if before_stored.is_lt() {
                    let object = space.object(self.rank);
                    std::mem::swap(&mut self.key, &mut self.space_key);
                    self.rank += 1;
                    self.load_space_key();
                    return Some(Entry::Space(object));
                }
                if before_stored.is_eq() {
                    self.rank += 1;
                    self.load_space_key();
                }
            }
            let (key, slot) = self.stored.next()?;
            if let Some(Version::Object(object)) = &slot.current {
                self.key.clear();
                self.key.extend_from_slice(key);
                return Some(Entry::Stored(object));
            }
        }
    }
}

fn bounds(start: &[u8], inclusive: bool) -> (std::ops::Bound<&[u8]>, std::ops::Bound<&[u8]>) {
    use std::ops::Bound::{Excluded, Included, Unbounded};
    (
        if inclusive {
            Included(start)
        } else {
            Excluded(start)
        },
        Unbounded,
    )
}

/// The least string above every string that begins with `prefix`.
pub(crate) fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return Some(end);
        }
    }
    None
}
