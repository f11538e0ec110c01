//! The reader of a text: bytes in, one line after another out.

use std::{ops::Range, sync::Arc};

use shardlift_core::failure::Failure;

use super::{
    csv_columns::{CsvColumns, FirstRow},
    csv_row::CsvRow,
    inflater::{Inflater, Pulled},
    json_line,
    line_window::{FoundLine, LineEnds, LineKind, LineWindow, NextLine},
    list_position::ListPosition,
    other_files::other_kind,
    receipt_line,
};
use crate::{
    bad_line::LineProblem,
    entry::ListItem,
    fields::RowKind,
    inventory::FileChecksum,
    line_place::PlaceOf,
    line_survey::LineSurvey,
    parsed_line::LineTaker,
    scope::ListScope,
    whole_file::{UPLOAD_AGAIN, refused},
};

/// So many bytes tell whether a text is one.
const HEAD_BYTES: usize = 8;
const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";

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
        let mut item = None;
        let step = self.step(&mut item)?;
        Ok(step.unwrap_or_else(|| item.map_or(Step::NeedsBytes, Step::Item)))
    }

    /// Surveys the next lines, until there are `lines_max` of them; why there are no more, or nothing.
    ///
    /// # Errors
    /// As of [`next`](Self::next).
    pub fn survey(
        &mut self,
        lines: &mut LineSurvey,
        lines_max: u64,
    ) -> Result<Option<Step>, Failure> {
        while lines.lines < lines_max {
            if let Some(step) = self.step(lines)? {
                return Ok(Some(step));
            }
        }
        Ok(None)
    }

    /// Gives the next line to `taker`, or tells why there is none.
    fn step(&mut self, taker: &mut impl LineTaker) -> Result<Option<Step>, Failure> {
        if self.has_ended {
            return Ok(Some(Step::End));
        }
        if !self.has_head && !self.read_head()? || !self.skip()? {
            return Ok(Some(Step::NeedsBytes));
        }
        let ends = match self.format {
            TextFormat::Csv | TextFormat::InventoryCsv(_) => LineEnds::Quoted,
            TextFormat::Jsonl | TextFormat::Receipts => LineEnds::Plain,
        };
        loop {
            let next = self
                .window
                .next_line(ends, &mut self.row, &mut self.inflater)?;
            match next {
                NextLine::Line(found) => {
                    if self.read_line(found, taker)? {
                        return Ok(None);
                    }
                }
                NextLine::NeedsInput => return Ok(Some(Step::NeedsBytes)),
                NextLine::End => {
                    if let Some(checksum) = self.checksum.take() {
                        checksum.finish(&self.file)?;
                    }
                    self.has_ended = true;
                    return Ok(Some(Step::End));
                }
            }
        }
    }

    /// Gives a line to `taker`; not an empty one and a header. Whether it did.
    fn read_line(&mut self, found: FoundLine, taker: &mut impl LineTaker) -> Result<bool, Failure> {
        let is_csv = matches!(self.format, TextFormat::Csv | TextFormat::InventoryCsv(_));
        let line = match found.kind {
            LineKind::Text { begin, end } if begin == end => return Ok(false),
            LineKind::Text { begin, end } => Ok(Some(begin..end)),
            LineKind::Row if is_csv => Ok(None),
            LineKind::TooLong => Err(LineProblem::TooLong),
            LineKind::Row | LineKind::BrokenQuotes => Err(LineProblem::Quotes),
        };
        if is_csv && self.columns.is_none() && line.is_ok() {
            if let Ok(Some(range)) = &line {
                self.row.take_spans(&self.window.bytes()[range.clone()]);
            }
            match CsvColumns::of_first_row(&self.file, &self.row, &self.scope)? {
                FirstRow::Header(columns) => {
                    self.columns = Some(columns);
                    return Ok(false);
                }
                FirstRow::Object(columns) => self.columns = Some(columns),
                FirstRow::Neither(problem) => {
                    taker.take(Err(problem), self.place(found.line), RowKind::Chosen);
                    return Ok(true);
                }
            }
        }
        let place = self.place(found.line);
        let text = |range: Range<usize>| &self.window.bytes()[range];
        match (&self.format, &self.columns, line) {
            (TextFormat::Jsonl, _, Ok(Some(range))) => {
                json_line::read(text(range), &self.scope, place, taker);
            }
            (TextFormat::Receipts, _, Ok(Some(range))) => {
                receipt_line::read(text(range), &self.scope, place, taker);
            }
            (_, Some(columns), Ok(Some(range))) => {
                let line = columns.read_split(text(range), &self.row, &self.scope);
                taker.take(line, place, columns.row_kind());
            }
            (_, Some(columns), Ok(None)) => {
                let line = columns.read(&self.row, &self.scope);
                taker.take(line, place, columns.row_kind());
            }
            (_, columns, line) => {
                let problem = line.err().unwrap_or(LineProblem::Quotes);
                let row_kind = columns
                    .as_ref()
                    .map_or(RowKind::Chosen, CsvColumns::row_kind);
                taker.take(Err(problem), place, row_kind);
            }
        }
        Ok(true)
    }

    fn place(&self, line: u64) -> PlaceOf<'_> {
        PlaceOf {
            file: &self.file,
            line,
        }
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
