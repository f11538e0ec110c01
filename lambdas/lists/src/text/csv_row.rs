//! A row of comma-separated values, as RFC 4180 has it and AWS writes it.

/// The cells of a row.
#[derive(Debug, Default)]
pub(super) struct CsvRow {
    text: Vec<u8>,
    /// Where each cell ends in `text`.
    ends: Vec<usize>,
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
    /// Takes these cells.
    pub(super) fn read_cells<'a>(&mut self, cells: impl Iterator<Item = &'a [u8]>) {
        self.text.clear();
        self.ends.clear();
        for cell in cells {
            self.text.extend_from_slice(cell);
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

/// Whether every cell of a line is quoted, and none has a quote or a comma in it. Then the line is a row.
pub(super) fn is_plainly_quoted(line: &[u8]) -> bool {
    let mut begin = 0;
    let mut cells = 0;
    for end in memchr::memchr_iter(b',', line).chain([line.len()]) {
        if end < begin + 2 || line[begin] != b'"' || line[end - 1] != b'"' {
            return false;
        }
        cells += 1;
        begin = end + 1;
    }
    memchr::memchr_iter(b'"', line).count() == 2 * cells
}

/// The cells of a line in which a comma only stands between cells.
pub(super) fn cells_of(line: &[u8], is_quoted: bool) -> impl Iterator<Item = &[u8]> {
    let mut begin = 0;
    let ends = memchr::memchr_iter(b',', line).chain([line.len()]);
    ends.map(move |end| {
        let cell = &line[begin..end];
        begin = end + 1;
        if is_quoted {
            // Both are quotes.
            cell.get(1..cell.len().saturating_sub(1))
                .unwrap_or_default()
        } else {
            cell
        }
    })
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
        fn a_plainly_quoted_line_is_the_row_that_the_reader_of_quotes_finds(line in "[a,\"\r ]{0,9}") {
            let is_plain = is_plainly_quoted(line.as_bytes());
            let (end, read) = cells(&line);
            let found: Vec<_> = cells_of(line.as_bytes(), true)
                .map(|cell| String::from_utf8_lossy(cell).into_owned())
                .collect();
            if is_plain {
                prop_assert_eq!(end, RowEnd::At(line.len()));
                prop_assert_eq!(&found, &read);
            }
            let quoted = format!("\"{}\"", line.replace(['"', ',', '\r'], "").replace(' ', "\",\""));
            prop_assert!(is_plainly_quoted(quoted.as_bytes()), "{}", quoted);
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
