//! The reader of a Parquet file: one row group after the other, some rows at a time.

use std::{
    borrow::Cow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use parquet::{
    data_type::ByteArray,
    errors::{ParquetError, Result},
    file::{metadata::ParquetMetaData, reader::SerializedPageReader},
};
use serde::{Deserialize, Serialize};
use shardlift_core::failure::Failure;

use super::{
    bounded_pages::BoundedPages,
    chunk_file::ChunkFile,
    footer,
    range_source::RangeSource,
    table_columns::{ColumnValues, TableColumn, of_schema},
};
use crate::{
    bad_line::{LineProblem, library_message},
    entry::ListItem,
    fields::{Column, Fields, RowKind},
    line_place::PlaceOf,
    line_survey::LineSurvey,
    parsed_line::{LineTaker, ParsedLine},
    scope::ListScope,
    whole_file::refused,
};

/// How many rows are decoded at once.
const BATCH_ROWS: u64 = 1024;

/// What a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableKind {
    /// A list that somebody made, for example by a query: each row is meant.
    List,
    /// A data file of an S3 Inventory: versions that are not the newest are left out.
    Inventory,
}

/// How far a table has been read: right behind the row that was given out last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ParquetPosition {
    rows: u64,
}

impl ParquetPosition {
    /// How many rows lie behind.
    #[must_use]
    pub const fn rows(self) -> u64 {
        self.rows
    }
}

/// Reads a Parquet file by ranges. What it holds does not depend on the file: the footer, and for each of up to nine columns a
/// block of 2 MiB, a dictionary and a page, of up to 8 MiB each.
pub struct ParquetList<S> {
    file: Arc<str>,
    scope: ListScope,
    kind: TableKind,
    source: Arc<S>,
    metadata: ParquetMetaData,
    columns: Vec<TableColumn>,
    /// The columns of the row group at hand.
    values: Vec<ColumnValues>,
    /// The row group that comes next.
    next_group: usize,
    /// How many rows of the row group at hand have not been decoded.
    group_rows: u64,
    /// How many decoded rows have not been given out.
    batch_rows: u64,
    /// How many rows have been given out.
    rows: u64,
    /// How many rows of the next row groups were read before.
    skipped: u64,
}

impl<S: RangeSource> ParquetList<S> {
    /// Opens a file, to read it from behind `position`.
    ///
    /// # Errors
    /// `InvalidRun` when it is no Parquet file, or has no column `key`, or a column of another type than expected; and what
    /// `source` fails with.
    pub fn open(
        source: S,
        file: &str,
        scope: ListScope,
        kind: TableKind,
        position: ParquetPosition,
    ) -> std::result::Result<Self, Failure> {
        let metadata = guarded(file, 0, || footer::read(&source))?;
        let mut columns = of_schema(file, metadata.file_metadata().schema_descr())?;
        if kind == TableKind::Inventory {
            // The newest version of each key is meant, whichever that is.
            columns.retain(|column| column.column != Column::VersionId);
        }
        Ok(Self {
            file: file.into(),
            scope,
            kind,
            source: Arc::new(source),
            metadata,
            columns,
            values: Vec::new(),
            next_group: 0,
            group_rows: 0,
            batch_rows: 0,
            rows: position.rows,
            skipped: position.rows,
        })
    }

    /// The same, of a file of which no row is wrong or names nothing to copy: the columns that only tell that are not read.
    #[must_use]
    pub fn of_clean_file(mut self) -> Self {
        self.columns.retain(|column| !column.column.only_judges());
        self
    }

    /// The same, to be surveyed: instants are never wrong, so they are not read.
    #[must_use]
    pub fn to_survey(mut self) -> Self {
        let is_read =
            |column: &TableColumn| column.column != Column::LastModifiedDate || column.is_text();
        self.columns.retain(is_read);
        self
    }

    /// Where the list can be resumed: behind the row that was given out last.
    #[must_use]
    pub fn position(&self) -> ParquetPosition {
        ParquetPosition { rows: self.rows }
    }

    /// How many rows the file says it has.
    #[must_use]
    pub fn rows_claimed(&self) -> i64 {
        self.metadata.file_metadata().num_rows()
    }

    /// The next row; nothing behind the last one.
    ///
    /// # Errors
    /// `InvalidRun` when the file is damaged, or a page is larger than any writer makes it; and what the source fails with.
    #[expect(
        clippy::should_implement_trait,
        reason = "the names of the readers agree"
    )]
    pub fn next(&mut self) -> std::result::Result<Option<ListItem>, Failure> {
        let mut item = None;
        self.step(&mut item)?;
        Ok(item)
    }

    /// Surveys the next rows, until there are `rows_max` of them; fewer at the end of the file.
    ///
    /// # Errors
    /// As of [`next`](Self::next).
    pub fn survey(
        &mut self,
        rows: &mut LineSurvey,
        rows_max: u64,
    ) -> std::result::Result<(), Failure> {
        while rows.lines < rows_max && self.step(rows)? {}
        Ok(())
    }

    /// Gives the next row to `taker`; whether there is one.
    fn step(&mut self, taker: &mut impl LineTaker) -> std::result::Result<bool, Failure> {
        if self.batch_rows == 0 {
            let file = self.file.clone();
            let row = self.rows + 1;
            if !guarded(&file, row, || self.decode_batch())? {
                return Ok(false);
            }
        }
        self.batch_rows -= 1;
        self.rows += 1;
        let place = PlaceOf {
            file: &self.file,
            line: self.rows,
        };
        let line = read_row(&self.columns, &mut self.values, &self.scope);
        let row_kind = match self.kind {
            TableKind::List => RowKind::Chosen,
            TableKind::Inventory => RowKind::Inventory,
        };
        taker.take(line, place, row_kind);
        Ok(true)
    }

    /// Decodes the next rows; whether there are any.
    fn decode_batch(&mut self) -> Result<bool> {
        while self.group_rows == 0 {
            if !self.open_group()? {
                return Ok(false);
            }
        }
        let rows = self.group_rows.min(BATCH_ROWS);
        for values in &mut self.values {
            values.fill(usize::try_from(rows)?)?;
        }
        self.group_rows -= rows;
        self.batch_rows = rows;
        if self.group_rows == 0 {
            // No row is lost to a count that says too little.
            self.values
                .iter_mut()
                .try_for_each(ColumnValues::check_end)?;
        }
        Ok(true)
    }

    /// Whether the row groups were all of the file; there is none behind them.
    fn check_end(&self) -> Result<bool> {
        if self.skipped > 0 {
            let problem = "it has fewer rows than when the run began";
            return Err(ParquetError::EOF(problem.into()));
        }
        let claimed = self.metadata.file_metadata().num_rows();
        if u64::try_from(claimed) == Ok(self.rows) {
            return Ok(false);
        }
        let problem = format!("it claims {claimed} rows and has {}", self.rows);
        Err(ParquetError::General(problem))
    }

    /// Opens the next row group that was not read before; whether there is one.
    fn open_group(&mut self) -> Result<bool> {
        let Some(group) = self.metadata.row_groups().get(self.next_group) else {
            return self.check_end();
        };
        self.next_group += 1;
        let rows = u64::try_from(group.num_rows())?;
        let skipped = self.skipped.min(rows);
        self.skipped -= skipped;
        self.group_rows = rows - skipped;
        if self.group_rows == 0 {
            return Ok(true);
        }
        self.values.clear();
        for column in &self.columns {
            let chunk = group
                .columns()
                .get(column.leaf)
                .ok_or_else(|| ParquetError::General("a row group lacks a column".into()))?;
            let (begin, length) = chunk.byte_range();
            let end = begin.saturating_add(length);
            let bytes = Arc::new(ChunkFile::new(self.source.clone(), begin..end));
            let pages = SerializedPageReader::new(bytes, chunk, usize::try_from(rows)?, None)?;
            let pages = Box::new(BoundedPages::new(pages));
            let mut values = ColumnValues::new(*column, &chunk.column_descr_ptr(), pages);
            if skipped > 0 {
                values.skip(usize::try_from(skipped)?)?;
            }
            self.values.push(values);
        }
        Ok(true)
    }
}

/// What the next decoded row is. Each column gives its value, whatever is wrong with another one.
fn read_row<'a>(
    columns: &[TableColumn],
    values: &'a mut [ColumnValues],
    scope: &ListScope,
) -> std::result::Result<ParsedLine<'a>, LineProblem> {
    let mut fields = Fields::default();
    let mut key = None;
    let mut problem = None;
    for (column, values) in columns.iter().zip(values) {
        let found = match column.column {
            Column::Key => {
                key = values.next_text();
                Ok(())
            }
            Column::Bucket => values
                .next_text()
                .map_or(Ok(()), |bucket| scope.check_bucket(bucket.data())),
            column => values.next_into(column, &mut fields),
        };
        problem = problem.or(found.err());
    }
    let key = scope.key_text(key.map_or(&[][..], ByteArray::data))?;
    if let Some(problem) = problem {
        return Err(problem);
    }
    let key = Cow::Borrowed(key);
    Ok(ParsedLine { key, fields })
}

/// Does what the library does, and reports what is wrong with the file. The library panics on some damaged pages, for example
/// where a dictionary is missing.
fn guarded<T>(
    file: &str,
    row: u64,
    read: impl FnOnce() -> Result<T>,
) -> std::result::Result<T, Failure> {
    let problem = match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(ParquetError::External(error))) => match error.downcast::<Failure>() {
            Ok(failure) => return Err(*failure),
            Err(error) => error.to_string(),
        },
        Ok(Err(error)) => error.to_string(),
        Err(_) => "a page contradicts itself".to_owned(),
    };
    let place = if row == 0 {
        String::new()
    } else {
        format!(" at row {row}")
    };
    let problem = format!(
        "it cannot be read as Apache Parquet{place}: {}",
        library_message(&problem)
    );
    let action = "upload it again, or write it anew with pages of up to 8 MiB under snappy, gzip, zstd or uncompressed, and start a new execution";
    Err(refused(file, problem, action))
}
