//! Numbered keys without a slash.

use super::keys::{Keys, push_decimal, width};

/// `object-000000000042`.
#[derive(Debug)]
pub(super) struct Flat {
    width: usize,
}

impl Flat {
    pub(super) fn new(objects: u64) -> Self {
        Self {
            width: width(objects).max(12),
        }
    }
}

impl Keys for Flat {
    fn write(&self, index: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(b"object-");
        push_decimal(out, index, self.width);
    }
}
