//! Lists in the control bucket: one JSON document a line, under zstd, so that a person can read one with `zstd -dc`.

use std::io::Write;

use serde::{Serialize, de::DeserializeOwned};

use super::bounded_lines::BoundedLines;
use crate::failure::Failure;

/// zstd's fastest ordinary level.
const COMPRESSION_LEVEL: i32 = 1;

/// The list as bytes. The same list always gives the same bytes (P5).
///
/// # Errors
/// `InvariantViolated` when the encoder fails, which memory alone cannot make it do.
pub fn encode<'a, T: Serialize + 'a>(
    items: impl IntoIterator<Item = &'a T>,
) -> Result<Vec<u8>, Failure> {
    let write = || -> std::io::Result<Vec<u8>> {
        let mut out = zstd::Encoder::new(Vec::new(), COMPRESSION_LEVEL)?;
        for item in items {
            serde_json::to_writer(&mut out, item)?;
            out.write_all(b"\n")?;
        }
        out.finish()
    };
    write().map_err(|error| unwritten(&error))
}

/// Reads a list line by line, so that its size does not matter to memory.
///
/// # Errors
/// `InvariantViolated` when the bytes are no such list; the iterator gives the same for a line that is none.
pub fn decode<T>(bytes: &[u8]) -> Result<JsonLines<'_, T>, Failure> {
    BoundedLines::new(bytes)
        .map(|lines| JsonLines {
            lines,
            item: std::marker::PhantomData,
        })
        .map_err(|error| broken(&error))
}

/// The items of a list.
pub struct JsonLines<'a, T> {
    lines: BoundedLines<'a>,
    item: std::marker::PhantomData<T>,
}

impl<T: DeserializeOwned> Iterator for JsonLines<'_, T> {
    type Item = Result<T, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        self.lines.next().map(|line| {
            line.map_err(|error| broken(&error))
                .and_then(|line| serde_json::from_str(&line).map_err(|error| broken(&error)))
        })
    }
}

/// Lines that are encoded already, as a list.
///
/// # Errors
/// `InvariantViolated` when the encoder fails, which memory alone cannot make it do.
pub fn compress<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, Failure> {
    let write = || -> std::io::Result<Vec<u8>> {
        let mut out = zstd::Encoder::new(Vec::new(), COMPRESSION_LEVEL)?;
        for part in parts {
            out.write_all(part)?;
        }
        out.finish()
    };
    write().map_err(|error| unwritten(&error))
}

fn unwritten(error: &std::io::Error) -> Failure {
    Failure::invariant(format!("a list cannot be encoded: {error}"))
}

fn broken(error: &dyn std::fmt::Display) -> Failure {
    Failure::invariant(format!("a list cannot be read: {error}"))
}
