//! Notes on an object that was copied: how it is proven, and what stayed behind; and on one that was left out.

use serde::{Deserialize, Serialize};

use crate::value::{key::ObjectKey, object::ETag};

/// One note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// Both sides have a full-object checksum of one algorithm, and they are equal.
    ProvenByChecksum,
    /// Both sides have the same ETag, of a single part each: an MD5 of the bytes, or S3's own statement that it is the same version.
    ProvenByEtag,
    /// The target's ETag is the one that follows from the parts, and each part was copied from the planned version.
    ProvenByParts,
    /// The two sides have nothing that can be compared: S3's response to the copy stands alone.
    Unproven,
    /// Tags and annotations could not be read or written, and the run asked for them at best effort.
    TagsLeftBehind,
    /// The source has annotations, and the object was copied in parts, which takes none along.
    AnnotationsLeftBehind,
    /// The object was copied in parts, and whether the source has annotations could not be found out.
    AnnotationsUnknown,
    /// The copy's checksum is of another algorithm or type than the source's.
    ChecksumChanged,
    /// The source redirects to another location, which a request cannot state.
    RedirectLeftBehind,
    /// Whether the source redirects to another location could not be found out.
    RedirectUnknown,
    /// The source changed after it was planned, and its newer version was copied.
    CopiedNewer,
}

impl Note {
    /// Whether it says what proves the copy, or that nothing does.
    #[must_use]
    pub const fn is_proof(self) -> bool {
        matches!(
            self,
            Self::ProvenByChecksum | Self::ProvenByEtag | Self::ProvenByParts | Self::Unproven
        )
    }

    /// Its name in the ledger and the report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ProvenByChecksum => "proven_by_checksum",
            Self::ProvenByEtag => "proven_by_etag",
            Self::ProvenByParts => "proven_by_parts",
            Self::Unproven => "unproven",
            Self::TagsLeftBehind => "tags_left_behind",
            Self::AnnotationsLeftBehind => "annotations_left_behind",
            Self::AnnotationsUnknown => "annotations_unknown",
            Self::ChecksumChanged => "checksum_changed",
            Self::RedirectLeftBehind => "redirect_left_behind",
            Self::RedirectUnknown => "redirect_unknown",
            Self::CopiedNewer => "copied_newer",
        }
    }
}

/// A copied object with notes: a line of the shard's list of notes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotedObject {
    /// Its position in the shard's manifest.
    pub index: u32,
    /// Its full source key.
    pub key: ObjectKey,
    /// Its notes.
    pub notes: Vec<Note>,
    /// The version that was copied, if it is newer than the planned one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrived: Option<ArrivedVersion>,
}

/// The version of a source object that was copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrivedVersion {
    /// Its entity tag at the source.
    pub etag: ETag,
    /// Its size in bytes.
    pub size_bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_lists_agree() {
        for note in [
            Note::ProvenByChecksum,
            Note::ProvenByEtag,
            Note::ProvenByParts,
            Note::Unproven,
            Note::TagsLeftBehind,
            Note::AnnotationsLeftBehind,
            Note::AnnotationsUnknown,
            Note::ChecksumChanged,
            Note::RedirectLeftBehind,
            Note::RedirectUnknown,
            Note::CopiedNewer,
        ] {
            let listed = serde_json::to_value(note).unwrap();
            assert_eq!(listed, note.name());
        }
    }
}
