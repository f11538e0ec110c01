//! How an object is cut into the parts of a multipart copy.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// The smallest part but the last, in bytes (docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html).
pub const PART_BYTES_MIN: u64 = 5 * 1024 * 1024;
/// The largest part, in bytes.
pub const PART_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;
/// The most parts of one upload.
pub const PARTS_MAX: u32 = 10_000;
/// The largest object: 48.8 TiB.
pub const OBJECT_BYTES_MAX: u64 = PART_BYTES_MAX * PARTS_MAX as u64;
/// The largest object that one CopyObject takes, in bytes.
pub const SINGLE_COPY_BYTES_MAX: u64 = 5 * 1024 * 1024 * 1024;
/// The part that is chosen when nothing else is asked for: large enough to keep requests few
/// ($0.005 per 1,000), small enough for hundreds of parts of a large object in flight.
pub const PART_BYTES_DEFAULT: u64 = 128 * 1024 * 1024;

const _: () = assert!(PART_BYTES_MIN <= PART_BYTES_DEFAULT && PART_BYTES_DEFAULT <= PART_BYTES_MAX);
const _: () = assert!(SINGLE_COPY_BYTES_MAX <= OBJECT_BYTES_MAX);

/// A number of a part: 1 to 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct PartNumber(u32);

/// A number that no part can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("part number {0} is outside 1 to 10,000")]
pub struct InvalidPartNumber(pub u32);

impl PartNumber {
    /// The part with this number.
    ///
    /// # Errors
    /// [`InvalidPartNumber`] outside 1 to 10,000.
    pub fn new(number: u32) -> Result<Self, InvalidPartNumber> {
        if (1..=PARTS_MAX).contains(&number) {
            Ok(Self(number))
        } else {
            Err(InvalidPartNumber(number))
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for PartNumber {
    type Error = InvalidPartNumber;
    fn try_from(number: u32) -> Result<Self, Self::Error> {
        Self::new(number)
    }
}

impl From<PartNumber> for u32 {
    fn from(part: PartNumber) -> Self {
        part.0
    }
}

/// One part: its number and the bytes of the source that it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its number.
    pub number: PartNumber,
    /// Its first and last byte in the source.
    pub bytes: RangeInclusive<u64>,
}

/// An object cannot be cut into parts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// S3 has no empty part, so an empty object has no multipart copy.
    #[error("an empty object has no parts")]
    Empty,
    /// Larger than 10,000 parts of 5 GiB.
    #[error("{size_bytes} bytes are more than the {OBJECT_BYTES_MAX} that 10,000 parts can hold")]
    TooLarge {
        /// The object's size.
        size_bytes: u64,
    },
}

/// A cut that tiles the object exactly: equal parts, the last one what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartLayout {
    size_bytes: u64,
    part_bytes: u64,
}

impl PartLayout {
    /// Cuts `size_bytes` into parts of about `part_bytes_wanted`, larger when 10,000 of those do not suffice.
    ///
    /// # Errors
    /// [`LayoutError`] for an empty or too large object.
    pub fn new(size_bytes: u64, part_bytes_wanted: u64) -> Result<Self, LayoutError> {
        const MIB: u64 = 1024 * 1024;
        if size_bytes == 0 {
            return Err(LayoutError::Empty);
        }
        if size_bytes > OBJECT_BYTES_MAX {
            return Err(LayoutError::TooLarge { size_bytes });
        }
        let smallest = size_bytes.div_ceil(u64::from(PARTS_MAX)).div_ceil(MIB) * MIB;
        let part_bytes = part_bytes_wanted
            .max(smallest)
            .clamp(PART_BYTES_MIN, PART_BYTES_MAX);
        Ok(Self {
            size_bytes,
            part_bytes,
        })
    }

    /// The object's size.
    #[must_use]
    pub const fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    /// The size of every part but the last.
    #[must_use]
    pub const fn part_bytes(&self) -> u64 {
        self.part_bytes
    }

    /// How many parts there are.
    #[must_use]
    pub fn part_count(&self) -> u32 {
        u32::try_from(self.size_bytes.div_ceil(self.part_bytes))
            .expect("a layout has at most 10,000 parts")
    }

    /// The part with this number, or nothing past the end.
    #[must_use]
    pub fn part(&self, number: PartNumber) -> Option<Part> {
        let first = u64::from(number.get() - 1).checked_mul(self.part_bytes)?;
        let last = first
            .checked_add(self.part_bytes)?
            .min(self.size_bytes)
            .checked_sub(1)?;
        (first <= last).then_some(Part {
            number,
            bytes: first..=last,
        })
    }

    /// All parts in order.
    pub fn parts(&self) -> impl Iterator<Item = Part> + '_ {
        (1..=self.part_count()).filter_map(|number| self.part(PartNumber(number)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn assert_tiles(layout: &PartLayout) {
        let mut next = 0;
        let mut count = 0;
        for part in layout.parts() {
            assert_eq!(*part.bytes.start(), next);
            let length = part.bytes.end() - part.bytes.start() + 1;
            assert!(length <= PART_BYTES_MAX);
            next = part.bytes.end() + 1;
            assert!(
                length >= PART_BYTES_MIN || next == layout.size_bytes(),
                "only the last part may be small"
            );
            count += 1;
        }
        assert_eq!(next, layout.size_bytes());
        assert_eq!(count, layout.part_count());
        assert!(count <= PARTS_MAX);
    }

    #[test]
    fn the_corners_tile() {
        for size in [
            1,
            PART_BYTES_MIN,
            PART_BYTES_MIN + 1,
            SINGLE_COPY_BYTES_MAX + 1,
            OBJECT_BYTES_MAX - 1,
            OBJECT_BYTES_MAX,
        ] {
            assert_tiles(&PartLayout::new(size, PART_BYTES_DEFAULT).unwrap());
        }
    }

    #[test]
    fn no_layout_for_nothing_and_for_too_much() {
        assert_eq!(PartLayout::new(0, 1), Err(LayoutError::Empty));
        assert!(matches!(
            PartLayout::new(OBJECT_BYTES_MAX + 1, 1),
            Err(LayoutError::TooLarge { .. })
        ));
    }

    #[test]
    fn a_part_past_the_end_does_not_exist() {
        let layout = PartLayout::new(PART_BYTES_MIN, PART_BYTES_MIN).unwrap();
        assert!(layout.part(PartNumber::new(1).unwrap()).is_some());
        assert!(layout.part(PartNumber::new(2).unwrap()).is_none());
        assert!(PartNumber::new(0).is_err() && PartNumber::new(10_001).is_err());
    }

    proptest! {
        #[test]
        fn any_layout_tiles_its_object(size in 1..=OBJECT_BYTES_MAX, wanted in 0..=2 * PART_BYTES_MAX) {
            assert_tiles(&PartLayout::new(size, wanted).unwrap());
        }
    }
}
