//! The reader of a text: bytes in, one line after another out.

use std::sync::Arc;

use shardlift_core::failure::Failure;

use super::{
    csv_columns::{CsvColumns, FirstRow},
    csv_row::CsvRow,
    inflater::{Inflater, Pulled},
    json_line,
    line_window::{LineEnds, LineKind, LineWindow, NextLine},
    list_position::ListPosition,
    receipt_line,
};
use crate::{
    bad_line::LineProblem,
    entry::ListItem,
    fields::{RowKind, bad},
    inventory::FileChecksum,
    line_place::LinePlace,
    scope::ListScope,
    whole_file::{UPLOAD_AGAIN, refused},
};

/// So many bytes tell whether a text is one.
const HEAD_BYTES: usize = 8;
const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";
/// Files of other kinds that people name by mistake, by their first bytes.
const OTHER_FILES: [(&[u8], &str, &str); 9] = [
    (
        b"\x1f\x8b",
        "a gzip file within another file",
        "compress it once",
    ),
    (
        b"\x28\xb5\x2f\xfd",
        "a zstd file within another file",
        "compress it once",
    ),
    (
        b"PAR1",
        "an Apache Parquet file",
        "give the format `parquet`",
    ),
    (
        b"ORC",
        "an Apache ORC file",
        "write it as Parquet, CSV or JSON lines",
    ),
    (
        b"PK\x03\x04",
        "a zip or spreadsheet file",
        "unpack it, or save it as CSV in UTF-8",
    ),
    (
        b"BZh",
        "a bzip2 file",
        "compress it with gzip or zstd, or not at all",
    ),
    (
        b"\xfd7zXZ",
        "an xz file",
        "compress it with gzip or zstd, or not at all",
    ),
    (
        b"\x04\x22\x4d\x18",
        "an LZ4 file",
        "compress it with gzip or zstd, or not at all",
    ),
    (
        b"\xff\x06\x00\x00sNaP",
        "a Snappy file",
        "compress it with gzip or zstd, or not at all",
    ),
];

/// How a text is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextFormat {
    /// A manifest of S3 Batch Operations, a CSV file with a header, or the `failures.csv` of a run.
    Csv,
    /// A data file of an S3 Inventory in CSV; its manifest knows the columns.
    InventoryCsv(CsvColumns),
    /// A JSON object a line.
    Jsonl,
    /// A list of the receipts of a run.
    Receipts,
}

/// Reads a text as its bytes come in: [`next`](Self::next) until it has nothing, then [`feed`](Self::feed), or [`end`](Self::end)
/// after the last bytes. What it holds does not depend on the file: the bytes fed last, and a line and a piece of text of some
/// hundred kilobytes.
///
/// A file that is cut off is a failure when its end is reached. So what was given out before counts only after `next` has
/// returned [`Step::End`].
pub struct TextList {
    file: Arc<str>,
    scope: ListScope,
    format: TextFormat,
    columns: Option<CsvColumns>,
    inflater: Inflater,
    window: LineWindow,
    row: CsvRow,
    checksum: Option<FileChecksum>,
    /// How much text is still to be passed over, since it was read before.
    skipped: u64,
    /// Whether the file is known to be one that must be read from its beginning again.
    is_reread: bool,
    has_head: bool,
    has_ended: bool,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A line.
    Item(ListItem),
    /// Nothing before more bytes are fed, or their end is told.
    NeedsBytes,
    /// Nothing: the whole file has been read, and its checksum is right.
    End,
}

impl TextList {
    /// A reader of `file` from its beginning. With a checksum, the end of the list is reached only if it is right.
    #[must_use]
    pub fn new(
        format: TextFormat,
        file: &str,
        scope: ListScope,
        checksum: Option<FileChecksum>,
    ) -> Self {
        Self::resume(format, file, scope, checksum, ListPosition::default())
    }

    /// A reader that goes on behind `position`. It must be fed the file from the byte [`ListPosition::read_from`] on.
    #[must_use]
    pub fn resume(
        format: TextFormat,
        file: &str,
        scope: ListScope,
        checksum: Option<FileChecksum>,
        position: ListPosition,
    ) -> Self {
        let file: Arc<str> = file.into();
        let is_rest = position.read_from() > 0;
        let columns = match &format {
            TextFormat::InventoryCsv(columns) => Some(columns.clone()),
            _ => position.columns,
        };
        Self {
            inflater: if is_rest {
                Inflater::of_plain_rest(file.clone())
            } else {
                Inflater::new(file.clone())
            },
            window: LineWindow::at(
                if is_rest { position.text_offset } else { 0 },
                position.lines + 1,
            ),
            skipped: if is_rest { 0 } else { position.text_offset },
            is_reread: position.is_reread || checksum.is_some(),
            has_head: is_rest,
            has_ended: false,
            row: CsvRow::default(),
            file,
            scope,
            format,
            columns,
            checksum,
        }
    }

    /// Takes the next bytes of the file. Feed them when [`next`](Self::next) needs them; what is fed before waits here.
    pub fn feed(&mut self, bytes: Vec<u8>) {
        if let Some(checksum) = &mut self.checksum {
            checksum.update(&bytes);
        }
        self.inflater.feed(bytes);
    }

    /// The file has no further bytes.
    pub fn end(&mut self) {
        self.inflater.end();
    }

    /// Where the list can be resumed: behind the item that was given out last.
    #[must_use]
    pub fn position(&self) -> ListPosition {
        let (offset, line) = self.window.position();
        // Text that is being passed over was read before.
        let text_offset = offset + self.skipped;
        ListPosition {
            text_offset,
            lines: line - 1,
            is_reread: self.is_reread || self.inflater.is_compressed(),
            columns: self.columns.clone(),
        }
    }

    /// The next line.
    ///
    /// # Errors
    /// `InvalidRun` when the file is no list of this format, is cut off, or has another checksum.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator could not ask for bytes"
    )]
    pub fn next(&mut self) -> Result<Step, Failure> {
        if self.has_ended {
            return Ok(Step::End);
        }
        if !self.has_head && !self.read_head()? || !self.skip()? {
            return Ok(Step::NeedsBytes);
        }
        loop {
            let ends = match self.format {
                TextFormat::Csv | TextFormat::InventoryCsv(_) => LineEnds::Quoted,
                TextFormat::Jsonl | TextFormat::Receipts => LineEnds::Plain,
            };
            let found = match self
                .window
                .next_line(ends, &mut self.row, &mut self.inflater)?
            {
                NextLine::Line(found) => found,
                NextLine::NeedsInput => return Ok(Step::NeedsBytes),
                NextLine::End => {
                    if let Some(checksum) = self.checksum.take() {
                        checksum.finish(&self.file)?;
                    }
                    self.has_ended = true;
                    return Ok(Step::End);
                }
            };
            let place = LinePlace {
                file: self.file.clone(),
                line: found.line,
            };
            if let Some(item) = self.read_line(found.kind, &place)? {
                return Ok(Step::Item(item));
            }
        }
    }

    /// What a line is; nothing for an empty one and for a header.
    fn read_line(
        &mut self,
        kind: LineKind,
        place: &LinePlace,
    ) -> Result<Option<ListItem>, Failure> {
        let is_csv = matches!(self.format, TextFormat::Csv | TextFormat::InventoryCsv(_));
        let item = match kind {
            LineKind::TooLong => Err(LineProblem::TooLong),
            LineKind::BrokenQuotes => Err(LineProblem::Quotes),
            LineKind::Text { begin, end } if begin == end => return Ok(None),
            LineKind::Text { begin, end } => {
                let line = &self.window.bytes()[begin..end];
                match self.format {
                    TextFormat::Jsonl => json_line::read(line, &self.scope, place.clone()),
                    TextFormat::Receipts => receipt_line::read(line, &self.scope, place.clone()),
                    TextFormat::Csv | TextFormat::InventoryCsv(_) => {
                        self.row.read_plain(line);
                        return self.read_row(place);
                    }
                }
            }
            LineKind::Row if is_csv => return self.read_row(place),
            LineKind::Row => Err(LineProblem::Quotes),
        };
        Ok(Some(
            item.unwrap_or_else(|problem| self.bad(place, problem)),
        ))
    }

    fn bad(&self, place: &LinePlace, problem: LineProblem) -> ListItem {
        let row_kind = match self.format {
            TextFormat::InventoryCsv(_) => RowKind::Inventory,
            TextFormat::Csv | TextFormat::Jsonl | TextFormat::Receipts => RowKind::Chosen,
        };
        bad(place.clone(), problem, row_kind)
    }

    /// What the row at hand is.
    fn read_row(&mut self, place: &LinePlace) -> Result<Option<ListItem>, Failure> {
        if self.columns.is_none() {
            match CsvColumns::of_first_row(&self.file, &self.row, &self.scope)? {
                FirstRow::Header(columns) => {
                    self.columns = Some(columns);
                    return Ok(None);
                }
                FirstRow::Object(columns) => self.columns = Some(columns),
                FirstRow::Neither(problem) => return Ok(Some(self.bad(place, problem))),
            }
        }
        let Some(columns) = &self.columns else {
            return Ok(None);
        };
        let item = columns.read(&self.row, &self.scope, place.clone());
        Ok(Some(
            item.unwrap_or_else(|problem| self.bad(place, problem)),
        ))
    }

    /// Looks at the first bytes of the text; whether they have come.
    fn read_head(&mut self) -> Result<bool, Failure> {
        while self.window.ahead().len() < HEAD_BYTES {
            match self.window.fill(&mut self.inflater)? {
                Pulled::Text => {}
                Pulled::NeedsInput => return Ok(false),
                Pulled::End => break,
            }
        }
        let head = self.window.ahead();
        if let Some((what, action)) = other_kind(head) {
            let problem = format!("it is {what} and no text in UTF-8");
            return Err(refused(
                &self.file,
                problem,
                &format!("{action}, and start a new execution"),
            ));
        }
        if head.starts_with(UTF_8_MARK) {
            self.window.pass(UTF_8_MARK.len());
            self.skipped = self.skipped.saturating_sub(UTF_8_MARK.len() as u64);
        }
        self.has_head = true;
        Ok(true)
    }

    /// Passes over the text that was read before; whether all of it has come.
    fn skip(&mut self) -> Result<bool, Failure> {
        while self.skipped > 0 {
            let ahead = self.window.ahead().len();
            if ahead > 0 {
                let passed =
                    usize::try_from(self.skipped).map_or(ahead, |skipped| skipped.min(ahead));
                self.window.pass(passed);
                self.skipped -= passed as u64;
                continue;
            }
            match self.window.fill(&mut self.inflater)? {
                Pulled::Text => {}
                Pulled::NeedsInput => return Ok(false),
                Pulled::End => {
                    let problem = "it is shorter than when the run began";
                    return Err(refused(&self.file, problem, UPLOAD_AGAIN));
                }
            }
        }
        Ok(true)
    }
}

/// What a file that begins so is, if it is no text in UTF-8, and what to do about it.
fn other_kind(head: &[u8]) -> Option<(&'static str, &'static str)> {
    let is_utf_16 = head.starts_with(b"\xff\xfe")
        || head.starts_with(b"\xfe\xff")
        // Without a mark, too: the first characters of a list are ASCII.
        || matches!(head, [0, a, 0, b, ..] | [a, 0, b, 0, ..] if *a > 0 && *b > 0);
    if is_utf_16 || head.starts_with(b"\0\0\xfe\xff") {
        return Some(("a text in UTF-16 or UTF-32", "save it in UTF-8"));
    }
    OTHER_FILES
        .iter()
        .find(|(begin, ..)| head.starts_with(begin))
        .map(|(_, what, action)| (*what, *action))
}
