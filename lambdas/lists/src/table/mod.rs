//! Lists that are tables: Apache Parquet.

mod bounded_pages;
mod chunk_file;
mod column_batch;
mod footer;
mod parquet_list;
mod range_source;
mod table_columns;
mod thrift_shape;

pub use parquet_list::{ParquetList, ParquetPosition, TableKind};
pub use range_source::RangeSource;
