//! The lines of a compressed text, however much it claims to be.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result};

/// The longest line: a key of 1,024 bytes is written with at most six bytes each, and a failure's detail is cut to a few
/// thousand.
const LINE_BYTES_MAX: u64 = 64 * 1024;
/// The most lines: a shard has 10,000 objects at most.
pub(super) const LINES_MAX: usize = 100_000;
/// What a text is compressed with looks back 512 KiB at most (zstd's level 1). Some kilobytes could ask for 128 MiB.
const WINDOW_LOG_MAX: u32 = 23;

/// The lines of a text under zstd. A line is bounded, and so is what the decoder holds: fifty kilobytes can stand for
/// gigabytes.
pub(super) struct BoundedLines<'a> {
    text: BufReader<zstd::Decoder<'a, BufReader<&'a [u8]>>>,
    read: usize,
}

impl<'a> BoundedLines<'a> {
    /// Those of `bytes`.
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self> {
        let mut decoder = zstd::Decoder::new(bytes)?;
        decoder.window_log_max(WINDOW_LOG_MAX)?;
        Ok(Self {
            text: BufReader::new(decoder),
            read: 0,
        })
    }
}

impl Iterator for BoundedLines<'_> {
    type Item = Result<String>;

    fn next(&mut self) -> Option<Result<String>> {
        let mut line = Vec::new();
        let mut bounded = self.text.by_ref().take(LINE_BYTES_MAX);
        match bounded.read_until(b'\n', &mut line) {
            Err(error) => return Some(Err(error)),
            Ok(0) => return None,
            Ok(_) => self.read += 1,
        }
        // The header of a manifest is a line too.
        if self.read > LINES_MAX + 1 {
            let problem = format!("there are more than {LINES_MAX} lines");
            return Some(Err(Error::new(ErrorKind::InvalidData, problem)));
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if line.len() as u64 == LINE_BYTES_MAX {
            let problem = format!("a line is longer than {LINE_BYTES_MAX} bytes");
            return Some(Err(Error::new(ErrorKind::InvalidData, problem)));
        }
        let line = String::from_utf8(line);
        Some(line.map_err(|error| Error::new(ErrorKind::InvalidData, error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<Result<String>> {
        BoundedLines::new(bytes).unwrap().take(10).collect()
    }

    #[test]
    fn lines_are_read_as_they_were_written() {
        let text = format!("a\n\n{}\nlast", "k".repeat(60_000));
        let bytes = zstd::bulk::compress(text.as_bytes(), 1).unwrap();
        let read: Vec<String> = lines(&bytes).into_iter().map(Result::unwrap).collect();
        assert_eq!(read, text.split('\n').collect::<Vec<_>>());
        assert!(lines(&zstd::bulk::compress(b"", 1).unwrap()).is_empty());
    }

    #[test]
    fn some_kilobytes_that_stand_for_a_gigabyte_are_refused_at_once() {
        let mut out = zstd::Encoder::new(Vec::new(), 1).unwrap();
        for _ in 0..1_024 {
            std::io::Write::write_all(&mut out, &vec![b'k'; 1 << 20]).unwrap();
        }
        let bytes = out.finish().unwrap();
        assert!(bytes.len() < 200_000, "{}", bytes.len());
        let read = lines(&bytes);
        assert!(read[0].is_err());
    }

    #[test]
    fn a_list_without_an_end_is_refused() {
        let bytes = zstd::bulk::compress(&b"{}\n".repeat(LINES_MAX + 2), 1).unwrap();
        let mut lines = BoundedLines::new(&bytes).unwrap();
        let read = lines.by_ref().take_while(Result::is_ok).count();
        assert_eq!(read, LINES_MAX + 1);
    }

    #[test]
    fn a_text_that_asks_for_a_large_window_is_refused() {
        let mut out = zstd::Encoder::new(Vec::new(), 1).unwrap();
        out.window_log(27).unwrap();
        out.include_contentsize(false).unwrap();
        std::io::Write::write_all(&mut out, &vec![b'k'; 64 << 20]).unwrap();
        let bytes = out.finish().unwrap();
        assert!(lines(&bytes)[0].is_err());
    }
}
