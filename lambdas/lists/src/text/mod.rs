//! Lists that are texts: a line names an object.

mod csv_columns;
mod csv_row;
mod inflater;
mod json_line;
mod line_window;
mod list_position;
mod other_files;
mod receipt_line;
mod text_list;

pub use csv_columns::CsvColumns;
pub use line_window::LINE_BYTES_MAX;
pub use list_position::ListPosition;
pub(crate) use other_files::{GZIP_MAGIC, ZSTD_MAGIC, other_kind};
pub use text_list::{Step, TextFormat, TextList};
