//! The finalizer of splitmix64, from which every pseudo-random value of the model comes.

/// Scrambles 64 bits. The function is a bijection: different inputs have different outputs.
#[inline]
pub(crate) fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Turns a random word into a number in `0.0..1.0`.
pub(crate) fn unit_interval(random: u64) -> f64 {
    f64::from(u32::try_from(random >> 32).unwrap_or(0)) / (f64::from(u32::MAX) + 1.0)
}
