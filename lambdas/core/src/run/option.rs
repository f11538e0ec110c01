//! The options of a run that are a choice, under the names that a person types.

use serde::{Deserialize, Serialize};

/// What a run copies, and whether it deletes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Everything at the source.
    Copy,
    /// What is missing at the target or differs there.
    Sync,
    /// As sync, and delete at the target what the source lacks.
    Mirror,
}

impl Mode {
    /// The name, as a person types it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Sync => "sync",
            Self::Mirror => "mirror",
        }
    }
}

/// What makes a source and a target object the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    /// Equal size.
    Size,
    /// Equal size, and the target written after the source.
    SizeAndMtime,
    /// Equal ETag where ETags can be compared, else size and mtime.
    Etag,
}

/// What is done about an object that changed after it was planned, or is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnChange {
    /// The newer version is copied, and a gone object is skipped.
    #[default]
    CopyNewer,
    /// Either is reported failed.
    Fail,
}

/// What is done about object tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TagPolicy {
    /// An object whose tags cannot be copied fails.
    Preserve,
    /// Tags are copied where that is allowed.
    BestEffort,
    /// Tags are not copied.
    Ignore,
}

/// How the target is proven complete after copying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verify {
    /// The outcomes in the ledger are the proof.
    None,
    /// Both sides are listed again and compared.
    Relist,
    /// As relist, and full-object checksums are compared where they exist.
    Checksum,
}

/// A storage class that a copy can be written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the names are S3's own")]
pub enum StorageClass {
    Standard,
    StandardIa,
    OnezoneIa,
    IntelligentTiering,
    GlacierIr,
    Glacier,
    DeepArchive,
    ReducedRedundancy,
}

impl StorageClass {
    /// The name that S3 uses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD",
            Self::StandardIa => "STANDARD_IA",
            Self::OnezoneIa => "ONEZONE_IA",
            Self::IntelligentTiering => "INTELLIGENT_TIERING",
            Self::GlacierIr => "GLACIER_IR",
            Self::Glacier => "GLACIER",
            Self::DeepArchive => "DEEP_ARCHIVE",
            Self::ReducedRedundancy => "REDUCED_REDUNDANCY",
        }
    }
}
