//! Entity tags: true MD5s for bytes from clients, pseudo-MD5s for synthetic content.

use std::fmt;

use md5::{Digest as _, Md5};

use super::rope::Rope;
use crate::splitmix::mix;

/// An entity tag as S3 makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ETag {
    digest: [u8; 16],
    /// The number of parts of a multipart object, 0 for an object that was written in one request.
    parts: u16,
}

impl ETag {
    /// Returns the tag of content written in one request: its MD5, or its pseudo-MD5 if it is
    /// synthetic.
    pub fn of_content(rope: &Rope) -> Self {
        Self {
            digest: content_md5(rope),
            parts: 0,
        }
    }

    /// Returns the tag of a multipart object: the MD5 of its parts' MD5s, and their number.
    pub fn of_parts(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut hasher = Md5::new();
        let mut count: u16 = 0;
        for part in parts {
            hasher.update(part.digest);
            count = count
                .checked_add(1)
                .expect("an upload has at most 10,000 parts");
        }
        Self {
            digest: hasher.finalize().into(),
            parts: count,
        }
    }

    /// Returns the tag of content under SSE-KMS, which is not an MD5.
    pub(crate) fn encrypted(self, salt: u64) -> Self {
        let mut hasher = Md5::new();
        hasher.update(self.digest);
        hasher.update(salt.to_le_bytes());
        Self {
            digest: hasher.finalize().into(),
            parts: self.parts,
        }
    }

    /// Returns the pseudo-MD5 of one synthetic segment.
    #[inline]
    pub(crate) fn of_segment(seed: u64, offset: u64, length: u64) -> Self {
        let first = mix(seed ^ mix(offset.wrapping_add(0x5eed)) ^ length.rotate_left(40));
        let second = mix(first ^ seed.rotate_left(23) ^ length);
        let mut digest = [0; 16];
        digest[..8].copy_from_slice(&first.to_be_bytes());
        digest[8..].copy_from_slice(&second.to_be_bytes());
        Self { digest, parts: 0 }
    }

    /// Returns the MD5, to compare with `Content-MD5`.
    pub(crate) fn digest(&self) -> [u8; 16] {
        self.digest
    }

    /// Appends the tag, without quotes.
    #[inline]
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let mut hex = [0u8; 32];
        for (index, byte) in self.digest.iter().enumerate() {
            hex[index * 2] = HEX[usize::from(byte >> 4)];
            hex[index * 2 + 1] = HEX[usize::from(byte & 15)];
        }
        out.extend_from_slice(&hex);
        if self.parts > 0 {
            out.push(b'-');
            out.extend_from_slice(itoa::Buffer::new().format(self.parts).as_bytes());
        }
    }

    /// Returns the tag in the double quotes of HTTP.
    pub(crate) fn quoted(&self) -> String {
        format!("\"{self}\"")
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

impl fmt::Display for ETag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.digest {
            write!(formatter, "{byte:02x}")?;
        }
        if self.parts > 0 {
            write!(formatter, "-{}", self.parts)?;
        }
        Ok(())
    }
}

fn content_md5(rope: &Rope) -> [u8; 16] {
    if let Some((seed, offset, length)) = rope.single_segment() {
        return ETag::of_segment(seed, offset, length).digest;
    }
    let mut hasher = Md5::new();
    if rope.has_synthetic() {
        rope.describe(|bytes| hasher.update(bytes));
    } else {
        rope.for_each_block(|block| hasher.update(block));
    }
    hasher.finalize().into()
}
