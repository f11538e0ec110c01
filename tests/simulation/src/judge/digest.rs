//! The digest of a set of objects, as docs/SEMANTICS.md defines it for any program.

use sha2::{Digest, Sha256};

/// The sum so far, its first byte the least significant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NaiveDigest {
    bytes: [u8; 32],
    pub(super) objects: u64,
}

impl NaiveDigest {
    pub(super) fn add(&mut self, relative: &str, etag: &str, size_bytes: u64) {
        let text = [relative.as_bytes(), etag.as_bytes()].join(&0);
        let text = [&text[..], size_bytes.to_string().as_bytes()].join(&0);
        self.add_number(&Sha256::digest(text).into());
        self.objects += 1;
    }

    /// Adds a digest as a report has it.
    pub(super) fn add_text(&mut self, text: &str, objects: u64) {
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().rev().enumerate() {
            let digits = text.get(2 * index..2 * index + 2);
            *byte = digits
                .and_then(|digits| u8::from_str_radix(digits, 16).ok())
                .unwrap_or_default();
        }
        self.add_number(&bytes);
        self.objects += objects;
    }

    fn add_number(&mut self, number: &[u8; 32]) {
        let mut carry = 0_u16;
        for (byte, added) in self.bytes.iter_mut().zip(number) {
            let sum = u16::from(*byte) + u16::from(*added) + carry;
            *byte = sum.to_le_bytes()[0];
            carry = sum >> 8;
        }
    }

    pub(super) fn text(&self) -> String {
        self.bytes
            .iter()
            .rev()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}
