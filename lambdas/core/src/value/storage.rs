//! How S3 stores an object: its storage class, and whether it can be read as it is.

use serde::{Deserialize, Serialize};

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
    /// Every class, in the order of their declaration.
    pub const ALL: [Self; 8] = [
        Self::Standard,
        Self::StandardIa,
        Self::OnezoneIa,
        Self::IntelligentTiering,
        Self::GlacierIr,
        Self::Glacier,
        Self::DeepArchive,
        Self::ReducedRedundancy,
    ];

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

    /// The class of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// Whether an object of this class must be restored before it can be read. GLACIER_IR is read at once
    /// (docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html).
    #[must_use]
    pub const fn is_archive(self) -> bool {
        matches!(self, Self::Glacier | Self::DeepArchive)
    }
}

/// How an object is stored, as far as a listing tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectStorage {
    /// Its class; nothing for a class that no copy in a general purpose bucket can have (EXPRESS_ONEZONE, OUTPOSTS), or
    /// that this release does not know.
    pub class: Option<StorageClass>,
    /// Whether it must be restored before it can be read. Of the archive tiers of INTELLIGENT_TIERING a listing tells
    /// nothing.
    pub is_archived: bool,
}

impl Default for ObjectStorage {
    fn default() -> Self {
        Self {
            class: Some(StorageClass::Standard),
            is_archived: false,
        }
    }
}

impl ObjectStorage {
    /// That of an object of the class with this name; `is_restored` when S3 holds a copy of an archived object that can be
    /// read.
    #[must_use]
    pub fn listed(class_name: &str, is_restored: bool) -> Self {
        let class = StorageClass::named(class_name);
        Self {
            class,
            is_archived: class.is_some_and(StorageClass::is_archive) && !is_restored,
        }
    }

    /// Whether S3 may have moved the object to an archive tier of which a listing tells nothing.
    #[must_use]
    pub fn has_hidden_tiers(self) -> bool {
        self.class == Some(StorageClass::IntelligentTiering)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_serde_agree() {
        for class in StorageClass::ALL {
            assert_eq!(serde_json::to_value(class).unwrap(), class.name());
            assert_eq!(StorageClass::named(class.name()), Some(class));
        }
        assert_eq!(StorageClass::named("EXPRESS_ONEZONE"), None);
    }

    #[test]
    fn only_an_archive_that_is_not_restored_cannot_be_read() {
        for (name, is_restored, is_archived) in [
            ("GLACIER", false, true),
            ("DEEP_ARCHIVE", false, true),
            ("GLACIER", true, false),
            ("GLACIER_IR", false, false),
            ("STANDARD", false, false),
            ("TOMORROW", false, false),
        ] {
            let storage = ObjectStorage::listed(name, is_restored);
            assert_eq!(storage.is_archived, is_archived, "{name} {is_restored}");
            assert_eq!(storage.class, StorageClass::named(name));
        }
    }

    #[test]
    fn it_takes_two_bytes_of_each_listed_object() {
        assert_eq!(size_of::<ObjectStorage>(), 2);
    }
}
