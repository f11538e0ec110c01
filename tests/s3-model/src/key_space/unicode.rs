//! Keys of one- to four-byte characters.

use super::keys::Keys;

/// The digits of a key, in UTF-8 byte order: characters that XML must escape or URLs must encode,
/// and characters of two, three and four bytes.
pub(super) const ALPHABET: [&str; 26] = [
    " ", "!", "\"", "#", "%", "&", "'", "+", "<", "=", ">", "?", "[", "\\", "~", "ß", "é", "Ω",
    "я", "א", "ก", "€", "中", "한", "𝒳", "😀",
];

/// Two characters, a slash, and more characters.
#[derive(Debug)]
pub(super) struct Unicode {
    digits: usize,
}

impl Unicode {
    pub(super) fn new(objects: u64) -> Self {
        let base = ALPHABET.len() as u64;
        let mut digits = 1;
        let mut reach = base;
        while reach < objects {
            reach = reach.saturating_mul(base);
            digits += 1;
        }
        Self {
            digits: digits.max(4),
        }
    }
}

impl Keys for Unicode {
    fn write(&self, index: u64, out: &mut Vec<u8>) {
        let base = ALPHABET.len() as u64;
        let mut digits = [0usize; 16];
        let mut rest = index;
        for digit in digits[..self.digits].iter_mut().rev() {
            *digit = usize::try_from(rest % base).unwrap_or(0);
            rest /= base;
        }
        for (position, digit) in digits[..self.digits].iter().enumerate() {
            if position == 2 {
                out.push(b'/');
            }
            out.extend_from_slice(ALPHABET[*digit].as_bytes());
        }
    }
}
