//! What copying objects takes, estimated from their sizes.

use serde::{Deserialize, Serialize};

use crate::copy::part_layout::PartLayout;

/// The share of one call: S3 typically takes 100 ms for a small object, and a copier has up to 512 calls in flight.
const CALL_US: u64 = 100_000 / 512;
/// The bytes that a copier moves per microsecond: 64 calls of some 50 MB/s each.
const BYTES_PER_US: u64 = 64 * 50;
/// The bytes of an image that a renderer renders per microsecond: 4 MB in 80 ms.
const RENDERED_BYTES_PER_US: u64 = 50;
/// Nothing larger is read as a whole.
const RENDERED_BYTES_MAX: u64 = 512 << 20;

/// What copying objects takes, estimated from their sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CopyEffort {
    /// Objects that are copied in parts.
    pub uploads: u64,
    /// Their parts.
    pub parts: u64,
    /// Objects whose source is looked at before they are copied in one call, because they are likely redirects.
    #[serde(default)]
    pub looks: u64,
    /// The time of one copier, in microseconds.
    pub busy_us: u64,
}

impl CopyEffort {
    /// The effort of one object.
    #[must_use]
    pub fn of_object(size_bytes: u64, multipart_threshold_bytes: u64, part_bytes: u64) -> Self {
        let layout = (size_bytes > multipart_threshold_bytes)
            .then(|| PartLayout::new(size_bytes, part_bytes).ok())
            .flatten();
        // An object too large for any layout fails after one call.
        let parts = layout.map_or(0, |layout| u64::from(layout.part_count()));
        let uploads = u64::from(parts > 0);
        // An upload is created and completed, and its source's attributes and tags are read.
        let calls = if parts == 0 { 1 } else { parts + 4 };
        Self {
            uploads,
            parts,
            looks: 0,
            busy_us: calls * CALL_US + size_bytes / BYTES_PER_US,
        }
    }

    /// The effort of one rendition. An image of 12 megapixels takes 70 to 850 ms of a processor (docs/IMAGES.md), and has some
    /// 4 MB; a renderer has between one and two processors.
    #[must_use]
    pub fn of_rendition(size_bytes: u64) -> Self {
        let bytes = size_bytes.min(RENDERED_BYTES_MAX);
        Self {
            busy_us: 2 * CALL_US + bytes / RENDERED_BYTES_PER_US,
            ..Self::default()
        }
    }

    /// This effort and so many looks at the source.
    #[must_use]
    pub fn looking(mut self, looks: u64) -> Self {
        self.looks += looks;
        self.busy_us = self.busy_us.saturating_add(looks.saturating_mul(CALL_US));
        self
    }

    /// The part of [`busy_us`](Self::busy_us) in which bytes are moved, when so many writes are made.
    #[must_use]
    pub(super) fn moving_us(self, writes: u64) -> u64 {
        self.busy_us.saturating_sub(writes.saturating_mul(CALL_US))
    }

    /// Adds another effort.
    pub fn add(&mut self, other: Self) {
        self.uploads += other.uploads;
        self.parts += other.parts;
        self.looks += other.looks;
        self.busy_us = self.busy_us.saturating_add(other.busy_us);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_of_photographs_is_minutes_of_a_renderer() {
        let effort = CopyEffort::of_rendition(4 << 20);
        assert!((60_000..120_000).contains(&effort.busy_us));
        let video = CopyEffort::of_rendition(100 << 30);
        assert!(video.busy_us < 15_000_000, "it is not read as a whole");
    }

    #[test]
    fn an_object_in_parts_takes_its_parts_and_four_calls_more() {
        let gib = 1_u64 << 30;
        let effort = CopyEffort::of_object(10 * gib, 5 * gib, gib);
        assert_eq!((effort.uploads, effort.parts), (1, 10));
        assert_eq!(CopyEffort::of_object(5 * gib, 5 * gib, gib).parts, 0);
        assert!(effort.busy_us > 3_000_000, "10 GiB at 3.2 GB/s");
    }
}
