//! What a shape provides: the keys by rank.

use std::fmt;

use crate::number::write_decimal;

/// Writes the keys of one shape.
pub(super) trait Keys: fmt::Debug + Send + Sync {
    /// Appends the key of rank `index` in byte order.
    fn write(&self, index: u64, out: &mut Vec<u8>);
}

/// The spec of a key space that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid key space: {0}")]
pub struct InvalidKeySpace(pub(super) String);

/// Returns the number of digits of the numbers below `count`.
pub(super) fn width(count: u64) -> usize {
    itoa::Buffer::new().format(count.saturating_sub(1)).len()
}

/// Appends `value` with `width` digits.
#[inline]
pub(super) fn push_decimal(out: &mut Vec<u8>, value: u64, width: usize) {
    let start = out.len();
    out.resize(start + width, b'0');
    write_decimal(&mut out[start..], value);
}
