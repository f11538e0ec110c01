//! A run of bytes with one origin: a synthetic stream, or a client.

use bytes::Bytes;

use crate::splitmix::mix;

/// Segments up to this length are compared byte by byte when their provenance differs. Longer
/// synthetic segments with different provenance count as different: two pseudo-random streams
/// agree on 4,096 bytes with probability 2^-32768.
const COMPARED_BYTES_MAX: u64 = 4096;

/// A run of content.
#[derive(Debug, Clone)]
pub(super) enum Segment {
    /// Bytes `offset..offset + length` of the endless deterministic stream of `seed`.
    Synthetic { seed: u64, offset: u64, length: u64 },
    /// Bytes from a client.
    Literal(Bytes),
}

/// Returns word `index` (8 bytes) of the stream of `seed`.
fn word(seed: u64, index: u64) -> u64 {
    mix(seed.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

/// Fills `out` with the stream of `seed`, starting at byte `offset`.
fn fill_synthetic(seed: u64, offset: u64, out: &mut [u8]) {
    let mut index = offset / 8;
    let skip = usize::try_from(offset % 8).unwrap_or(0);
    let mut rest = out;
    if skip > 0 {
        let bytes = word(seed, index).to_le_bytes();
        let taken = rest.len().min(8 - skip);
        let (head, tail) = rest.split_at_mut(taken);
        head.copy_from_slice(&bytes[skip..skip + taken]);
        rest = tail;
        index = index.wrapping_add(1);
    }
    for chunk in rest.chunks_mut(8) {
        let bytes = word(seed, index).to_le_bytes();
        chunk.copy_from_slice(&bytes[..chunk.len()]);
        index = index.wrapping_add(1);
    }
}

/// Converts a length that a buffer bounds to an index into memory.
pub(super) fn in_memory(length: u64) -> usize {
    usize::try_from(length).expect("a length that a buffer bounds fits in memory")
}

impl Segment {
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Synthetic { length, .. } => *length,
            Self::Literal(bytes) => bytes.len() as u64,
        }
    }

    pub(super) fn slice(&self, start: u64, length: u64) -> Self {
        match self {
            Self::Synthetic { seed, offset, .. } => Self::Synthetic {
                seed: *seed,
                offset: offset.wrapping_add(start),
                length,
            },
            Self::Literal(bytes) => {
                let start = in_memory(start);
                Self::Literal(bytes.slice(start..start + in_memory(length)))
            }
        }
    }

    /// Writes the bytes from `start` into all of `out`.
    pub(super) fn fill(&self, start: u64, out: &mut [u8]) {
        match self {
            Self::Synthetic { seed, offset, .. } => {
                fill_synthetic(*seed, offset.wrapping_add(start), out);
            }
            Self::Literal(bytes) => {
                let start = in_memory(start);
                out.copy_from_slice(&bytes[start..start + out.len()]);
            }
        }
    }

    /// Whether `next` continues this segment, so that the two can be joined.
    pub(super) fn continued_by(&self, next: &Self) -> bool {
        matches!((self, next), (
            Self::Synthetic { seed, offset, length },
            Self::Synthetic { seed: next_seed, offset: next_offset, .. },
        ) if seed == next_seed && offset.wrapping_add(*length) == *next_offset)
    }

    /// Whether two segments of the same length hold the same bytes.
    pub(super) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Synthetic { seed, offset, .. },
                Self::Synthetic {
                    seed: other_seed,
                    offset: other_offset,
                    ..
                },
            ) if seed == other_seed && offset == other_offset => true,
            (Self::Literal(bytes), Self::Literal(other_bytes)) => bytes == other_bytes,
            (Self::Synthetic { .. }, Self::Synthetic { .. })
                if self.length() > COMPARED_BYTES_MAX =>
            {
                false
            }
            _ => self.same_bytes(other),
        }
    }

    fn same_bytes(&self, other: &Self) -> bool {
        let (mut left, mut right) = ([0u8; 4096], [0u8; 4096]);
        let mut at = 0;
        while at < self.length() {
            let size = in_memory((self.length() - at).min(COMPARED_BYTES_MAX));
            self.fill(at, &mut left[..size]);
            other.fill(at, &mut right[..size]);
            if left[..size] != right[..size] {
                return false;
            }
            at += size as u64;
        }
        true
    }
}
