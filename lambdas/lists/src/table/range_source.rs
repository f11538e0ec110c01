//! Where the bytes of a table come from.

use std::ops::Range;

use bytes::Bytes;
use shardlift_core::failure::Failure;

/// A file that is read by ranges. Whoever implements it over S3 reads one version of the object (`If-Match`), waits for each
/// range, and retries.
pub trait RangeSource: Send + Sync + 'static {
    /// How many bytes the file has.
    fn size_bytes(&self) -> u64;

    /// The bytes of this range, all of them. Repeating it changes nothing.
    ///
    /// # Errors
    /// Why they could not be read; the list returns the same failure.
    fn read(&self, range: Range<u64>) -> Result<Bytes, Failure>;
}

impl RangeSource for Bytes {
    fn size_bytes(&self) -> u64 {
        self.len() as u64
    }

    fn read(&self, range: Range<u64>) -> Result<Bytes, Failure> {
        let bound = |end: u64| usize::try_from(end).ok().filter(|end| *end <= self.len());
        match (bound(range.start), bound(range.end)) {
            (Some(start), Some(end)) if start <= end => Ok(self.slice(start..end)),
            _ => Err(Failure::invariant(format!(
                "the range {range:?} lies outside a file of {} bytes",
                self.len()
            ))),
        }
    }
}
