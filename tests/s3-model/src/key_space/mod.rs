//! Buckets full of keys that are computed, not stored.
//!
//! A key space is a bijection between `0..len` and its keys **in byte order**, so a listing
//! starts anywhere after a binary search of at most 64 computed keys, and a bucket of
//! 100,000,000 keys needs a few hundred bytes.

mod dated;
mod flat;
mod hierarchical;
mod skewed;
mod unicode;
mod uuid;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::decimal;
use crate::digest::ETag;
use crate::rope::{Rope, mix};

/// What a key space is made of. As JSON it is the body of the control API's `key_space`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySpaceSpec {
    /// How the keys look.
    pub shape: Shape,
    /// The number of keys before `missing_every` takes some away.
    pub objects: u64,
    /// Put in front of every key.
    #[serde(default)]
    pub prefix: String,
    /// Determines sizes, contents and the random parts of keys. Two spaces of one spec hold the
    /// same objects: a source, and a target that was synchronised.
    #[serde(default)]
    pub seed: u64,
    /// How large the objects are.
    #[serde(default)]
    pub sizes: Sizes,
    /// Leaves out every k-th object (k at least 2): a target that lacks some.
    #[serde(default)]
    pub missing_every: Option<u64>,
    /// Makes every k-th object one byte longer and different: a target that is stale.
    #[serde(default)]
    pub differing_every: Option<u64>,
    /// The earliest LastModified, in seconds since 1970; the objects spread over the hour after it.
    #[serde(default = "default_modified_s")]
    pub modified_s: u64,
}

/// How the keys of a space look.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Shape {
    /// `object-000000000042`.
    Flat {},
    /// `directory-003/subdirectory-014/file-000042`.
    Hierarchical {
        /// Directories at the top.
        directories: u64,
        /// Subdirectories in each.
        subdirectories: u64,
    },
    /// `prefix-0042/object-000000000007`, where the prefixes' sizes follow a power law.
    Skewed {
        /// Prefixes at the top, at most 4,096.
        prefixes: u64,
        /// How unequal: the k-th largest holds a share proportional to `k^-exponent`.
        exponent: f64,
    },
    /// Random version 4 UUIDs.
    Uuid {},
    /// `year=2026/month=01/day=31/hour=23/part-00042.parquet`.
    Dated {
        /// Days covered, from 2020-01-01 on.
        days: u64,
    },
    /// Characters of one to four bytes, with everything that must be escaped in XML and URLs.
    Unicode {},
}

/// How large the objects of a space are, in bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Sizes {
    /// All the same.
    Fixed {
        /// Of every object.
        bytes: u64,
    },
    /// Evenly spread.
    Uniform {
        /// The least.
        bytes_min: u64,
        /// The most.
        bytes_max: u64,
    },
    /// Their logarithms evenly spread: many small ones, few large ones.
    LogUniform {
        /// The least, at least 1.
        bytes_min: u64,
        /// The most.
        bytes_max: u64,
    },
}

impl Default for Sizes {
    fn default() -> Self {
        Self::Fixed { bytes: 1024 }
    }
}

/// 2026-01-01T00:00:00Z.
fn default_modified_s() -> u64 {
    1_767_225_600
}

impl KeySpaceSpec {
    /// `objects` keys of a shape, of 1 KiB each.
    pub fn new(shape: Shape, objects: u64) -> Self {
        Self {
            shape,
            objects,
            prefix: String::new(),
            seed: 0,
            sizes: Sizes::default(),
            missing_every: None,
            differing_every: None,
            modified_s: default_modified_s(),
        }
    }

    /// Flat keys, the shape that gives a lister no slashes to divide by.
    pub fn flat(objects: u64) -> Self {
        Self::new(Shape::Flat {}, objects)
    }

    /// With another seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// With a prefix in front of every key.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// With other sizes.
    #[must_use]
    pub fn sizes(mut self, sizes: Sizes) -> Self {
        self.sizes = sizes;
        self
    }

    /// Without every `every`th object.
    #[must_use]
    pub fn missing_every(mut self, every: u64) -> Self {
        self.missing_every = Some(every);
        self
    }

    /// With every `every`th object different.
    #[must_use]
    pub fn differing_every(mut self, every: u64) -> Self {
        self.differing_every = Some(every);
        self
    }

    /// With another earliest LastModified, in seconds since 1970.
    #[must_use]
    pub fn modified_s(mut self, modified_s: u64) -> Self {
        self.modified_s = modified_s;
        self
    }
}

/// Writes the keys of one shape by rank.
trait Keys: fmt::Debug + Send + Sync {
    /// Appends the key of rank `index` in byte order.
    fn write(&self, index: u64, out: &mut Vec<u8>);
}

/// Why a key space cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("key space refused: {0}")]
pub struct InvalidKeySpace(pub(crate) String);

/// A key space that is ready to be listed.
#[derive(Debug)]
pub(crate) struct KeySpace {
    spec: KeySpaceSpec,
    keys: Box<dyn Keys>,
    length: u64,
}

/// One object of a key space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SpaceObject {
    pub(crate) content_seed: u64,
    pub(crate) size_bytes: u64,
    pub(crate) modified_s: u64,
}

impl SpaceObject {
    pub(crate) fn etag(&self) -> ETag {
        if self.size_bytes == 0 {
            return ETag::of_content(&Rope::default());
        }
        ETag::of_stretch(self.content_seed, 0, self.size_bytes)
    }

    pub(crate) fn rope(&self) -> Rope {
        Rope::synthetic(self.content_seed, self.size_bytes)
    }
}

impl KeySpace {
    /// # Errors
    /// When a number of the spec makes no sense.
    pub(crate) fn new(spec: KeySpaceSpec) -> Result<Self, InvalidKeySpace> {
        let refuse = |reason: &str| Err(InvalidKeySpace(reason.to_owned()));
        if spec.objects > 1 << 50 {
            return refuse("objects must be at most 2^50");
        }
        if spec.missing_every.is_some_and(|every| every < 2) || spec.differing_every == Some(0) {
            return refuse("missing_every must be at least 2 and differing_every at least 1");
        }
        if let Sizes::Uniform {
            bytes_min,
            bytes_max,
        }
        | Sizes::LogUniform {
            bytes_min,
            bytes_max,
        } = spec.sizes
            && (bytes_min > bytes_max || bytes_max > 1 << 50)
        {
            return refuse("sizes need bytes_min <= bytes_max <= 2^50");
        }
        let objects = spec.objects;
        let keys: Box<dyn Keys> = match spec.shape {
            Shape::Flat {} => Box::new(flat::Flat::new(objects)),
            Shape::Hierarchical {
                directories,
                subdirectories,
            } => Box::new(hierarchical::Hierarchical::new(
                objects,
                directories,
                subdirectories,
            )?),
            Shape::Skewed { prefixes, exponent } => {
                Box::new(skewed::Skewed::new(objects, prefixes, exponent, spec.seed)?)
            }
            Shape::Uuid {} => Box::new(uuid::Uuid::new(objects, spec.seed)),
            Shape::Dated { days } => Box::new(dated::Dated::new(objects, days)?),
            Shape::Unicode {} => Box::new(unicode::Unicode::new(objects)),
        };
        let length = spec
            .missing_every
            .map_or(objects, |every| objects - objects / every);
        Ok(Self { spec, keys, length })
    }

    /// The number of keys.
    pub(crate) fn len(&self) -> u64 {
        self.length
    }

    /// The index in the full space of the `rank`th key that is present.
    fn index(&self, rank: u64) -> u64 {
        self.spec
            .missing_every
            .map_or(rank, |every| rank + rank / (every - 1))
    }

    /// Replaces `out` by the key of this rank.
    pub(crate) fn key(&self, rank: u64, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(self.spec.prefix.as_bytes());
        self.keys.write(self.index(rank), out);
    }

    /// The number of keys below `key`.
    pub(crate) fn lower_bound(&self, key: &[u8]) -> u64 {
        let (mut low, mut high) = (0, self.length);
        let mut candidate = Vec::with_capacity(64);
        while low < high {
            let middle = low + (high - low) / 2;
            self.key(middle, &mut candidate);
            if candidate.as_slice() < key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The rank of a key that is in the space.
    pub(crate) fn find(&self, key: &[u8]) -> Option<u64> {
        if !key.starts_with(self.spec.prefix.as_bytes()) {
            return None;
        }
        let rank = self.lower_bound(key);
        if rank == self.length {
            return None;
        }
        let mut found = Vec::with_capacity(64);
        self.key(rank, &mut found);
        (found == key).then_some(rank)
    }

    /// The object of this rank.
    #[inline]
    pub(crate) fn object(&self, rank: u64) -> SpaceObject {
        let index = self.index(rank);
        let stale = self
            .spec
            .differing_every
            .is_some_and(|every| index % every == every - 1);
        let content_seed = mix(self.spec.seed ^ mix(index.wrapping_add(1)));
        let size_bytes = self.spec.sizes.of(content_seed);
        SpaceObject {
            content_seed: if stale { !content_seed } else { content_seed },
            size_bytes: size_bytes + u64::from(stale),
            modified_s: self.spec.modified_s + content_seed % 3600,
        }
    }
}

impl Sizes {
    fn of(&self, random: u64) -> u64 {
        match *self {
            Self::Fixed { bytes } => bytes,
            Self::Uniform {
                bytes_min,
                bytes_max,
            } => bytes_min + mix(random) % (bytes_max - bytes_min + 1),
            Self::LogUniform {
                bytes_min,
                bytes_max,
            } => {
                let share =
                    f64::from(u32::try_from(mix(random) >> 32).unwrap_or(0)) / f64::from(u32::MAX);
                let (low, high) = (float(bytes_min.max(1)).ln(), float(bytes_max.max(1)).ln());
                whole((low + share * (high - low)).exp()).clamp(bytes_min, bytes_max)
            }
        }
    }
}

/// A count as a float; spaces stay below 2^53, where that is exact.
#[allow(clippy::cast_precision_loss, reason = "bounded by 2^53, see above")]
pub(crate) fn float(value: u64) -> f64 {
    value as f64
}

/// The whole part of a float that is at least 0 and below 2^53.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bounded, see above"
)]
pub(crate) fn whole(value: f64) -> u64 {
    value as u64
}

/// How many digits the numbers below `count` need.
fn width(count: u64) -> usize {
    itoa::Buffer::new().format(count.saturating_sub(1)).len()
}

/// Appends `value` with `width` digits.
#[inline]
fn push_decimal(out: &mut Vec<u8>, value: u64, width: usize) {
    let start = out.len();
    out.resize(start + width, b'0');
    decimal(&mut out[start..], value);
}

#[cfg(test)]
mod tests;
