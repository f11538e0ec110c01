//! A bucket: its keys with their versions, over an optional key space.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::attributes::Attributes;
use super::bucket_spec::BucketSpec;
use super::cursor::Cursor;
use super::encryption::Encryption;
use super::object::{Object, VersionId};
use super::upload::{Upload, UploadKey, number_in_id};
use super::version::{Slot, Slots, Version, Versioning};
use crate::access::authorization::Owned;
use crate::access::policy::PolicyDocument;
use crate::key_space::keys::InvalidKeySpace;
use crate::key_space::space::KeySpace;
use crate::protocol::error::S3Error;

/// The state of a bucket, behind one lock.
#[derive(Debug, Default)]
pub(crate) struct Bucket {
    pub(crate) owner: String,
    pub(crate) region: String,
    pub(crate) versioning: Versioning,
    pub(crate) policy: Option<Arc<PolicyDocument>>,
    pub(crate) is_requester_pays: bool,
    /// The encryption of an object whose request names none.
    pub(crate) default_encryption: Encryption,
    pub(crate) space: Option<Arc<KeySpace>>,
    pub(crate) slots: Slots,
    pub(crate) uploads: BTreeMap<UploadKey, Upload>,
    pub(crate) created_s: u64,
    versions_made: u64,
}

/// The result of a delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deleted {
    /// The version that was deleted, or the marker that was added.
    pub(crate) version: Option<VersionId>,
    pub(crate) marker: bool,
}

impl Bucket {
    /// Makes the bucket of a spec.
    ///
    /// # Errors
    /// If its key space is invalid.
    pub(crate) fn new(spec: BucketSpec, created_s: u64) -> Result<Self, InvalidKeySpace> {
        Ok(Self {
            owner: spec.owner,
            region: spec.region,
            versioning: spec.versioning,
            policy: spec.policy.map(Arc::new),
            is_requester_pays: spec.is_requester_pays,
            default_encryption: spec.default_encryption,
            space: spec.key_space.map(KeySpace::new).transpose()?.map(Arc::new),
            slots: Slots::new(),
            uploads: BTreeMap::new(),
            created_s,
            versions_made: 0,
        })
    }

    /// Returns what authorization needs to know.
    pub(crate) fn owned(&self) -> Owned<'_> {
        Owned {
            owner: &self.owner,
            policy: self.policy.as_deref(),
            is_requester_pays: self.is_requester_pays,
        }
    }

    /// Returns the object of the key space under a key, whatever is stored over it.
    fn space_object(&self, key: &[u8]) -> Option<Arc<Object>> {
        let space = self.space.as_ref()?;
        let object = space.object(space.find(key)?);
        Some(Arc::new(Object {
            rope: object.rope(),
            etag: object.etag(),
            modified_s: object.modified_s,
            version: VersionId::NULL,
            attributes: Attributes::plain(),
        }))
    }

    /// Returns the newest version of a key, which can be a delete marker.
    pub(crate) fn newest(&self, key: &[u8]) -> Option<Version> {
        match self.slots.get(key) {
            Some(slot) => slot.current.clone(),
            None => self.space_object(key).map(Version::Object),
        }
    }

    /// Returns the object that a GET without a version finds.
    pub(crate) fn current(&self, key: &[u8]) -> Option<Arc<Object>> {
        self.newest(key)
            .and_then(|version| version.object().cloned())
    }

    /// Returns a version by its id.
    pub(crate) fn version(&self, key: &[u8], id: VersionId) -> Option<Version> {
        let Some(slot) = self.slots.get(key) else {
            return self.newest(key).filter(|version| version.id() == id);
        };
        slot.newest_first()
            .find(|version| version.id() == id)
            .cloned()
    }

    fn slot(&mut self, key: &[u8]) -> &mut Slot {
        if !self.slots.contains_key(key) {
            let below = self.space_object(key).map(Version::Object);
            self.slots.insert(key.into(), Slot::holding(below));
        }
        self.slots
            .get_mut(key)
            .expect("the slot was inserted above")
    }

    /// Adds the newest version of a key, as the bucket's versioning requires.
    fn push(&mut self, key: &[u8], make: impl FnOnce(VersionId) -> Version) -> VersionId {
        let id = if self.versioning == Versioning::Enabled {
            self.versions_made += 1;
            VersionId(self.versions_made)
        } else {
            VersionId::NULL
        };
        let keeps_versions = self.versioning != Versioning::Off;
        if !keeps_versions && !self.slots.contains_key(key) {
            // The usual case of a large copy: there is no older version to look for.
            self.slots.insert(key.into(), Slot::holding(Some(make(id))));
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

    /// Finds an open upload by key and id.
    pub(crate) fn upload(&self, key: &str, id: &str) -> Option<(&UploadKey, &Upload)> {
        let found = self
            .uploads
            .get_key_value(&(key.to_owned(), number_in_id(id)?));
        found.filter(|(_, upload)| upload.id == id)
    }

    /// Removes an open upload.
    pub(crate) fn remove_upload(&mut self, key: &str, id: &str) -> Option<Upload> {
        let at = self.upload(key, id)?.0.clone();
        self.uploads.remove(&at)
    }

    /// Notes at the open uploads of a key that the key has changed.
    fn note_change(&mut self, key: &str) {
        if self.uploads.is_empty() {
            return;
        }
        let of_key = (key.to_owned(), 0)..=(key.to_owned(), u64::MAX);
        for upload in self.uploads.range_mut(of_key).map(|(_, upload)| upload) {
            upload.key_changed = true;
        }
    }

    /// Stores an object as the newest version and returns the version's id.
    pub(crate) fn put(&mut self, key: &str, mut object: Object) -> VersionId {
        self.note_change(key);
        self.push(key.as_bytes(), |version| {
            object.version = version;
            Version::Object(Arc::new(object))
        })
    }

    /// Changes a version in place (tagging, restoring).
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

    /// Deletes a key, or adds a delete marker.
    pub(crate) fn delete(&mut self, key: &str, now_s: u64) -> Deleted {
        self.note_change(key);
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

    /// Deletes one version permanently. Deleting a version that does not exist succeeds too.
    pub(crate) fn delete_version(&mut self, key: &str, id: VersionId) -> Deleted {
        self.note_change(key);
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

    /// Whether the bucket holds nothing, not even old versions.
    pub(crate) fn is_empty(&self) -> bool {
        self.slots
            .values()
            .all(|slot| slot.current.is_none() && slot.older.is_empty())
            && self.cursor_from(b"").advance().is_none()
    }

    /// Starts a walk over the live keys at the first key that is at least `start`.
    pub(crate) fn cursor_from(&self, start: &[u8]) -> Cursor<'_> {
        Cursor::new(&self.slots, self.space.as_deref(), Bound::Included(start))
    }

    /// Starts a walk over the live keys after `key`.
    pub(crate) fn cursor_after(&self, key: &[u8]) -> Cursor<'_> {
        Cursor::new(&self.slots, self.space.as_deref(), Bound::Excluded(key))
    }
}
