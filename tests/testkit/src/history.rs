//! The versions that a bucket in memory keeps.

use std::collections::BTreeMap;

use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::{ListedVersion, VersionPage, VersionRequest, Versioning},
    value::{id::VersionId, key::ObjectKey, object::ListedObject, time::Timestamp},
};

use crate::stored_object::{StoredObject, whole_seconds};

/// The versions of the objects of one bucket.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// The oldest first.
    versions: BTreeMap<ObjectKey, Vec<Kept>>,
    made: u64,
    is_suspended: bool,
}

/// A version, or a delete marker.
#[derive(Debug)]
struct Kept {
    id: VersionId,
    object: Option<StoredObject>,
    modified_at: Timestamp,
}

impl History {
    /// That of a bucket which holds these objects, and kept no versions so far.
    pub(crate) fn since(objects: BTreeMap<ObjectKey, StoredObject>) -> Self {
        let mut history = Self {
            is_suspended: true,
            ..Self::default()
        };
        for (key, object) in objects {
            history.put(&key, object);
        }
        history.is_suspended = false;
        history
    }

    pub(crate) fn suspend(&mut self) {
        self.is_suspended = true;
    }

    pub(crate) fn versioning(&self) -> Versioning {
        if self.is_suspended {
            Versioning::Suspended
        } else {
            Versioning::Enabled
        }
    }

    pub(crate) fn put(&mut self, key: &ObjectKey, object: StoredObject) {
        let modified_at = whole_seconds(object.modified_at);
        self.push(key, Some(object), modified_at);
    }

    pub(crate) fn delete(&mut self, key: &ObjectKey, now: Timestamp) {
        self.push(key, None, whole_seconds(now));
    }

    fn push(&mut self, key: &ObjectKey, object: Option<StoredObject>, modified_at: Timestamp) {
        let versions = self.versions.entry(key.clone()).or_default();
        let id = if self.is_suspended {
            versions.retain(|kept| !kept.id.is_null());
            "null".to_owned()
        } else {
            self.made += 1;
            format!("v{:06}", self.made)
        };
        versions.push(Kept {
            id: VersionId::new(id).expect("an id"),
            object,
            modified_at,
        });
    }

    /// Removes a version for good; the newest object of the key after that.
    pub(crate) fn remove_version(
        &mut self,
        key: &ObjectKey,
        version_id: &VersionId,
    ) -> Option<StoredObject> {
        let versions = self.versions.get_mut(key)?;
        versions.retain(|kept| kept.id != *version_id);
        versions.last()?.object.clone()
    }

    pub(crate) fn versions(&self, key: &ObjectKey) -> Vec<(VersionId, bool)> {
        let versions = self.versions.get(key).into_iter().flatten();
        versions
            .map(|kept| (kept.id.clone(), kept.object.is_some()))
            .collect()
    }

    /// One version. A delete marker is refused as S3 refuses it, and so is an id that no version can have (docs/MODEL.md,
    /// facts 18, 87 and 88).
    pub(crate) fn object(
        &self,
        key: &ObjectKey,
        version_id: &VersionId,
        operation: &'static str,
    ) -> Result<&StoredObject, CallFault> {
        let fault = |kind, text: &str| CallFault::new(operation, kind, text);
        let mut versions = self.versions.get(key).into_iter().flatten();
        match versions.find(|kept| kept.id == *version_id) {
            Some(Kept {
                object: Some(object),
                ..
            }) if object.is_denied => Err(fault(FaultKind::AccessDenied, key.as_str())),
            Some(Kept {
                object: Some(object),
                ..
            }) => Ok(object),
            Some(_) => Err(fault(FaultKind::Rejected, "a delete marker")),
            None if is_version_id(version_id) => Err(fault(FaultKind::NoSuchKey, "NoSuchVersion")),
            None => Err(fault(FaultKind::Rejected, "Invalid version id specified")),
        }
    }

    /// A page of at most `versions_max` versions.
    pub(crate) fn page(&self, request: &VersionRequest, versions_max: usize) -> VersionPage {
        let asked = request.versions_max.map_or(usize::MAX, usize::from);
        let mut versions = Vec::new();
        for (key, kept) in &self.versions {
            if !key.as_str().starts_with(request.prefix.as_str()) {
                continue;
            }
            let mut newest_first: Vec<&Kept> = kept.iter().rev().collect();
            match &request.after {
                Some(after) if *key < after.key => continue,
                Some(after) if *key == after.key => {
                    let Some(id) = &after.version_id else {
                        continue;
                    };
                    let listed = newest_first.iter().position(|kept| kept.id == *id);
                    newest_first.drain(..listed.map_or(0, |listed| listed + 1));
                }
                _ => {}
            }
            versions.extend(newest_first.into_iter().map(|kept| kept.listed(key)));
        }
        let length = versions_max.min(asked);
        let is_truncated = versions.len() > length;
        versions.truncate(length);
        VersionPage {
            versions,
            is_truncated,
        }
    }
}

impl Kept {
    fn listed(&self, key: &ObjectKey) -> ListedVersion {
        match &self.object {
            Some(object) => ListedVersion::Object(ListedObject {
                version_id: Some(self.id.clone()),
                ..object.listed(key)
            }),
            None => ListedVersion::DeleteMarker {
                key: key.clone(),
                version_id: self.id.clone(),
                modified_at: self.modified_at,
            },
        }
    }
}

/// Whether a version may have this id.
fn is_version_id(id: &VersionId) -> bool {
    let number = id.as_str().strip_prefix('v');
    id.is_null() || number.is_some_and(|number| number.parse::<u64>().is_ok())
}
