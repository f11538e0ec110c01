//! Conversions between counts, floats and decimal digits.

/// Converts a count to a float. Counts above 2^53 lose their last digits.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of this model stay below 2^53, or are only used for a price"
)]
pub(crate) fn float(value: u64) -> f64 {
    value as f64
}

/// Returns the whole part of a float that is at least 0 and below 2^53.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the caller keeps the value between 0 and 2^53"
)]
pub(crate) fn whole(value: f64) -> u64 {
    value as u64
}

const DIGITS: [u8; 10] = *b"0123456789";

/// Fills `out` with `value` in decimal, with leading zeros.
#[inline]
pub(crate) fn write_decimal(out: &mut [u8], mut value: u64) {
    for digit in out.iter_mut().rev() {
        *digit = DIGITS[usize::try_from(value % 10).unwrap_or(0)];
        value /= 10;
    }
}
