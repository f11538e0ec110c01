//! The parameters of a stack that bound what a run may ask for.

use crate::{
    run::option::ClassChoice,
    value::{
        arn::{KmsKeyArn, RoleArn},
        bucket::BucketName,
        text::InvalidText,
    },
};

/// The parameters of the stack that are ceilings and nothing else. Those by default allow what the stack itself sets, and
/// every storage class that can be read at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CeilingParameters {
    /// The buckets that a run may name as its source, with any prefix; the stack's own bucket without its own prefix, too.
    pub source_buckets: Vec<BucketName>,
    /// The buckets that a run may name as its target beside the stack's own; that one in any place, where it is among them.
    pub target_buckets: Vec<BucketName>,
    /// The target roles that a run may name beside the stack's own.
    pub target_roles: Vec<RoleArn>,
    /// Whether a run may be a mirror.
    pub allow_mirror: bool,
    /// The largest `delete_max_percent`.
    pub delete_max_percent: Option<u8>,
    /// The largest `delete_max_objects`.
    pub delete_max_objects: Option<u64>,
    /// The keys that a run may encrypt with.
    pub kms_keys: Vec<AllowedKey>,
    /// The storage classes that a run may choose.
    pub storage_classes: Option<Vec<ClassChoice>>,
    /// Whether a run may name versions.
    pub allow_versions: bool,
    /// Whether a run may have a transform.
    pub enable_transforms: bool,
    /// The stack's control bucket, where lists may lie.
    pub control_bucket: Option<BucketName>,
    /// The buckets in which lists may lie beside it.
    pub list_buckets: Vec<BucketName>,
}

/// A key that a run may encrypt with, or each key of one account in one Region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedKey {
    /// This one.
    One(KmsKeyArn),
    /// Each whose ARN begins so: `arn:aws:kms:<region>:<account>:key/`.
    EachOf(String),
}

impl AllowedKey {
    /// Reads the ARN of a key, or one that ends in `key/*`.
    ///
    /// # Errors
    /// [`InvalidText`] with the form that was expected.
    pub fn new(text: &str) -> Result<Self, InvalidText> {
        let Some(place) = text.strip_suffix('*') else {
            return KmsKeyArn::new(text).map(Self::One);
        };
        // Whatever stands before the star must be the place of a key.
        KmsKeyArn::new(format!("{place}0"))?;
        if place.ends_with("key/") {
            Ok(Self::EachOf(place.to_owned()))
        } else {
            KmsKeyArn::new(text).map(Self::One)
        }
    }

    pub(super) fn allows(&self, key: &KmsKeyArn) -> bool {
        match self {
            Self::One(one) => one == key,
            Self::EachOf(place) => key.as_str().starts_with(place.as_str()),
        }
    }
}
