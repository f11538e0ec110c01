//! What a key space is made of.

use serde::{Deserialize, Serialize};

use crate::number::{float, whole};
use crate::splitmix::mix;

/// What a key space is made of. As JSON it is the `key_space` of the control API.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySpaceSpec {
    /// How the keys look.
    pub shape: Shape,
    /// The number of keys before `missing_every` removes some.
    pub objects: u64,
    /// The prefix of every key.
    #[serde(default)]
    pub prefix: String,
    /// Determines sizes, contents and the random parts of keys. Two spaces with the same spec hold
    /// the same objects, like a source and a target after a sync.
    #[serde(default)]
    pub seed: u64,
    /// How large the objects are.
    #[serde(default)]
    pub sizes: Sizes,
    /// Leaves out every k-th object (k at least 2), for a target that lacks some.
    #[serde(default)]
    pub missing_every: Option<u64>,
    /// Makes every k-th object different and one byte longer, for a stale target.
    #[serde(default)]
    pub differing_every: Option<u64>,
    /// The earliest LastModified, in seconds since 1970. The objects spread over the next hour.
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
        /// Top-level directories.
        directories: u64,
        /// Subdirectories of each.
        subdirectories: u64,
    },
    /// `prefix-0042/object-000000000007`. The sizes of the prefixes follow a power law.
    Skewed {
        /// Top-level prefixes, at most 4,096.
        prefixes: u64,
        /// How unequal they are: the k-th largest holds a share proportional to `k^-exponent`.
        exponent: f64,
    },
    /// Random version 4 UUIDs.
    Uuid {},
    /// `year=2026/month=01/day=31/hour=23/part-00042.parquet`.
    Dated {
        /// The number of days, starting with 2020-01-01.
        days: u64,
    },
    /// Characters of one to four bytes, with everything that XML and URLs must escape.
    Unicode {},
}

/// How large the objects of a space are, in bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Sizes {
    /// All the same.
    Fixed {
        /// The size of every object.
        bytes: u64,
    },
    /// Spread evenly.
    Uniform {
        /// The smallest size.
        bytes_min: u64,
        /// The largest size.
        bytes_max: u64,
    },
    /// Spread evenly by their logarithms: many small ones, few large ones.
    LogUniform {
        /// The smallest size, at least 1.
        bytes_min: u64,
        /// The largest size.
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
    /// Describes `objects` keys of a shape, with 1 KiB each.
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

    /// Describes flat keys, which give a lister no slashes to divide by.
    pub fn flat(objects: u64) -> Self {
        Self::new(Shape::Flat {}, objects)
    }

    /// Sets the seed.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the prefix of every key.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets the sizes.
    #[must_use]
    pub fn sizes(mut self, sizes: Sizes) -> Self {
        self.sizes = sizes;
        self
    }

    /// Leaves out every `every`-th object.
    #[must_use]
    pub fn missing_every(mut self, every: u64) -> Self {
        self.missing_every = Some(every);
        self
    }

    /// Makes every `every`-th object different.
    #[must_use]
    pub fn differing_every(mut self, every: u64) -> Self {
        self.differing_every = Some(every);
        self
    }

    /// Sets the earliest LastModified, in seconds since 1970.
    #[must_use]
    pub fn modified_s(mut self, modified_s: u64) -> Self {
        self.modified_s = modified_s;
        self
    }
}

impl Sizes {
    /// Returns the size of the object with this random word.
    pub(super) fn of(&self, random: u64) -> u64 {
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
