//! A short digest for names.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// The first 64 bits of a SHA-256, in hexadecimal digits: enough to tell the few thousand lists of a stack apart.
pub(super) fn digest_of(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest[..8].iter().fold(String::new(), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}
