//! Versions of a key.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::object::{Object, VersionId};

/// Whether a bucket keeps old versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Versioning {
    /// Never enabled: every version is the null version.
    #[default]
    Off,
    /// A write adds a version, and a delete adds a marker.
    Enabled,
    /// A write replaces only the null version.
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

impl Slot {
    /// Makes a slot with one version at most.
    pub(super) fn holding(current: Option<Version>) -> Self {
        Self {
            current,
            older: Vec::new(),
        }
    }

    /// Returns all versions, newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &Version> {
        self.current.iter().chain(self.older.iter().rev())
    }
}

/// The slots of a bucket, by key in byte order.
pub(crate) type Slots = BTreeMap<Box<[u8]>, Slot>;
