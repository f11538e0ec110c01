//! The options of a run that are a choice, under the names that a person types.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::value::storage::{ObjectStorage, StorageClass};

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
    /// Nothing: both sides are compared, and nothing is written at the target.
    Audit,
}

impl Mode {
    /// Whether the run changes the target.
    #[must_use]
    pub const fn writes(self) -> bool {
        !matches!(self, Self::Audit)
    }

    /// The name, as a person types it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Sync => "sync",
            Self::Mirror => "mirror",
            Self::Audit => "audit",
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

impl Compare {
    /// The name, as a person types it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::SizeAndMtime => "size_and_mtime",
            Self::Etag => "etag",
        }
    }
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
    /// The target is listed and its sum compared with what the run vouches for.
    Relist,
    /// As relist, and full-object checksums are compared where they exist.
    Checksum,
}

/// The storage class that copies are written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClassChoice {
    /// Each object's own.
    #[default]
    Preserve,
    /// This one.
    Class(StorageClass),
}

impl ClassChoice {
    const PRESERVE: &str = "preserve";

    /// The name, as a person types it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Preserve => Self::PRESERVE,
            Self::Class(class) => class.name(),
        }
    }

    /// What the copy of an object asks for; nothing for S3's default. That is STANDARD, and so is what becomes of an object
    /// whose own class no copy can have.
    #[must_use]
    pub fn requested(self, object: ObjectStorage) -> Option<StorageClass> {
        match self {
            Self::Class(class) => Some(class),
            Self::Preserve => object
                .class
                .filter(|&class| class != StorageClass::Standard),
        }
    }

    /// The class that the copy of an object has.
    #[must_use]
    pub fn written(self, object: ObjectStorage) -> StorageClass {
        self.requested(object).unwrap_or(StorageClass::Standard)
    }

    /// Whether the copy of an object has another class than the object.
    #[must_use]
    pub fn changes(self, object: ObjectStorage) -> bool {
        object.class != Some(self.written(object))
    }
}

impl Serialize for ClassChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for ClassChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        if name == Self::PRESERVE {
            return Ok(Self::Preserve);
        }
        StorageClass::named(&name).map(Self::Class).ok_or_else(|| {
            let classes = StorageClass::ALL.map(StorageClass::name).join(", ");
            D::Error::custom(format_args!(
                "unknown storage class `{name}`, expected {} or one of {classes}",
                Self::PRESERVE
            ))
        })
    }
}

/// What is done about objects that must be restored before they can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArchivedPolicy {
    /// Each of them fails.
    #[default]
    Fail,
    /// They are left out and counted.
    Skip,
}

/// How S3 encrypts what is written with keys of its own, for a bucket whose policy demands that each request names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SseChoice {
    /// SSE-S3.
    #[serde(rename = "AES256")]
    Aes256,
}

/// The access control list that each write names, for a bucket whose policy demands one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AclChoice {
    /// The owner of the bucket has all rights: the one list that a bucket without access control lists takes too.
    #[serde(rename = "bucket-owner-full-control")]
    BucketOwnerFullControl,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_preserved_or_chosen_and_anything_else_is_refused_with_the_choices() {
        for name in ["preserve", "STANDARD", "DEEP_ARCHIVE"] {
            let choice: ClassChoice = serde_json::from_value(name.into()).unwrap();
            assert_eq!(serde_json::to_value(choice).unwrap(), name);
        }
        let refused = serde_json::from_value::<ClassChoice>("standard".into()).unwrap_err();
        for part in ["`standard`", "preserve", "GLACIER_IR"] {
            assert!(refused.to_string().contains(part), "{refused}");
        }
    }

    #[test]
    fn what_is_preserved_is_what_copies_can_have_and_the_rest_becomes_standard() {
        let chosen = ClassChoice::Class(StorageClass::GlacierIr);
        for (own, requested, changes, changes_to_chosen) in [
            ("STANDARD", None, false, true),
            ("GLACIER_IR", Some(StorageClass::GlacierIr), false, false),
            ("EXPRESS_ONEZONE", None, true, true),
            ("TOMORROW", None, true, true),
        ] {
            let object = ObjectStorage::listed(own, false);
            assert_eq!(ClassChoice::Preserve.requested(object), requested, "{own}");
            assert_eq!(ClassChoice::Preserve.changes(object), changes, "{own}");
            assert_eq!(chosen.requested(object), Some(StorageClass::GlacierIr));
            assert_eq!(chosen.changes(object), changes_to_chosen, "{own}");
        }
    }
}
