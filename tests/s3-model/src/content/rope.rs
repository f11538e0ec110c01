//! The content of an object: a rope of segments.

use std::sync::Arc;

use bytes::Bytes;

use super::segment::{Segment, in_memory};

/// The content of an object or of a part.
///
/// - Segments are never empty, and two neighbors that continue each other are one segment.
/// - `length` is the sum of the segments' lengths.
/// - The segments alone determine the bytes: cloning and slicing never read them.
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

impl Rope {
    /// Makes content of the first `length` bytes of the stream of `seed`.
    pub fn synthetic(seed: u64, length: u64) -> Self {
        Self::single(Segment::Synthetic {
            seed,
            offset: 0,
            length,
        })
    }

    /// Makes content of these bytes.
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

    /// Joins ropes in order, as CompleteMultipartUpload joins parts.
    ///
    /// # Panics
    /// If the lengths add up to 2^64 bytes or more.
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

    /// Returns the number of bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Whether a byte of it is synthetic.
    pub(crate) fn has_synthetic(&self) -> bool {
        self.segments()
            .iter()
            .any(|segment| matches!(segment, Segment::Synthetic { .. }))
    }

    /// Returns the `length` bytes from `start`.
    ///
    /// # Panics
    /// If the rope is shorter than `start + length`. Callers check ranges first.
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

    /// Writes the bytes from `start` into all of `out`.
    ///
    /// # Panics
    /// If the rope is shorter than `start + out.len()`.
    pub fn read(&self, start: u64, out: &mut [u8]) {
        let piece = self.slice(start, out.len() as u64);
        let mut at = 0;
        for segment in piece.segments() {
            let size = in_memory(segment.length());
            segment.fill(0, &mut out[at..at + size]);
            at += size;
        }
    }

    /// Returns all bytes, for content that fits in memory.
    pub fn to_bytes(&self) -> Bytes {
        if let Segments::One(Segment::Literal(bytes)) = &self.segments {
            return bytes.clone();
        }
        let mut out = vec![0; in_memory(self.length)];
        self.read(0, &mut out);
        out.into()
    }

    /// Whether both hold the same bytes. Provenance decides where it can.
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

    /// Feeds `sink` what determines the content: the provenance of synthetic segments, and the
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

    /// Returns seed, offset and length if the content is one synthetic segment.
    pub(crate) fn single_segment(&self) -> Option<(u64, u64, u64)> {
        match &self.segments {
            Segments::One(Segment::Synthetic {
                seed,
                offset,
                length,
            }) => Some((*seed, *offset, *length)),
            _ => None,
        }
    }

    /// Feeds `sink` all bytes in blocks of at most 64 KiB.
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

/// Appends a segment, or joins it to the last one if it continues that.
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

/// Returns the rest of a segment after `step` bytes, or the next segment if nothing is left.
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
mod tests;
