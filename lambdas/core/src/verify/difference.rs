//! What the target has otherwise than the run vouches for.

use serde::{Deserialize, Serialize};

use crate::value::{
    key::RelativeKey,
    object::{ETag, ListedObject},
};

/// How a key of the target differs from what the run vouches for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// It is not there.
    Missing,
    /// An object of another size is there.
    Size,
    /// An object of this size with another ETag is there.
    Content,
    /// An object is there of which the run knows nothing.
    Foreign,
    /// In an audit: the target's object is the same by size and older than the source's.
    Older,
    /// In an audit: the source has no such key.
    Extra,
}

impl DifferenceKind {
    /// Its name in `differences.csv`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Size => "size",
            Self::Content => "content",
            Self::Foreign => "foreign",
            Self::Older => "older",
            Self::Extra => "extra",
        }
    }
}

/// An object of a difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DifferingObject {
    /// Its entity tag.
    pub etag: ETag,
    /// Its size in bytes.
    pub size: u64,
}

impl DifferingObject {
    /// That of a listed object.
    #[must_use]
    pub fn of(object: &ListedObject) -> Self {
        Self {
            etag: object.etag.clone(),
            size: object.size_bytes,
        }
    }
}

/// One key that differs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Difference {
    /// The key below the prefixes of the pair.
    pub key: RelativeKey,
    /// How it differs.
    pub kind: DifferenceKind,
    /// What should be there.
    pub expected: Option<DifferingObject>,
    /// What is there.
    pub found: Option<DifferingObject>,
}
