//! A row of comma-separated values, as RFC 4180 has it and AWS writes it.

use std::ops::Range;

/// The cells of a row.
#[derive(Debug, Default)]
pub(super) struct CsvRow {
    text: Vec<u8>,
    /// Where each cell ends in `text`.
    ends: Vec<usize>,
    /// Where each cell stands in the line that was split last.
    spans: Vec<Range<usize>>,
}

/// Where a row ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowEnd {
    /// Behind so many bytes, its line break among them.
    At(usize),
    /// A quoted cell goes on behind the text at hand.
    Unknown,
    /// A quoted cell does not end where a cell ends, or a quote stands within a cell that is not quoted.
    Broken,
}

impl CsvRow {
    /// Finds the cells of a line, unless it has quotes elsewhere than around each of its cells; whether it did. Nearly all
    /// lines are such, so this looks at each byte once and copies none.
    pub(super) fn split(&mut self, line: &[u8]) -> bool {
        self.spans.clear();
        match line {
            [b'"', ..] => self.split_quoted(line),
            _ => self.split_plain(line),
        }
    }

    fn split_quoted(&mut self, line: &[u8]) -> bool {
        let mut begin = 1;
        loop {
            // Cells are short: this takes less time than a search that is made for long texts.
            let mut end = begin;
            while end < line.len() && line[end] != b'"' {
                end += 1;
            }
            if end >= line.len() {
                return false;
            }
            self.spans.push(begin..end);
            match line[end + 1..] {
                [] => return true,
                [b',', b'"', ..] => begin = end + 3,
                _ => return false,
            }
        }
    }

    fn split_plain(&mut self, line: &[u8]) -> bool {
        let mut begin = 0;
        for (at, byte) in line.iter().enumerate() {
            match byte {
                b',' => {
                    self.spans.push(begin..at);
                    begin = at + 1;
                }
                b'"' => return false,
                _ => {}
            }
        }
        self.spans.push(begin..line.len());
        true
    }

    /// Where the cells stand in the line that was split last.
    pub(super) fn spans(&self) -> &[Range<usize>] {
        &self.spans
    }

    /// Takes the cells of the line that was split last.
    pub(super) fn take_spans(&mut self, line: &[u8]) {
        self.text.clear();
        self.ends.clear();
        for span in &self.spans {
            self.text.extend_from_slice(&line[span.clone()]);
            self.ends.push(self.text.len());
        }
    }

    /// Takes the row at the beginning of `text`, with or without quotes; `is_all` when no text follows.
    pub(super) fn read_quoted(&mut self, text: &[u8], is_all: bool) -> RowEnd {
        self.text.clear();
        self.ends.clear();
        let mut at = 0;
        loop {
            let cell = if text[at..].starts_with(b"\"") {
                self.quoted_cell(text, at + 1, is_all)
            } else {
                self.plain_cell(text, at, is_all)
            };
            let end = match cell {
                RowEnd::At(end) => end,
                other => return other,
            };
            self.ends.push(self.text.len());
            match text[end..] {
                [b',', ..] => at = end + 1,
                [b'\n', ..] => return RowEnd::At(end + 1),
                [b'\r', b'\n', ..] => return RowEnd::At(end + 2),
                _ if !is_all => return RowEnd::Unknown,
                [] | [b'\r'] => return RowEnd::At(text.len()),
                _ => return RowEnd::Broken,
            }
        }
    }

    /// Takes the cell whose opening quote is before `at`, and tells where it ends.
    fn quoted_cell(&mut self, text: &[u8], mut at: usize, is_all: bool) -> RowEnd {
        loop {
            let Some(quote) = memchr::memchr(b'"', &text[at..]) else {
                return if is_all {
                    RowEnd::Broken
                } else {
                    RowEnd::Unknown
                };
            };
            self.text.extend_from_slice(&text[at..at + quote]);
            at += quote + 1;
            match text[at..] {
                [b'"', ..] => {
                    self.text.push(b'"');
                    at += 1;
                }
                [b',' | b'\n', ..] | [b'\r', b'\n', ..] => return RowEnd::At(at),
                [] | [b'\r'] if is_all => return RowEnd::At(at),
                [] | [b'\r'] => return RowEnd::Unknown,
                _ => return RowEnd::Broken,
            }
        }
    }

    /// Takes the cell that begins at `at`.
    fn plain_cell(&mut self, text: &[u8], at: usize, is_all: bool) -> RowEnd {
        let Some(length) =
            memchr::memchr3(b',', b'\n', b'"', &text[at..]).or(is_all.then_some(text.len() - at))
        else {
            return RowEnd::Unknown;
        };
        let end = at + length;
        if text[end..].starts_with(b"\"") {
            return RowEnd::Broken;
        }
        let is_last = !text[end..].starts_with(b",");
        let end = end - usize::from(is_last && text[at..end].ends_with(b"\r"));
        self.text.extend_from_slice(&text[at..end]);
        RowEnd::At(end)
    }

    /// How many cells there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The cells in their order.
    pub(super) fn cells(&self) -> impl Iterator<Item = &[u8]> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins
            .zip(&self.ends)
            .map(|(begin, end)| &self.text[begin..*end])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cells(text: &str) -> (RowEnd, Vec<String>) {
        let mut row = CsvRow::default();
        let end = row.read_quoted(text.as_bytes(), true);
        let cells = row
            .cells()
            .map(|cell| String::from_utf8_lossy(cell).into_owned());
        (end, cells.collect())
    }

    #[test]
    fn rows_end_at_a_line_break_outside_quotes() {
        assert_eq!(
            cells("a,b\nc"),
            (RowEnd::At(4), vec!["a".into(), "b".into()])
        );
        assert_eq!(
            cells("\"a\n,\",\"\"\"\"\r\nc"),
            (RowEnd::At(12), vec!["a\n,".into(), "\"".into()])
        );
        assert_eq!(
            cells("\"a\","),
            (RowEnd::At(4), vec!["a".into(), String::new()])
        );
    }

    #[test]
    fn stray_quotes_are_no_cells() {
        for text in ["a\"b,c\n", "\"a\"b\n", "\"a", "\"a\" ,b\n", "\"a\"\rb\n"] {
            assert_eq!(cells(text).0, RowEnd::Broken, "{text:?}");
        }
        let mut row = CsvRow::default();
        assert_eq!(row.read_quoted(b"\"a\nb", false), RowEnd::Unknown);
    }

    proptest! {
        #[test]
        fn a_line_that_is_split_is_the_row_that_the_reader_of_quotes_finds(line in "[a,\"\r ]{0,9}") {
            let mut row = CsvRow::default();
            let is_split = row.split(line.as_bytes());
            row.take_spans(line.as_bytes());
            let found: Vec<_> = row.cells().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
            // The reader takes a CR before the end for a part of the line break.
            if is_split && !line.ends_with('\r') {
                let (end, read) = cells(&line);
                prop_assert_eq!(end, RowEnd::At(line.len()));
                prop_assert_eq!(&found, &read);
            }
            let quoted = format!("\"{}\"", line.replace(['"', '\r'], "").replace(' ', "\",\""));
            prop_assert!(row.split(quoted.as_bytes()), "{}", quoted);
            prop_assert_eq!(row.split(line.replace('"', "").as_bytes()), true);
        }

        #[test]
        fn rows_are_read_as_the_csv_library_writes_them(
            written in proptest::collection::vec("[a,\"\r\n ]{0,6}", 1..5), cut in 0usize..40,
        ) {
            let mut text = Vec::new();
            let mut writer = csv::WriterBuilder::new()
                .terminator(csv::Terminator::CRLF)
                .quote_style(csv::QuoteStyle::Always)
                .from_writer(&mut text);
            writer.write_record(&written).unwrap();
            drop(writer);
            let mut row = CsvRow::default();
            prop_assert_eq!(row.read_quoted(&text, true), RowEnd::At(text.len()));
            let read: Vec<_> = row.cells().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
            prop_assert_eq!(&read, &written);
            // A part of a row is never taken for a whole one, and never for a broken one.
            if cut < text.len() {
                prop_assert_eq!(row.read_quoted(&text[..cut], false), RowEnd::Unknown);
            }
        }
    }
}
