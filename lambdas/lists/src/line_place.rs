//! Where in a list something stands.

use std::{fmt, sync::Arc};

use shardlift_core::value::printable::Printable;

/// Where in a list something stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinePlace {
    /// The file, as messages name it: its key.
    pub file: Arc<str>,
    /// The line of a text or the row of a table, from 1.
    pub line: u64,
}

impl fmt::Display for LinePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}", Printable(&self.file), self.line)
    }
}

/// Where a line stands.
#[derive(Clone, Copy)]
pub(crate) struct PlaceOf<'a> {
    pub(crate) file: &'a Arc<str>,
    pub(crate) line: u64,
}

impl PlaceOf<'_> {
    pub(crate) fn place(self) -> LinePlace {
        LinePlace {
            file: self.file.clone(),
            line: self.line,
        }
    }
}
