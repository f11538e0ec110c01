//! A column chunk of a Parquet file, read ahead in blocks, and held to the size that a page may have.

use std::{
    io::Read,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::{Buf, Bytes};
use parquet::{
    errors::{ParquetError, Result},
    file::reader::{ChunkReader, Length},
};

use super::{range_source::RangeSource, thrift_shape};

/// The largest page, compressed or not. Writers aim at one megabyte.
pub(super) const PAGE_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// What is read at once: one request for several pages of a column.
const BLOCK_BYTES: u64 = 2 * 1024 * 1024;
/// The longest header of a page; its statistics may hold two keys.
const HEADER_BYTES_MAX: u64 = 16 * 1024;

/// The chunk of a column within a row group.
pub(super) struct ChunkFile<S> {
    source: Arc<S>,
    chunk: Range<u64>,
    /// What was read last, and where it begins.
    block: Mutex<(u64, Bytes)>,
}

impl<S: RangeSource> ChunkFile<S> {
    /// That of these bytes of the file.
    pub(super) fn new(source: Arc<S>, chunk: Range<u64>) -> Self {
        let end = chunk.end.min(source.size_bytes());
        Self {
            chunk: chunk.start.min(end)..end,
            source,
            block: Mutex::new((0, Bytes::new())),
        }
    }

    /// The bytes of `range`, from the block at hand or from another one.
    fn slice(&self, range: Range<u64>) -> Result<Bytes> {
        let mut block = self.block.lock().unwrap_or_else(PoisonError::into_inner);
        let block_end = block.0 + block.1.len() as u64;
        if range.start < block.0 || range.end > block_end {
            let end = range.end.max(range.start + BLOCK_BYTES).min(self.chunk.end);
            let read = self
                .source
                .read(range.start..end)
                .map_err(|failure| ParquetError::External(Box::new(failure)))?;
            if read.len() as u64 != end - range.start {
                return Err(ParquetError::EOF(
                    "a range came shorter than asked for".into(),
                ));
            }
            *block = (range.start, read);
        }
        let from = position(range.start - block.0)?;
        let to = position(range.end - block.0)?;
        Ok(block.1.slice(from..to))
    }

    fn within(&self, start: u64, length: u64) -> Result<Range<u64>> {
        let end = start
            .checked_add(length)
            .filter(|end| *end <= self.chunk.end);
        match end {
            Some(end) if start >= self.chunk.start => Ok(start..end),
            _ => Err(ParquetError::EOF(format!(
                "a page at byte {start} lies outside its column"
            ))),
        }
    }
}

impl<S: RangeSource> Length for ChunkFile<S> {
    fn len(&self) -> u64 {
        self.source.size_bytes()
    }
}

impl<S: RangeSource> ChunkReader for ChunkFile<S> {
    type T = PageHeaderReader;

    /// The library asks for the header of a page so. It reserves what the header claims for the page, so the claim is checked
    /// when it is read.
    fn get_read(&self, start: u64) -> Result<Self::T> {
        let length = HEADER_BYTES_MAX.min(self.chunk.end.saturating_sub(start));
        let header = self.slice(self.within(start, length)?)?;
        Ok(PageHeaderReader {
            header: header.reader(),
            is_checked: false,
        })
    }

    /// The library asks for the body of a page so.
    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        if length as u64 > PAGE_BYTES_MAX {
            return Err(too_large(length as u64));
        }
        self.slice(self.within(start, length as u64)?)
    }
}

/// Reads the header of a page, unless it claims too much. The library also asks for a reader and then does not read, when it
/// knows the header already.
pub(super) struct PageHeaderReader {
    header: bytes::buf::Reader<Bytes>,
    is_checked: bool,
}

impl Read for PageHeaderReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if !self.is_checked {
            let header = self.header.get_ref();
            check_claim(header)
                .and_then(|()| thrift_shape::check(header))
                .map_err(std::io::Error::other)?;
            self.is_checked = true;
        }
        self.header.read(buffer)
    }
}

/// Whether a header claims a page that is not too large. It is a struct of Thrift's compact protocol, whose first fields are the
/// type of the page and its size without compression
/// (github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift, `PageHeader`).
fn check_claim(header: &[u8]) -> Result<()> {
    /// The next field, of 32 bits.
    const NEXT_I32: u8 = 0x15;
    let claim = header
        .strip_prefix(&[NEXT_I32])
        .and_then(|rest| Some(varint(rest)?.1))
        .and_then(|rest| rest.strip_prefix(&[NEXT_I32]))
        .and_then(varint);
    match claim {
        // Zigzag: an odd number is negative.
        Some((size, _)) if size % 2 == 0 && size / 2 <= PAGE_BYTES_MAX => Ok(()),
        Some((size, _)) if size % 2 == 0 => Err(too_large(size / 2)),
        _ => Err(ParquetError::General(
            "a page has no readable header".into(),
        )),
    }
}

/// A variable-length number, and what follows it.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut number = 0;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        number |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((number, &bytes[index + 1..]));
        }
    }
    None
}

fn too_large(bytes: u64) -> ParquetError {
    ParquetError::General(format!(
        "a page claims {bytes} bytes, more than the {PAGE_BYTES_MAX} that are read"
    ))
}

fn position(offset: u64) -> Result<usize> {
    usize::try_from(offset).map_err(|_| ParquetError::EOF("the file is too large".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_held_to_its_claim_before_it_is_read() {
        // Type 0, 5 bytes uncompressed.
        assert!(check_claim(&[0x15, 0x00, 0x15, 0x0a, 0x15]).is_ok());
        // 2,147,483,647 bytes.
        let bomb = check_claim(&[0x15, 0x00, 0x15, 0xfe, 0xff, 0xff, 0xff, 0x0f]);
        assert!(bomb.unwrap_err().to_string().contains("2147483647"));
        // -1 bytes, other fields, nothing.
        for header in [
            &[0x15, 0x00, 0x15, 0x01][..],
            &[0x25, 0x00],
            &[0x15, 0x80],
            &[],
        ] {
            assert!(check_claim(header).is_err(), "{header:?}");
        }
    }

    #[test]
    fn pages_come_from_blocks_and_never_from_outside_the_column() {
        let file = Bytes::from((0..100u8).collect::<Vec<_>>());
        let chunk = ChunkFile::new(Arc::new(file), 10..60);
        assert_eq!(chunk.get_bytes(10, 3).unwrap().as_ref(), [10, 11, 12]);
        assert_eq!(chunk.get_bytes(58, 2).unwrap().as_ref(), [58, 59]);
        for (start, length) in [(9, 1), (59, 2), (100, 1), (u64::MAX, 2)] {
            assert!(chunk.get_bytes(start, length).is_err(), "{start}");
        }
    }
}
