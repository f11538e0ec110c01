//! Lines that are wrong.

use std::fmt;

use shardlift_core::value::printable::Printable;

use crate::line_place::LinePlace;

/// How much of a line a message shows.
const EXCERPT_CHARACTERS: usize = 80;

/// A line that names no object of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Where it stands.
    pub place: LinePlace,
    /// What is wrong with it.
    pub problem: LineProblem,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

/// What is wrong with a line. The texts are excerpts that a message can carry: their control characters are escaped already.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineProblem {
    /// The line is longer than any line of a list.
    #[error("the line is longer than 65,536 bytes")]
    TooLong,
    /// A quoted cell has no end, or goes on after it.
    #[error("a quoted cell does not end where a cell ends")]
    Quotes,
    /// The line has more or fewer cells than there are columns.
    #[error("the line has {found} cells instead of {expected}")]
    Cells {
        /// How many columns there are.
        expected: usize,
        /// How many cells the line has.
        found: usize,
    },
    /// The first line is neither a header nor that of a manifest.
    #[error("the line has {found} cells instead of two or three: bucket,key[,version_id]")]
    ManifestCells {
        /// How many cells the line has.
        found: usize,
    },
    /// The line is no JSON object with these fields.
    #[error("the line is no JSON object with the fields of a list: {0}")]
    Json(String),
    /// The line is not UTF-8.
    #[error("{0} is not UTF-8")]
    NotUtf8(&'static str),
    /// A `%` without two hexadecimal digits behind it, or a control character.
    #[error(
        "the key is not URL-encoded: a control character, or a % without two hexadecimal digits behind it in \"{0}\""
    )]
    UrlEncoding(String),
    /// There is no key.
    #[error("the line has no key")]
    NoKey,
    /// The key is too long for S3.
    #[error("the key is longer than 1,024 bytes of UTF-8: \"{0}\"…")]
    KeyTooLong(String),
    /// There is a NUL in the line.
    #[error("there is a NUL character in the {0}")]
    Nul(&'static str),
    /// The object is in another bucket than the run's source.
    #[error("the bucket is \"{found}\" and not the source bucket")]
    OtherBucket {
        /// The bucket that the line names.
        found: String,
    },
    /// The key lies outside the source prefix.
    #[error("the key \"{0}\" lies outside the source prefix")]
    OutsidePrefix(String),
    /// A cell holds no value of its column.
    #[error("\"{found}\" is no {column}: expected {expected}")]
    Value {
        /// The column.
        column: &'static str,
        /// What stands there.
        found: String,
        /// What should stand there.
        expected: &'static str,
    },
}

/// The beginning of a text, as a message shows it.
pub(crate) fn excerpt(text: &str) -> String {
    beginning(text, EXCERPT_CHARACTERS)
}

/// The beginning of what a library says, which may name texts of the file.
pub(crate) fn library_message(error: &impl fmt::Display) -> String {
    let message = error.to_string();
    // The names that numbers have in Rust tell nobody anything.
    let message = message.replace("expected u64", "expected a whole number, 0 or more");
    beginning(&message, 3 * EXCERPT_CHARACTERS)
}

fn beginning(text: &str, characters: usize) -> String {
    let begin = text
        .char_indices()
        .nth(characters)
        .map_or(text, |(end, _)| &text[..end]);
    Printable(begin).to_string()
}

/// The beginning of a text that may not be UTF-8.
pub(crate) fn excerpt_of_bytes(bytes: &[u8]) -> String {
    // A character has at most four bytes.
    let begin = &bytes[..bytes.len().min(EXCERPT_CHARACTERS * 4)];
    excerpt(&String::from_utf8_lossy(begin))
}
