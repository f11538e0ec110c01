//! Random UUIDs in order.

use super::keys::Keys;
use crate::splitmix::mix;

/// The random bits of a version 4 UUID before its variant: 48 and 12.
const LEADING_BITS: u32 = 60;

/// `3f2504e0-4f89-41d3-9a0c-0305e82c3301`. Each rank has an equal slice of the leading bits, and its
/// key lies somewhere in that slice: the order is known, and the keys look random.
#[derive(Debug)]
pub(super) struct Uuid {
    step: u64,
    seed: u64,
}

impl Uuid {
    pub(super) fn new(objects: u64, seed: u64) -> Self {
        Self {
            step: (1 << LEADING_BITS) / objects.max(1),
            seed,
        }
    }
}

impl Keys for Uuid {
    fn write(&self, index: u64, out: &mut Vec<u8>) {
        let random = mix(self.seed ^ mix(index.wrapping_add(0x0075_7569_6421)));
        let leading = index * self.step + random % self.step;
        let trailing = mix(random);
        let mut text = *b"00000000-0000-4000-8000-000000000000";
        hex(&mut text[0..8], leading >> 28);
        hex(&mut text[9..13], leading >> 12);
        hex(&mut text[15..18], leading);
        text[19] = b"89ab"[usize::try_from(trailing >> 62).unwrap_or(0)];
        hex(&mut text[20..23], trailing >> 48);
        hex(&mut text[24..36], trailing);
        out.extend_from_slice(&text);
    }
}

/// Fills `out` with the lowest hexadecimal digits of `value`.
fn hex(out: &mut [u8], mut value: u64) {
    for digit in out.iter_mut().rev() {
        *digit = b"0123456789abcdef"[usize::try_from(value & 15).unwrap_or(0)];
        value >>= 4;
    }
}
