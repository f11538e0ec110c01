//! What the cells of a CSV file mean.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use shardlift_core::{failure::Failure, value::cell::from_cell};

use super::csv_row::{CsvRow, cells_of};
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
        self.read_cells(row.cells(), row.len(), scope)
    }

    /// What a line is in which a comma only stands between cells.
    pub(super) fn read_plain<'a>(
        &self,
        line: &'a [u8],
        is_quoted: bool,
        scope: &ListScope,
    ) -> Result<ParsedLine<'a>, LineProblem> {
        let count = memchr::memchr_iter(b',', line).count() + 1;
        self.read_cells(cells_of(line, is_quoted), count, scope)
    }

    fn read_cells<'a>(
        &self,
        cells: impl Iterator<Item = &'a [u8]>,
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
                Some(Column::Bucket) => scope.check_bucket(cell)?,
                Some(Column::Key) => key = Some(self.key(cell, scope)?),
                // The newest version of each key is meant, whichever that is.
                Some(Column::VersionId) if self.row_kind == RowKind::Inventory => {}
                Some(column) => {
                    let text = std::str::from_utf8(cell)
                        .map_err(|_| LineProblem::NotUtf8(column.name()))?;
                    fields.set(*column, text)?;
                }
            }
        }
        let key = key.ok_or(LineProblem::NoKey)?;
        Ok(ParsedLine { key, fields })
    }

    /// How a line of these columns counts.
    pub(super) const fn row_kind(&self) -> RowKind {
        self.row_kind
    }

    fn key<'a>(&self, cell: &'a [u8], scope: &ListScope) -> Result<Cow<'a, str>, LineProblem> {
        let bytes = match self.keys {
            KeyForm::UrlEncoded => {
                decoded(cell).ok_or_else(|| LineProblem::UrlEncoding(excerpt_of_bytes(cell)))?
            }
            KeyForm::Cell => {
                let text =
                    std::str::from_utf8(cell).map_err(|_| LineProblem::NotUtf8("the key"))?;
                Cow::Owned(from_cell(text).into_bytes())
            }
        };
        match bytes {
            Cow::Borrowed(bytes) => scope.key_text(bytes).map(Cow::Borrowed),
            Cow::Owned(bytes) => {
                scope.key_text(&bytes)?;
                let text = String::from_utf8(bytes);
                text.map(Cow::Owned)
                    .map_err(|_| LineProblem::NotUtf8("the key"))
            }
        }
    }
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
