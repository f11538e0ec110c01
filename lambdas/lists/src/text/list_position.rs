//! A position in a text, to go on from.

use serde::{Deserialize, Serialize};

use super::csv_columns::CsvColumns;

/// How far a text has been read: right behind the item that was given out last. It can be stored and resumed by another
/// invocation, which finds the same items behind it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ListPosition {
    /// How many bytes of the (decompressed) text lie behind.
    pub(super) text_offset: u64,
    /// How many lines lie behind.
    pub(super) lines: u64,
    /// Whether the file must be read from its beginning again: it is compressed, or a checksum of all of it is due.
    pub(super) is_reread: bool,
    /// What the cells of a CSV file mean, once that is known.
    pub(super) columns: Option<CsvColumns>,
}

impl ListPosition {
    /// The byte of the file from which a resumed list must be fed: the first byte of a ranged read.
    #[must_use]
    pub const fn read_from(&self) -> u64 {
        if self.is_reread { 0 } else { self.text_offset }
    }

    /// How many lines lie behind.
    #[must_use]
    pub const fn lines(&self) -> u64 {
        self.lines
    }
}
