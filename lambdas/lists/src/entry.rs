//! What a list gives out.

use shardlift_core::value::{
    id::VersionId, key::ObjectKey, object::ETag, storage::ObjectStorage, time::Timestamp,
};

use crate::{bad_line::BadLine, line_place::LinePlace};

/// An object that a list names. What the list does not tell is absent, never guessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListEntry {
    /// Its full key.
    pub key: ObjectKey,
    /// Its version, or nothing for the newest one. `null` is the version of a bucket that kept none.
    pub version_id: Option<VersionId>,
    /// Its size in bytes.
    pub size_bytes: Option<u64>,
    /// Its entity tag.
    pub etag: Option<ETag>,
    /// When it was last written.
    pub modified_at: Option<Timestamp>,
    /// How it is stored, by the name of its class; the list does not tell whether an archived object is restored.
    pub storage: Option<ObjectStorage>,
    /// Where the list names it.
    pub place: LinePlace,
}

/// A line that is right and names nothing to copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Where it stands.
    pub place: LinePlace,
    /// Why it is left out.
    pub why: WhyLeftOut,
}

impl LeftOut {
    /// Whether it names an object outside the source prefix.
    #[must_use]
    pub fn is_outside(&self) -> bool {
        self.why == WhyLeftOut::OutsidePrefix
    }
}

/// Why a line that is right names nothing to copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WhyLeftOut {
    /// It is a delete marker.
    DeleteMarker,
    /// It is a version of an inventory that is not the newest of its key.
    OldVersion,
    /// It is an object of an inventory outside the source prefix.
    OutsidePrefix,
    /// It is a receipt of an object that the run neither copied nor found the same.
    NotVouched,
}

/// One line of a list, in the order of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListItem {
    /// An object.
    Entry(ListEntry),
    /// A line that names nothing to copy.
    LeftOut(LeftOut),
    /// A line that is wrong.
    Bad(BadLine),
}
