//! The content of an object as provenance: where its bytes come from, not the bytes.

use std::sync::Arc;

use bytes::Bytes;

/// Segments at most this long are compared byte by byte when their provenance differs. Longer
/// ones with different provenance are taken for different: two pseudo-random streams agree on
/// 4,096 bytes with probability 2^-32768.
const COMPARED_BYTES_MAX: u64 = 4096;

/// A stretch of content.
#[derive(Debug, Clone)]
enum Segment {
    /// Bytes `offset..offset + length` of the endless deterministic stream of `seed`.
    Synthetic { seed: u64, offset: u64, length: u64 },
    /// Bytes that a client sent.
    Literal(Bytes),
}

/// The content of an object or of a part.
///
/// - Segments are never empty, and two neighbours that continue each other are one segment.
/// - `length` is the sum of the segments' lengths.
/// - The bytes are a function of the segments alone: cloning and slicing never read them.
#[derive(Debug, Clone, Default)]
pub struct Rope {
    segments: Segments,
    length: u64,
}

#[derive(Debug, Clone, Default)]
enum Segments {
    #[default]
    None,
    One(Segment),
    Many(Arc<[Segment]>),
}

/// The `index`th eight bytes of the stream of `seed` (the finaliser of splitmix64).
fn word(seed: u64, index: u64) -> u64 {
    mix(seed.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

/// A bijective scrambler of 64 bits: the finaliser of splitmix64.
#[inline]
pub(crate) fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Fills `out` with the stream of `seed` from byte `offset` on.
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

/// A length as an index into memory. Only called where the length was bounded before.
fn in_memory(length: u64) -> usize {
    usize::try_from(length).expect("a length that was bounded by a buffer fits in memory")
}

impl Segment {
    fn length(&self) -> u64 {
        match self {
            Self::Synthetic { length, .. } => *length,
            Self::Literal(bytes) => bytes.len() as u64,
        }
    }

    fn slice(&self, start: u64, length: u64) -> Self {
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

    fn fill(&self, start: u64, out: &mut [u8]) {
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

    /// Whether `next` continues this stretch, so that both can be one.
    fn continued_by(&self, next: &Self) -> bool {
        matches!((self, next), (
            Self::Synthetic { seed, offset, length },
            Self::Synthetic { seed: next_seed, offset: next_offset, .. },
        ) if seed == next_seed && offset.wrapping_add(*length) == *next_offset)
    }

    /// Whether two stretches of the same length hold the same bytes.
    fn same(&self, other: &Self) -> bool {
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

impl Rope {
    /// The first `length` bytes of the stream of `seed`.
    pub fn synthetic(seed: u64, length: u64) -> Self {
        Self::single(Segment::Synthetic {
            seed,
            offset: 0,
            length,
        })
    }

    /// Bytes as they are.
    pub fn literal(bytes: Bytes) -> Self {
        Self::single(Segment::Literal(bytes))
    }

    fn single(segment: Segment) -> Self {
        let length = segment.length();
        if length == 0 {
            return Self::default();
        }
        Self {
            segments: Segments::One(segment),
            length,
        }
    }

    /// The ropes one after the other: what completing a multipart upload makes of its parts.
    ///
    /// # Panics
    /// When the lengths add up to 2^64 bytes or more.
    pub fn concat<'a>(ropes: impl IntoIterator<Item = &'a Rope>) -> Self {
        let mut joined: Vec<Segment> = Vec::new();
        let mut total: u64 = 0;
        for rope in ropes {
            total = total
                .checked_add(rope.length)
                .expect("an object is shorter than 2^64 bytes");
            for segment in rope.segments() {
                push_joined(&mut joined, segment.clone());
            }
        }
        Self::from_segments(joined, total)
    }

    fn from_segments(mut segments: Vec<Segment>, length: u64) -> Self {
        let segments = match segments.len() {
            0 => Segments::None,
            1 => segments.pop().map_or(Segments::None, Segments::One),
            _ => Segments::Many(segments.into()),
        };
        Self { segments, length }
    }

    fn segments(&self) -> &[Segment] {
        match &self.segments {
            Segments::None => &[],
            Segments::One(segment) => std::slice::from_ref(segment),
            Segments::Many(segments) => segments,
        }
    }

    /// The number of bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Whether no byte came from a client.
    pub(crate) fn is_synthetic(&self) -> bool {
        self.length > 0
            && self
                .segments()
                .iter()
                .all(|segment| matches!(segment, Segment::Synthetic { .. }))
    }

    /// The `length` bytes from `start` on.
    ///
    /// # Panics
    /// When the rope is shorter than `start + length`: callers check ranges first.
    #[must_use]
    pub fn slice(&self, start: u64, length: u64) -> Self {
        let end = start.checked_add(length).expect("a range ends below 2^64");
        assert!(
            end <= self.length,
            "range {start}..{end} lies outside {} bytes",
            self.length
        );
        let mut taken = Vec::new();
        let mut at = 0u64;
        for segment in self.segments() {
            let segment_end = at + segment.length();
            if segment_end > start && at < end {
                let first = start.max(at);
                let last = end.min(segment_end);
                taken.push(segment.slice(first - at, last - first));
            }
            at = segment_end;
            if at >= end {
                break;
            }
        }
        Self::from_segments(taken, length)
    }

    /// Writes the bytes from `start` on into the whole of `out`.
    ///
    /// # Panics
    /// When the rope is shorter than `start + out.len()`.
    pub fn read(&self, start: u64, out: &mut [u8]) {
        let piece = self.slice(start, out.len() as u64);
        let mut at = 0;
        for segment in piece.segments() {
            let size = in_memory(segment.length());
            segment.fill(0, &mut out[at..at + size]);
            at += size;
        }
    }

    /// All bytes, for content that fits in memory.
    pub fn to_bytes(&self) -> Bytes {
        if let Segments::One(Segment::Literal(bytes)) = &self.segments {
            return bytes.clone();
        }
        let mut out = vec![0; in_memory(self.length)];
        self.read(0, &mut out);
        out.into()
    }

    /// Whether both hold the same bytes, decided by provenance where that is possible.
    pub fn same_content(&self, other: &Self) -> bool {
        if self.length != other.length {
            return false;
        }
        let (mut left, mut right) = (self.segments().iter(), other.segments().iter());
        let (mut left_rest, mut right_rest) = (left.next().cloned(), right.next().cloned());
        while let (Some(a), Some(b)) = (left_rest.take(), right_rest.take()) {
            let step = a.length().min(b.length());
            if !a.slice(0, step).same(&b.slice(0, step)) {
                return false;
            }
            left_rest = advance(&a, step, &mut left);
            right_rest = advance(&b, step, &mut right);
        }
        true
    }

    /// Feeds what determines the content to `sink`: the provenance of synthetic stretches, the
    /// bytes of literal ones. Equal ropes feed equal bytes.
    pub(crate) fn describe(&self, mut sink: impl FnMut(&[u8])) {
        for segment in self.segments() {
            match segment {
                Segment::Synthetic {
                    seed,
                    offset,
                    length,
                } => {
                    let mut record = [0u8; 25];
                    record[0] = b's';
                    record[1..9].copy_from_slice(&seed.to_le_bytes());
                    record[9..17].copy_from_slice(&offset.to_le_bytes());
                    record[17..].copy_from_slice(&length.to_le_bytes());
                    sink(&record);
                }
                Segment::Literal(bytes) => {
                    sink(b"l");
                    sink(bytes);
                }
            }
        }
    }

    /// Seed, offset and length when the content is one synthetic stretch.
    pub(crate) fn single_stretch(&self) -> Option<(u64, u64, u64)> {
        match &self.segments {
            Segments::One(Segment::Synthetic {
                seed,
                offset,
                length,
            }) => Some((*seed, *offset, *length)),
            _ => None,
        }
    }

    /// Feeds all bytes to `sink` in blocks of at most 64 KiB.
    pub(crate) fn for_each_block(&self, mut sink: impl FnMut(&[u8])) {
        let mut block = vec![0u8; in_memory(self.length.min(64 * 1024))];
        let mut at = 0;
        while at < self.length {
            let size = in_memory((self.length - at).min(64 * 1024));
            self.read(at, &mut block[..size]);
            sink(&block[..size]);
            at += size as u64;
        }
    }
}

/// Appends a segment, joining it to the last one where it continues that.
fn push_joined(joined: &mut Vec<Segment>, segment: Segment) {
    if let Some(last) = joined.last_mut()
        && last.continued_by(&segment)
        && let Segment::Synthetic { length, .. } = last
    {
        *length += segment.length();
        return;
    }
    joined.push(segment);
}

/// What is left of a segment after `step` bytes of it, or the next one.
fn advance<'a>(
    segment: &Segment,
    step: u64,
    rest: &mut impl Iterator<Item = &'a Segment>,
) -> Option<Segment> {
    if segment.length() > step {
        return Some(segment.slice(step, segment.length() - step));
    }
    rest.next().cloned()
}

#[cfg(test)]
#[path = "rope_tests.rs"]
mod tests;
