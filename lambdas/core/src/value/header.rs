//! The values of the headers that S3 stores with an object.

use std::fmt;

/// The value of a stored header: bytes, and not always UTF-8. S3 returns a header in the bytes in which it was sent, and
/// in ISO-8859-1 where a POST form set it (docs/MODEL.md, facts 77 and 78).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct HeaderBytes(Vec<u8>);

impl HeaderBytes {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text, unless it is not UTF-8.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl From<Vec<u8>> for HeaderBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&str> for HeaderBytes {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl fmt::Debug for HeaderBytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\"{}\"", self.0.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_utf_8_is_text_and_both_are_shown_on_one_line() {
        let latin_1 = HeaderBytes::from(b"\xdcbersicht\n".to_vec());
        assert_eq!(latin_1.as_text(), None);
        assert_eq!(format!("{latin_1:?}"), r#""\xdcbersicht\n""#);
        assert_eq!(HeaderBytes::from("Übersicht").as_text(), Some("Übersicht"));
    }
}
