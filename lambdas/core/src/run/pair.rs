//! The two sides of a run. They are different types, so that nothing can take one for the other.

use serde::{Deserialize, Serialize};

use crate::value::{
    arn::{Arn, ExternalId, RoleArn},
    bucket::BucketName,
    key::{KeyPrefix, ObjectKey},
    text::InvalidText,
};

/// One of the two sides of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// Where the run reads.
    Source,
    /// Where the run writes.
    Target,
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Target => "target",
        })
    }
}

/// Where a run reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The bucket.
    pub bucket: BucketName,
    /// Everything under it is the source; empty for the whole bucket.
    pub prefix: KeyPrefix,
    /// Whether the requester pays for what is read here, as a bucket can demand.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub request_payer: bool,
}

/// Where a run writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The bucket.
    pub bucket: BucketName,
    /// Nothing outside it is written (P2).
    pub prefix: KeyPrefix,
    /// The role in the target account that reads the source and writes the target.
    pub role_arn: RoleArn,
    /// What the role's trust policy asks for.
    pub external_id: Option<ExternalId>,
}

/// A source and a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// Where the run reads.
    pub source: Source,
    /// Where the run writes.
    pub target: Target,
}

impl Source {
    /// Whether a key goes on after the prefix without a slash, so that it lies beside the folder of that name.
    #[must_use]
    pub fn is_beside(&self, relative: &str) -> bool {
        !ends_level(&self.prefix) && !relative.is_empty() && !relative.starts_with('/')
    }
}

impl Pair {
    /// The bucket of this side.
    #[must_use]
    pub fn bucket(&self, side: Side) -> &BucketName {
        match side {
            Side::Source => &self.source.bucket,
            Side::Target => &self.target.bucket,
        }
    }

    /// The prefix of this side.
    #[must_use]
    pub fn prefix(&self, side: Side) -> &KeyPrefix {
        match side {
            Side::Source => &self.source.prefix,
            Side::Target => &self.target.prefix,
        }
    }

    /// The ARN of the bucket of this side. Both accounts are in one partition, which the role's ARN names.
    #[must_use]
    pub fn bucket_arn(&self, side: Side) -> Arn {
        Arn::bucket(self.target.role_arn.partition(), self.bucket(side))
    }

    /// The ARN of an object of this side.
    #[must_use]
    pub fn object_arn(&self, side: Side, key: &ObjectKey) -> Arn {
        Arn::object(self.target.role_arn.partition(), self.bucket(side), key)
    }

    /// The key at the target of the object that has `source_key` at the source.
    ///
    /// Nothing when `source_key` lies outside the source prefix.
    ///
    /// # Errors
    /// [`InvalidText`] when the target key would be empty or longer than S3 allows.
    pub fn target_key(&self, source_key: &ObjectKey) -> Option<Result<ObjectKey, InvalidText>> {
        source_key
            .relative_to(&self.source.prefix)
            .map(|relative| self.target.prefix.join(relative))
    }

    /// Whether this key below the source prefix is that of the prefix itself, and would be empty at the target: the folder
    /// marker `data/` of a pair `data/` to the whole bucket. Nothing is wrong with it, and nothing can be copied.
    #[must_use]
    pub fn is_root_marker(&self, relative: &str) -> bool {
        relative.is_empty() && self.target.prefix.as_str().is_empty()
    }

    /// The key at the source that belongs to a key at the target; nothing outside the target prefix, an error where the
    /// source cannot have such a key because it would be too long.
    #[must_use]
    pub fn source_key(&self, target_key: &ObjectKey) -> Option<Result<ObjectKey, InvalidText>> {
        target_key
            .relative_to(&self.target.prefix)
            .map(|relative| self.source.prefix.join(relative))
    }

    /// The same, with words in the place of the external id: what is made of it can be shown to anybody.
    #[must_use]
    pub fn with_masked_external_id(mut self) -> Self {
        let masked = self.target.external_id.map(|_| ExternalId::masked());
        self.target.external_id = masked;
        self
    }

    /// Whether an object written at the target could be listed at the source, or the other way round.
    #[must_use]
    pub fn overlaps(&self) -> bool {
        self.source.bucket == self.target.bucket
            && (self.source.prefix.contains(&self.target.prefix)
                || self.target.prefix.contains(&self.source.prefix))
    }

    /// Whether both prefixes are folders (empty, or ending in a slash), or neither is.
    #[must_use]
    pub fn prefixes_agree(&self) -> bool {
        ends_level(&self.source.prefix) == ends_level(&self.target.prefix)
    }
}

/// Whether a prefix stands for the whole bucket or for a folder.
fn ends_level(prefix: &KeyPrefix) -> bool {
    prefix.as_str().is_empty() || prefix.as_str().ends_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(source: (&str, &str), target: (&str, &str)) -> Pair {
        Pair {
            source: Source {
                bucket: BucketName::new(source.0).unwrap(),
                prefix: KeyPrefix::new(source.1).unwrap(),
                request_payer: false,
            },
            target: Target {
                bucket: BucketName::new(target.0).unwrap(),
                prefix: KeyPrefix::new(target.1).unwrap(),
                role_arn: RoleArn::new("arn:aws:iam::222222222222:role/Target").unwrap(),
                external_id: None,
            },
        }
    }

    #[test]
    fn a_key_moves_from_prefix_to_prefix_byte_for_byte() {
        let pair = pair(("source", "data/"), ("target", "copy/of/"));
        let key = ObjectKey::new("data/a//b").unwrap();
        assert_eq!(
            pair.target_key(&key).unwrap().unwrap().as_str(),
            "copy/of/a//b"
        );
        assert!(
            pair.target_key(&ObjectKey::new("elsewhere").unwrap())
                .is_none()
        );
    }

    #[test]
    fn a_target_key_can_be_too_long() {
        let pair = pair(("source", ""), ("target", "more/"));
        let key = ObjectKey::new("k".repeat(1024)).unwrap();
        assert!(pair.target_key(&key).unwrap().is_err());
    }

    #[test]
    fn only_a_whole_bucket_has_no_place_for_the_marker_of_the_source_prefix() {
        let to_bucket = pair(("source", "data/"), ("target", ""));
        assert!(to_bucket.is_root_marker("") && !to_bucket.is_root_marker("a/"));
        let to_folder = pair(("source", "data/"), ("target", "copy/"));
        assert!(!to_folder.is_root_marker(""));
    }

    #[test]
    fn prefixes_agree_if_both_or_neither_end_a_level() {
        for (source, target, agree) in [
            ("", "", true),
            ("", "copy/", true),
            ("data/", "", true),
            ("data/", "copy/", true),
            ("data", "copy", true),
            ("data", "copy/", false),
            ("data/", "copy", false),
            ("", "copy", false),
            ("data", "", false),
        ] {
            let pair = pair(("one", source), ("two", target));
            assert_eq!(pair.prefixes_agree(), agree, "{source:?} {target:?}");
        }
    }

    #[test]
    fn a_prefix_without_a_slash_has_keys_beside_its_folder() {
        for (prefix, relative, is_beside) in [
            ("data", "2/k", true),
            ("data", ".csv", true),
            ("data", "/k", false),
            ("data", "", false),
            ("data/", "k", false),
            ("", "k", false),
        ] {
            let source = pair(("one", prefix), ("two", "")).source;
            assert_eq!(source.is_beside(relative), is_beside, "{prefix} {relative}");
        }
    }

    #[test]
    fn prefixes_overlap_in_either_direction() {
        assert!(pair(("one", "a/"), ("one", "a/b/")).overlaps());
        assert!(pair(("one", "a/b/"), ("one", "a/")).overlaps());
        assert!(pair(("one", ""), ("one", "x")).overlaps());
        assert!(!pair(("one", "a/"), ("one", "b/")).overlaps());
        assert!(!pair(("one", "a/"), ("two", "a/")).overlaps());
    }
}
