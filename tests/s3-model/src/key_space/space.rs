//! A key space, ready to be listed and read.

use super::keys::{InvalidKeySpace, Keys};
use super::spec::{KeySpaceSpec, Shape, Sizes};
use super::{dated, flat, hierarchical, skewed, unicode, uuid};
use crate::content::etag::ETag;
use crate::content::rope::Rope;
use crate::splitmix::mix;

/// The largest number of objects, and the largest size: 2^50, which a float holds exactly.
const MAX: u64 = 1 << 50;

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
        ETag::of_segment(self.content_seed, 0, self.size_bytes)
    }

    pub(crate) fn rope(&self) -> Rope {
        Rope::synthetic(self.content_seed, self.size_bytes)
    }
}

fn check(spec: &KeySpaceSpec) -> Result<(), InvalidKeySpace> {
    let refuse = |reason: &str| Err(InvalidKeySpace(reason.to_owned()));
    if spec.objects > MAX {
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
        && (bytes_min > bytes_max || bytes_max > MAX)
    {
        return refuse("sizes need bytes_min <= bytes_max <= 2^50");
    }
    Ok(())
}

fn keys(spec: &KeySpaceSpec) -> Result<Box<dyn Keys>, InvalidKeySpace> {
    let objects = spec.objects;
    Ok(match spec.shape {
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
    })
}

impl KeySpace {
    /// Makes the key space of a spec.
    ///
    /// # Errors
    /// If a number of the spec is out of its range.
    pub(crate) fn new(spec: KeySpaceSpec) -> Result<Self, InvalidKeySpace> {
        check(&spec)?;
        let keys = keys(&spec)?;
        let length = spec
            .missing_every
            .map_or(spec.objects, |every| spec.objects - spec.objects / every);
        Ok(Self { spec, keys, length })
    }

    /// Returns the number of keys.
    pub(crate) fn len(&self) -> u64 {
        self.length
    }

    /// Returns the index in the full space of the `rank`-th key that is present.
    fn index(&self, rank: u64) -> u64 {
        self.spec
            .missing_every
            .map_or(rank, |every| rank + rank / (every - 1))
    }

    /// Replaces `out` with the key of this rank.
    pub(crate) fn key(&self, rank: u64, out: &mut Vec<u8>) {
        out.clear();
        out.extend_from_slice(self.spec.prefix.as_bytes());
        self.keys.write(self.index(rank), out);
    }

    /// Returns the number of keys below `key`.
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

    /// Returns the rank of a key if it is in the space.
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

    /// Returns the object of this rank.
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

#[cfg(test)]
mod tests;
