//! The text that is being cut into lines: a bounded stretch of the list.

use shardlift_core::failure::Failure;

use super::{
    csv_row::{CsvRow, RowEnd},
    inflater::{Inflater, Pulled},
};

/// The longest line, its end not counted: a key of 1,024 bytes takes six bytes each at most, as in `\u0001`, and the detail
/// of a failure some thousands.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// How lines end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineEnds {
    /// At each line break.
    Plain,
    /// At a line break outside quotes.
    Quoted,
}

/// A line that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FoundLine {
    /// Its number.
    pub(super) line: u64,
    /// What it is.
    pub(super) kind: LineKind,
}

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineKind {
    /// A text from here to there in the window, without its end. Where lines end outside quotes, the row knows its cells.
    Text { begin: usize, end: usize },
    /// A row with quotes within its cells or around some, which is in the row already.
    Row,
    /// A row whose quotes are wrong. Only its first line is passed over, so no other line is lost with it.
    BrokenQuotes,
    /// A line longer than [`LINE_BYTES_MAX`], passed over.
    TooLong,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NextLine {
    Line(FoundLine),
    NeedsInput,
    End,
}

/// A stretch of text, and where it lies in the list.
pub(super) struct LineWindow {
    bytes: Vec<u8>,
    /// Where the next line begins in `bytes`.
    at: usize,
    /// Where the next line begins in the text.
    offset: u64,
    /// The number of the next line.
    line: u64,
    /// Whether the line at hand is too long and is being passed over.
    is_passing: bool,
}

impl LineWindow {
    /// A window whose first line begins here.
    pub(super) fn at(offset: u64, line: u64) -> Self {
        Self {
            bytes: Vec::new(),
            at: 0,
            offset,
            line,
            is_passing: false,
        }
    }

    /// Where the next line begins in the text, and its number.
    pub(super) fn position(&self) -> (u64, u64) {
        (self.offset, self.line)
    }

    /// The bytes of the window.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What has not been cut into lines yet.
    pub(super) fn ahead(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    /// Takes more text from the inflater.
    pub(super) fn fill(&mut self, inflater: &mut Inflater) -> Result<Pulled, Failure> {
        self.bytes.drain(..self.at);
        self.at = 0;
        inflater.pull(&mut self.bytes)
    }

    /// Passes over these bytes, which are no line.
    pub(super) fn pass(&mut self, bytes: usize) {
        self.at += bytes;
        self.offset += bytes as u64;
    }

    /// Finds the next line. `row` takes its cells where lines end outside quotes.
    pub(super) fn next_line(
        &mut self,
        ends: LineEnds,
        row: &mut CsvRow,
        inflater: &mut Inflater,
    ) -> Result<NextLine, Failure> {
        let mut has_ended = false;
        loop {
            if let Some(found) = self.find(ends, row, has_ended) {
                return Ok(NextLine::Line(found));
            }
            if has_ended {
                return Ok(NextLine::End);
            }
            match self.fill(inflater)? {
                Pulled::Text => {}
                Pulled::NeedsInput => return Ok(NextLine::NeedsInput),
                Pulled::End => has_ended = true,
            }
        }
    }

    /// The next line, if all of it is here.
    fn find(&mut self, ends: LineEnds, row: &mut CsvRow, has_ended: bool) -> Option<FoundLine> {
        let ahead = &self.bytes[self.at..];
        let line_break = memchr::memchr(b'\n', ahead);
        let (text, whole) = match line_break {
            Some(end) => (end, end + 1),
            None if ahead.len() > LINE_BYTES_MAX || self.is_passing => {
                self.is_passing = true;
                self.pass(ahead.len());
                return has_ended.then(|| self.passed());
            }
            None if has_ended && !ahead.is_empty() => (ahead.len(), ahead.len()),
            None => return None,
        };
        if self.is_passing || text > LINE_BYTES_MAX {
            self.pass(whole);
            return Some(self.passed());
        }
        let begin = self.at;
        let end = begin + text - usize::from(ahead[..text].ends_with(b"\r"));
        if ends == LineEnds::Quoted && !row.split(&self.bytes[begin..end]) {
            return self.find_quoted(row, whole, has_ended);
        }
        self.pass(whole);
        Some(self.found(LineKind::Text { begin, end }, 1))
    }

    /// The row with quoted cells that begins here; `first_line` long is its first line.
    fn find_quoted(
        &mut self,
        row: &mut CsvRow,
        first_line: usize,
        has_ended: bool,
    ) -> Option<FoundLine> {
        let ahead = &self.bytes[self.at..];
        let within = &ahead[..ahead.len().min(LINE_BYTES_MAX + 2)];
        let is_all = within.len() < ahead.len() || has_ended;
        match row.read_quoted(within, has_ended && within.len() == ahead.len()) {
            RowEnd::At(end) => {
                let lines = memchr::memchr_iter(b'\n', &ahead[..end]).count().max(1);
                self.pass(end);
                Some(self.found(LineKind::Row, lines as u64))
            }
            RowEnd::Unknown if !is_all => None,
            RowEnd::Unknown | RowEnd::Broken => {
                self.pass(first_line);
                Some(self.found(LineKind::BrokenQuotes, 1))
            }
        }
    }

    /// The line that was too long.
    fn passed(&mut self) -> FoundLine {
        self.is_passing = false;
        self.found(LineKind::TooLong, 1)
    }

    fn found(&mut self, kind: LineKind, lines: u64) -> FoundLine {
        let line = self.line;
        self.line += lines;
        FoundLine { line, kind }
    }
}
