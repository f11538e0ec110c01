//! Lists of objects as a run may take them instead of a listing: the manifest of S3 Batch Operations, JSON lines, a Parquet
//! file, an S3 Inventory, the receipts or the `failures.csv` of an earlier run.
//!
//! Everything here turns bytes into entries. Nothing here asks AWS: the bytes come in, in chunks ([`TextList`]) or by ranges
//! ([`ParquetList`]), and memory depends neither on the number of lines nor on what a file claims to be.
//!
//! - A [`ListEntry`] is an object that the list names.
//! - A [`BadLine`] is a line that names none. It is given out in its place, for the caller to count and to name.
//! - A [`Failure`](shardlift_core::failure::Failure) is about the whole file: `InvalidRun`, with the file and what to do.
//!
//! Read [`ListFormat`](shardlift_core::run::list::ListFormat) first, then [`entry`](ListEntry), [`TextList`], [`ParquetList`] and [`InventoryManifest`].

mod bad_line;
mod entry;
mod fields;
mod inventory;
mod key_order;
mod line_place;
mod line_survey;
mod parsed_line;
mod scope;
mod sorted;
mod table;
mod text;
mod url_encoding;
mod whole_file;

pub use bad_line::{BadLine, LineProblem};
pub use entry::{LeftOut, ListEntry, ListItem, WhyLeftOut};
pub use inventory::{DataFile, DataFormat, FileChecksum, InventoryManifest};
pub use key_order::KeyOrder;
pub use line_place::LinePlace;
pub use line_survey::{LineIssue, LineSurvey};
pub use scope::ListScope;
pub use sorted::{
    EntryPlace, OpenBlock, RepeatedEntries, RunCursor, RunMerge, RunMergeStep, SortBounds,
    SortBuffer, SortedBlock, SortedEntries,
};
pub use table::{ParquetList, ParquetPosition, RangeSource, TableKind};
pub use text::{CsvColumns, LINE_BYTES_MAX, ListPosition, Step, TextFormat, TextList};
