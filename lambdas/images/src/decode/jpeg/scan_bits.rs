//! The bits of a scan, read and written.

use super::segments::{self, CUT_OFF};
use crate::failure::RenderFailure;

/// The data of a scan between two markers, the highest bit of a byte first.
#[derive(Default)]
pub(super) struct ScanReader {
    /// Without what keeps data apart from markers; zeros follow.
    bytes: Vec<u8>,
    /// In bits.
    end: usize,
    at: usize,
}

impl ScanReader {
    /// The fewest bits that are seen at once.
    pub(super) const PEEKED: u32 = 57;

    /// Takes data up to the next marker. Returns where that is, and which one.
    pub(super) fn fill(&mut self, data: &[u8]) -> Result<(usize, u8), RenderFailure> {
        self.bytes.clear();
        self.at = 0;
        let mut at = 0;
        loop {
            let rest = data.get(at..).ok_or(CUT_OFF)?;
            let length = memchr::memchr(0xff, rest).ok_or(CUT_OFF)?;
            self.bytes.extend_from_slice(&rest[..length]);
            match rest.get(length + 1) {
                Some(0) => {
                    self.bytes.push(0xff);
                    at += length + 2;
                }
                _ => {
                    self.end = self.bytes.len() * 8;
                    self.bytes.extend([0; 8]);
                    return segments::next_marker(data, at + length);
                }
            }
        }
    }

    #[inline]
    pub(super) fn peek(&self) -> Result<u64, RenderFailure> {
        let rest = self.bytes.get(self.at / 8..).ok_or(CUT_OFF)?;
        let next = rest.first_chunk::<8>().ok_or(CUT_OFF)?;
        Ok(u64::from_be_bytes(*next) << (self.at % 8))
    }

    #[inline]
    pub(super) fn skip(&mut self, bits: u32) -> Result<(), RenderFailure> {
        self.at += bits as usize;
        if self.at > self.end {
            return Err(CUT_OFF);
        }
        Ok(())
    }
}

/// Bits of a scan, the highest of a byte first.
#[derive(Default)]
pub(super) struct ScanWriter {
    pub(super) bytes: Vec<u8>,
    /// Those that are no whole byte yet, at the lower end.
    waiting: u64,
    count: u32,
}

impl ScanWriter {
    /// Adds up to 32 bits.
    #[inline]
    pub(super) fn put(&mut self, bits: u64, count: u32) {
        self.waiting = self.waiting << count | bits;
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            let [.., byte] = (self.waiting >> self.count).to_be_bytes();
            self.bytes.push(byte);
            if byte == 0xff {
                self.bytes.push(0);
            }
        }
    }

    /// Fills the last byte with ones.
    pub(super) fn flush(&mut self) {
        let missing = (8 - self.count % 8) % 8;
        self.put((1 << missing) - 1, missing);
    }
}
