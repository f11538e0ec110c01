//! Rows of CSV documents that people open in a spreadsheet.

use shardlift_core::{
    failure::Failure,
    value::cell::to_cell,
    verify::{Difference, DifferingObject},
};

/// The columns of a list of differences.
pub const DIFFERENCE_COLUMNS: [&str; 4] = ["key", "difference", "expected", "found"];

/// Writes the row of a key that differs.
///
/// # Errors
/// `InvariantViolated` when it cannot be written to memory.
pub fn write_difference(out: &mut Vec<u8>, difference: &Difference) -> Result<(), Failure> {
    let (expected, found) = (
        object_text(difference.expected.as_ref()),
        object_text(difference.found.as_ref()),
    );
    let key = to_cell(difference.key.as_str());
    let cells = [
        key.as_ref(),
        difference.kind.name(),
        &to_cell(&expected),
        &to_cell(&found),
    ];
    write_record(out, &cells)
}

/// An object as people compare two: its ETag and its size. Nothing where there is none.
#[must_use]
pub fn object_text(object: Option<&DifferingObject>) -> String {
    object.map_or_else(String::new, |object| {
        format!("{} ({} bytes)", object.etag, object.size)
    })
}

/// Writes a row: every cell in quotes.
///
/// # Errors
/// `InvariantViolated` when it cannot be written to memory.
pub fn write_record(out: &mut Vec<u8>, cells: &[&str]) -> Result<(), Failure> {
    let broken = |error: &dyn std::fmt::Display| {
        Failure::invariant(format!(
            "a row of a CSV document cannot be written: {error}"
        ))
    };
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .quote_style(csv::QuoteStyle::Always)
        .buffer_capacity(1024)
        .from_writer(out);
    writer.write_record(cells).map_err(|error| broken(&error))?;
    writer.flush().map_err(|error| broken(&error))
}
