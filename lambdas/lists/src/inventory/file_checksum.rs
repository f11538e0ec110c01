//! The checksum of a data file, as its manifest states it.

use md5::{Digest, Md5};
use shardlift_core::failure::Failure;

use crate::whole_file::refused;

/// Adds up the MD5 of a file and compares it with that of the manifest. Feed it the whole file, from the first byte on.
#[derive(Clone)]
pub struct FileChecksum {
    expected: String,
    size_bytes: Option<u64>,
    hasher: Md5,
    seen_bytes: u64,
}

impl FileChecksum {
    /// That of a file with this MD5, in hexadecimal digits; nothing when the text is none.
    pub(crate) fn new(md5: &str, size_bytes: Option<u64>) -> Option<Self> {
        let is_md5 = md5.len() == 32 && md5.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_md5.then(|| Self {
            expected: md5.to_ascii_lowercase(),
            size_bytes,
            hasher: Md5::new(),
            seen_bytes: 0,
        })
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.seen_bytes += bytes.len() as u64;
    }

    /// Compares, when the whole file has been seen.
    ///
    /// # Errors
    /// `InvalidRun` when size or MD5 are not those of the manifest.
    pub fn finish(self, file: &str) -> Result<(), Failure> {
        let action = "wait for the next inventory, or restore this one, and start a new execution";
        if let Some(size) = self.size_bytes.filter(|size| *size != self.seen_bytes) {
            let seen = self.seen_bytes;
            let problem = format!("it has {seen} bytes, and the manifest says {size}");
            return Err(refused(file, problem, action));
        }
        let found = hexadecimal(&self.hasher.finalize());
        if found == self.expected {
            return Ok(());
        }
        let expected = self.expected;
        let problem = format!("its MD5 is {found}, and the manifest says {expected}");
        Err(refused(file, problem, action))
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 1321, appendix A.5.
    const OF_ABC: &str = "900150983cd24fb0d6963f7d28e17f72";

    fn checked(md5: &str, size: Option<u64>, text: &[u8]) -> Result<(), Failure> {
        let mut checksum = FileChecksum::new(md5, size).unwrap();
        checksum.update(text);
        checksum.finish("data.csv.gz")
    }

    #[test]
    fn only_the_file_itself_has_its_checksum() {
        assert_eq!(checked(OF_ABC, Some(3), b"abc"), Ok(()));
        assert_eq!(checked(&OF_ABC.to_uppercase(), None, b"abc"), Ok(()));
        let other = checked(OF_ABC, Some(3), b"abe").unwrap_err().to_string();
        assert!(
            other.contains("data.csv.gz") && other.contains(OF_ABC),
            "{other}"
        );
        let longer = checked(OF_ABC, Some(4), b"abc").unwrap_err().to_string();
        assert!(longer.contains("3 bytes"), "{longer}");
    }

    #[test]
    fn what_is_no_md5_is_none() {
        assert!(FileChecksum::new("f11166069f1990abeb9c97ace9cdfabc".trim(), None).is_some());
        // As in AWS's examples.
        assert!(FileChecksum::new("f11166069f1990abeb9c97ace9cdEXAMPLE", None).is_none());
        assert!(FileChecksum::new("", None).is_none());
    }
}
