//! The values of a column, some rows at a time.

use parquet::{
    column::reader::ColumnReaderImpl,
    data_type::DataType,
    errors::{ParquetError, Result},
};

/// The values of some rows of a column that is not nested.
pub(super) struct ColumnBatch<T: DataType> {
    reader: ColumnReaderImpl<T>,
    /// Whether a row can have no value.
    is_optional: bool,
    /// For each row, 1 if it has a value.
    levels: Vec<i16>,
    values: Vec<T::T>,
    row: usize,
    value: usize,
}

impl<T: DataType> ColumnBatch<T> {
    pub(super) fn new(reader: ColumnReaderImpl<T>, is_optional: bool) -> Self {
        Self {
            reader,
            is_optional,
            levels: Vec::new(),
            values: Vec::new(),
            row: 0,
            value: 0,
        }
    }

    /// Passes over so many rows.
    pub(super) fn skip(&mut self, rows: usize) -> Result<()> {
        let skipped = self.reader.skip_records(rows)?;
        if skipped == rows {
            Ok(())
        } else {
            Err(ends_early())
        }
    }

    /// Reads the next rows in place of those at hand.
    pub(super) fn fill(&mut self, rows: usize) -> Result<()> {
        self.levels.clear();
        self.values.clear();
        (self.row, self.value) = (0, 0);
        let levels = self.is_optional.then_some(&mut self.levels);
        let (read, values, _) = self
            .reader
            .read_records(rows, levels, None, &mut self.values)?;
        let is_whole =
            read == rows && values == self.values.len() && (self.is_optional || values == rows);
        if is_whole { Ok(()) } else { Err(ends_early()) }
    }

    /// Whether nothing follows the rows at hand.
    pub(super) fn check_end(&mut self) -> Result<()> {
        if self.reader.skip_records(1)? == 0 {
            return Ok(());
        }
        let problem = "a column has more rows than its row group".to_owned();
        Err(ParquetError::General(problem))
    }

    /// The value of the next row at hand, if it has one.
    pub(super) fn next_value(&mut self) -> Option<&T::T> {
        let has_value =
            !self.is_optional || self.levels.get(self.row).is_some_and(|level| *level > 0);
        self.row += 1;
        if !has_value {
            return None;
        }
        let value = self.value;
        self.value += 1;
        self.values.get(value)
    }
}

fn ends_early() -> ParquetError {
    ParquetError::EOF("a column has fewer rows than its row group".into())
}
