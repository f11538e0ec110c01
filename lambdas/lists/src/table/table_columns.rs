//! The columns of a table that are read, and what their values become.

use std::sync::Arc;

use parquet::{
    basic::{ConvertedType, LogicalType, TimeUnit, Type},
    column::{page::PageReader, reader::ColumnReaderImpl},
    data_type::{BoolType, ByteArray, ByteArrayType, Int32Type, Int64Type, Int96Type},
    errors::Result,
    schema::types::{ColumnDescriptor, SchemaDescriptor},
};
use shardlift_core::{failure::Failure, value::time::Timestamp};

use super::column_batch::ColumnBatch;
use crate::{
    bad_line::LineProblem,
    fields::{Column, Fields, no_value},
    whole_file::refused,
};

/// A column that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TableColumn {
    pub(super) column: Column,
    /// Its place among the leaves of the schema.
    pub(super) leaf: usize,
    form: ValueForm,
    is_optional: bool,
}

impl TableColumn {
    /// Whether its values are texts, which may be none of the column.
    pub(super) fn is_text(&self) -> bool {
        self.form == ValueForm::Text
    }
}

/// How the values of a column are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ValueForm {
    Text,
    Flag,
    Int32,
    Int64,
    /// Counted in this unit since 1970.
    Instant(PerSecond),
    /// The old form of instants, of 96 bits, which Athena and Hive write.
    Int96,
}

/// In how many parts a second is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PerSecond {
    Thousand,
    Million,
    Billion,
}

/// The columns of a table that are read.
pub(super) fn of_schema(
    file: &str,
    schema: &SchemaDescriptor,
) -> std::result::Result<Vec<TableColumn>, Failure> {
    let mut columns: Vec<TableColumn> = Vec::new();
    for (leaf, descriptor) in schema.columns().iter().enumerate() {
        // Nested columns, such as `object_tags`, have names of their own.
        let Some(column) = descriptor
            .path()
            .parts()
            .first()
            .and_then(|name| Column::named(name))
        else {
            continue;
        };
        if descriptor.path().parts().len() > 1 {
            return Err(several_values(file, column));
        }
        let form =
            form_of(column, descriptor).ok_or_else(|| wrong_type(file, column, descriptor))?;
        if columns.iter().any(|known| known.column == column) {
            let problem = format!("it has the column `{}` twice", column.name());
            return Err(refused(
                file,
                problem,
                "leave one of them out and start a new execution",
            ));
        }
        let is_optional = descriptor.max_def_level() > 0;
        columns.push(TableColumn {
            column,
            leaf,
            form,
            is_optional,
        });
    }
    if columns.iter().any(|column| column.column == Column::Key) {
        return Ok(columns);
    }
    let action = "name the column of the keys `key` and start a new execution";
    Err(refused(file, "it has no column `key`", action))
}

fn form_of(column: Column, descriptor: &ColumnDescriptor) -> Option<ValueForm> {
    if descriptor.max_rep_level() > 0 {
        return None;
    }
    match (column, descriptor.physical_type()) {
        (Column::Size, Type::INT64) => Some(ValueForm::Int64),
        (Column::Size, Type::INT32) => Some(ValueForm::Int32),
        (Column::Size, _) => None,
        (Column::IsLatest | Column::IsDeleteMarker, Type::BOOLEAN) => Some(ValueForm::Flag),
        (Column::IsLatest | Column::IsDeleteMarker, _) => None,
        (Column::LastModifiedDate, Type::INT64) => unit_of(descriptor).map(ValueForm::Instant),
        (Column::LastModifiedDate, Type::INT96) => Some(ValueForm::Int96),
        (_, Type::BYTE_ARRAY) => Some(ValueForm::Text),
        _ => None,
    }
}

/// The unit of an instant; a number without one is not taken for an instant.
fn unit_of(descriptor: &ColumnDescriptor) -> Option<PerSecond> {
    if let Some(LogicalType::Timestamp(timestamp)) = descriptor.logical_type_ref() {
        return Some(match timestamp.unit {
            TimeUnit::MILLIS => PerSecond::Thousand,
            TimeUnit::MICROS => PerSecond::Million,
            TimeUnit::NANOS => PerSecond::Billion,
        });
    }
    match descriptor.converted_type() {
        ConvertedType::TIMESTAMP_MILLIS => Some(PerSecond::Thousand),
        ConvertedType::TIMESTAMP_MICROS => Some(PerSecond::Million),
        _ => None,
    }
}

fn wrong_type(file: &str, column: Column, descriptor: &ColumnDescriptor) -> Failure {
    let name = column.name();
    if descriptor.max_rep_level() > 0 {
        return several_values(file, column);
    }
    let expected = match column {
        Column::Size => "a whole number (INT64)",
        Column::IsLatest | Column::IsDeleteMarker => "a flag (BOOLEAN)",
        Column::LastModifiedDate => "a timestamp",
        _ => "a text (BYTE_ARRAY)",
    };
    let found = descriptor.physical_type();
    let problem = format!("its column `{name}` has the type {found}, and not {expected}");
    refused(
        file,
        problem,
        "write the column with that type and start a new execution",
    )
}

/// The refusal of a column of lists, maps or structures.
fn several_values(file: &str, column: Column) -> Failure {
    let problem = format!("its column `{}` has several values a row", column.name());
    refused(
        file,
        problem,
        "write one row for each key and start a new execution",
    )
}

/// The values of a column of a row group.
pub(super) enum ColumnValues {
    Text(ColumnBatch<ByteArrayType>),
    Flag(ColumnBatch<BoolType>),
    Int32(ColumnBatch<Int32Type>),
    Int64(ColumnBatch<Int64Type>),
    Instant(ColumnBatch<Int64Type>, i64),
    Int96(ColumnBatch<Int96Type>),
}

/// Does the same with the values of every form.
macro_rules! with_batch {
    ($values:expr, $batch:ident => $body:expr) => {
        match $values {
            ColumnValues::Text($batch) => $body,
            ColumnValues::Flag($batch) => $body,
            ColumnValues::Int32($batch) => $body,
            ColumnValues::Int64($batch) | ColumnValues::Instant($batch, _) => $body,
            ColumnValues::Int96($batch) => $body,
        }
    };
}

impl ColumnValues {
    /// Those of `column` in these pages.
    pub(super) fn new(
        column: TableColumn,
        descriptor: &Arc<ColumnDescriptor>,
        pages: Box<dyn PageReader>,
    ) -> Self {
        let optional = column.is_optional;
        let descriptor = descriptor.clone();
        match column.form {
            ValueForm::Text => Self::Text(ColumnBatch::new(
                ColumnReaderImpl::new(descriptor, pages),
                optional,
            )),
            ValueForm::Flag => Self::Flag(ColumnBatch::new(
                ColumnReaderImpl::new(descriptor, pages),
                optional,
            )),
            ValueForm::Int32 => Self::Int32(ColumnBatch::new(
                ColumnReaderImpl::new(descriptor, pages),
                optional,
            )),
            ValueForm::Int64 => Self::Int64(ColumnBatch::new(
                ColumnReaderImpl::new(descriptor, pages),
                optional,
            )),
            ValueForm::Instant(unit) => {
                let per_millisecond = match unit {
                    PerSecond::Thousand => 1,
                    PerSecond::Million => 1_000,
                    PerSecond::Billion => 1_000_000,
                };
                let batch = ColumnBatch::new(ColumnReaderImpl::new(descriptor, pages), optional);
                Self::Instant(batch, per_millisecond)
            }
            ValueForm::Int96 => Self::Int96(ColumnBatch::new(
                ColumnReaderImpl::new(descriptor, pages),
                optional,
            )),
        }
    }

    /// Passes over so many rows.
    pub(super) fn skip(&mut self, rows: usize) -> Result<()> {
        with_batch!(self, batch => batch.skip(rows))
    }

    /// Reads the next rows in place of those at hand.
    pub(super) fn fill(&mut self, rows: usize) -> Result<()> {
        with_batch!(self, batch => batch.fill(rows))
    }

    /// Whether nothing follows the rows at hand.
    pub(super) fn check_end(&mut self) -> Result<()> {
        with_batch!(self, batch => batch.check_end())
    }

    /// Takes the text of the next row.
    pub(super) fn next_text(&mut self) -> Option<&ByteArray> {
        match self {
            Self::Text(batch) => batch.next_value(),
            _ => None,
        }
    }

    /// Takes the value of the next row into the fields of the row.
    pub(super) fn next_into<'a>(
        &'a mut self,
        column: Column,
        fields: &mut Fields<'a>,
    ) -> std::result::Result<(), LineProblem> {
        match self {
            Self::Text(batch) => {
                let Some(value) = batch.next_value() else {
                    return Ok(());
                };
                let text = std::str::from_utf8(value.data())
                    .map_err(|_| LineProblem::NotUtf8(column.name()))?;
                fields.set(column, text)?;
            }
            Self::Flag(batch) => match (batch.next_value(), column) {
                (flag, Column::IsLatest) => fields.is_latest = flag.copied(),
                (flag, _) => fields.is_delete_marker = flag.copied(),
            },
            Self::Int32(batch) => {
                fields.size_bytes = size(batch.next_value().copied().map(i64::from))?;
            }
            Self::Int64(batch) => fields.size_bytes = size(batch.next_value().copied())?,
            Self::Instant(batch, per_millisecond) => {
                let count = batch.next_value();
                fields.modified_at =
                    count.map(|count| Timestamp::from_millis(count.div_euclid(*per_millisecond)));
            }
            Self::Int96(batch) => {
                let instant = batch.next_value();
                fields.modified_at =
                    instant.map(|instant| Timestamp::from_millis(instant.to_millis()));
            }
        }
        Ok(())
    }
}

fn size(bytes: Option<i64>) -> std::result::Result<Option<u64>, LineProblem> {
    bytes
        .map(|bytes| {
            u64::try_from(bytes)
                .map_err(|_| no_value(Column::Size, &bytes.to_string(), "a number of bytes"))
        })
        .transpose()
}
