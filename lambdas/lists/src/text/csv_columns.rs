//! What the cells of a CSV file mean.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use shardlift_core::{failure::Failure, value::cell::from_cell};

use super::csv_row::CsvRow;
use crate::{
    bad_line::{LineProblem, excerpt_of_bytes},
    fields::{Column, Fields, RowKind},
    parsed_line::ParsedLine,
    scope::ListScope,
    url_encoding::decoded,
    whole_file::refused,
};

/// The columns of `failures.csv`, as the reporter writes them.
const FAILURES: [&str; 6] = ["key", "size", "reason", "detail", "shard", "version_id"];

/// The columns of a CSV file, in their order. They are part of a position, since the rest of a file has no header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsvColumns {
    columns: Vec<Option<Column>>,
    keys: KeyForm,
    row_kind: RowKind,
}

/// How keys are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KeyForm {
    /// URL-encoded, as by AWS.
    UrlEncoded,
    /// As a text that no spreadsheet takes for a formula, as in `failures.csv`.
    Cell,
}

/// What the first line of a CSV file is.
pub(super) enum FirstRow {
    /// A header, which names these columns.
    Header(CsvColumns),
    /// The first object of a file of these columns.
    Object(CsvColumns),
    /// Neither.
    Neither(LineProblem),
}

impl CsvColumns {
    /// Those of the data files of an S3 Inventory, as `fileSchema` of its manifest names them.
    pub(crate) fn of_inventory(file: &str, file_schema: &str) -> Result<Self, Failure> {
        let columns: Vec<_> = file_schema
            .split(',')
            .map(|name| Column::named(name.trim()))
            .collect();
        check_once(file, &columns, "fileSchema")?;
        Ok(Self {
            columns,
            keys: KeyForm::UrlEncoded,
            row_kind: RowKind::Inventory,
        })
    }

    /// The same, of a file of which no line is wrong or names nothing to copy: the columns that only tell that are not read.
    #[must_use]
    pub fn of_clean_file(mut self) -> Self {
        for column in &mut self.columns {
            *column = column.filter(|column| !column.only_judges());
        }
        self
    }

    /// Those of a file whose first line this is.
    ///
    /// A manifest of S3 Batch Operations has no header: its columns are bucket, key and, in all lines or in none, version id
    /// (docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-create-job.html). A line is a header if it begins with the name of
    /// a column, or names both bucket and key, and does not begin with the name of the source bucket.
    pub(super) fn of_first_row(
        file: &str,
        row: &CsvRow,
        scope: &ListScope,
    ) -> Result<FirstRow, Failure> {
        let cells: Vec<&[u8]> = row.cells().collect();
        // Those of earlier releases have no versions.
        let failures = FAILURES.map(str::as_bytes);
        if cells == failures || cells == failures[..5] {
            let mut columns = vec![Some(Column::Key), Some(Column::Size), None, None, None];
            columns.resize(cells.len(), Some(Column::VersionId));
            return Ok(FirstRow::Header(Self {
                columns,
                keys: KeyForm::Cell,
                row_kind: RowKind::Chosen,
            }));
        }
        let named: Vec<_> = cells
            .iter()
            .map(|cell| std::str::from_utf8(cell).ok().and_then(Column::named))
            .collect();
        if let [only] = cells.as_slice() {
            check_separator(file, only, scope)?;
        }
        let is_object = cells[0] == scope.bucket.as_str().as_bytes();
        let names_both =
            named.contains(&Some(Column::Bucket)) && named.contains(&Some(Column::Key));
        if !is_object && (named[0].is_some() || names_both) {
            check_once(file, &named, "header")?;
            return Ok(FirstRow::Header(Self::listed(named)));
        }
        let manifest = [Column::Bucket, Column::Key, Column::VersionId];
        Ok(match cells.len() {
            width @ 2..=3 => FirstRow::Object(Self::listed(
                manifest[..width].iter().copied().map(Some).collect(),
            )),
            found => FirstRow::Neither(LineProblem::ManifestCells { found }),
        })
    }

    fn listed(columns: Vec<Option<Column>>) -> Self {
        Self {
            columns,
            keys: KeyForm::UrlEncoded,
            row_kind: RowKind::Chosen,
        }
    }

    /// What a row with quoted cells is.
    pub(super) fn read<'a>(
        &self,
        row: &'a CsvRow,
        scope: &ListScope,
    ) -> Result<ParsedLine<'a>, LineProblem> {
        self.read_cells(row.cells().map(Cell::Bytes), row.len(), scope)
    }

    /// What a line is that `row` has split.
    pub(super) fn read_split<'a>(
        &self,
        line: &'a [u8],
        row: &CsvRow,
        scope: &ListScope,
    ) -> Result<ParsedLine<'a>, LineProblem> {
        let spans = row.spans();
        // Looking at a whole line takes less time than looking at each cell.
        if let Ok(text) = std::str::from_utf8(line) {
            let cells = spans.iter().map(|span| Cell::Text(&text[span.clone()]));
            self.read_cells(cells, spans.len(), scope)
        } else {
            let cells = spans.iter().map(|span| Cell::Bytes(&line[span.clone()]));
            self.read_cells(cells, spans.len(), scope)
        }
    }

    fn read_cells<'a>(
        &self,
        cells: impl Iterator<Item = Cell<'a>>,
        count: usize,
        scope: &ListScope,
    ) -> Result<ParsedLine<'a>, LineProblem> {
        if count != self.columns.len() {
            return Err(LineProblem::Cells {
                expected: self.columns.len(),
                found: count,
            });
        }
        let mut fields = Fields::default();
        let mut key = None;
        for (column, cell) in self.columns.iter().zip(cells) {
            match column {
                None => {}
                Some(Column::Bucket) => scope.check_bucket(cell.bytes())?,
                Some(Column::Key) => key = Some(self.key(cell, scope)?),
                // The newest version of each key is meant, whichever that is.
                Some(Column::VersionId) if self.row_kind == RowKind::Inventory => {}
                Some(column) => fields.set(*column, cell.text(column.name())?)?,
            }
        }
        let key = key.ok_or(LineProblem::NoKey)?;
        Ok(ParsedLine { key, fields })
    }

    /// How a line of these columns counts.
    pub(super) const fn row_kind(&self) -> RowKind {
        self.row_kind
    }

    fn key<'a>(&self, cell: Cell<'a>, scope: &ListScope) -> Result<Cow<'a, str>, LineProblem> {
        let bytes = match self.keys {
            KeyForm::UrlEncoded => decoded(cell.bytes())
                .ok_or_else(|| LineProblem::UrlEncoding(excerpt_of_bytes(cell.bytes())))?,
            KeyForm::Cell => Cow::Owned(from_cell(cell.text("the key")?).into_bytes()),
        };
        match (bytes, cell) {
            (Cow::Borrowed(_), Cell::Text(text)) => scope.checked(text).map(Cow::Borrowed),
            (Cow::Borrowed(bytes), Cell::Bytes(_)) => scope.key_text(bytes).map(Cow::Borrowed),
            (Cow::Owned(bytes), _) => {
                scope.key_text(&bytes)?;
                let text = String::from_utf8(bytes);
                text.map(Cow::Owned)
                    .map_err(|_| LineProblem::NotUtf8("the key"))
            }
        }
    }
}

/// A cell of a row.
#[derive(Clone, Copy)]
enum Cell<'a> {
    Text(&'a str),
    /// It may not be UTF-8.
    Bytes(&'a [u8]),
}

impl<'a> Cell<'a> {
    const fn bytes(self) -> &'a [u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    fn text(self, column: &'static str) -> Result<&'a str, LineProblem> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Bytes(bytes) => {
                std::str::from_utf8(bytes).map_err(|_| LineProblem::NotUtf8(column))
            }
        }
    }
}

/// Refuses a line that another character than a comma divides into names of columns, or into bucket and key.
fn check_separator(file: &str, line: &[u8], scope: &ListScope) -> Result<(), Failure> {
    for (separator, name) in [
        (b';', "semicolons"),
        (b'\t', "tabs"),
        (b'|', "vertical bars"),
    ] {
        let mut cells = line.split(|byte| *byte == separator);
        let is_column = |cell: &[u8]| {
            std::str::from_utf8(cell)
                .ok()
                .and_then(Column::named)
                .is_some()
        };
        let first = cells.next().unwrap_or_default();
        if cells.next().is_some() && (is_column(first) || first == scope.bucket.as_str().as_bytes())
        {
            let problem = format!("{name} stand between its cells");
            return Err(refused(
                file,
                problem,
                "write it with commas and start a new execution",
            ));
        }
    }
    Ok(())
}

/// Refuses columns without a key, or with one twice.
fn check_once(file: &str, columns: &[Option<Column>], named_by: &str) -> Result<(), Failure> {
    let mut seen: Vec<Column> = Vec::new();
    for column in columns.iter().flatten() {
        if seen.contains(column) {
            let problem = format!("the {named_by} names the column `{}` twice", column.name());
            return Err(refused(
                file,
                problem,
                "name it once and start a new execution",
            ));
        }
        seen.push(*column);
    }
    if seen.contains(&Column::Key) {
        return Ok(());
    }
    let problem = format!("the {named_by} names no column `key`");
    Err(refused(
        file,
        problem,
        "name the column of the keys `key` and start a new execution",
    ))
}
