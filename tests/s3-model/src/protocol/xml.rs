//! Writes S3's XML straight into a byte buffer.

/// The declaration that opens every document.
const DECLARATION: &[u8] = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
/// The namespace of S3's result documents. Error documents have none.
const NAMESPACE: &[u8] = b" xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

/// Bytes that XML text holds unescaped.
const PLAIN: [bool; 256] = {
    let mut plain = [true; 256];
    let mut byte = 0;
    while byte < 0x20 {
        plain[byte] = false;
        byte += 1;
    }
    plain[0x7f] = false;
    plain[b'&' as usize] = false;
    plain[b'<' as usize] = false;
    plain[b'>' as usize] = false;
    plain[b'"' as usize] = false;
    plain
};

/// Bytes that `encoding-type=url` leaves unencoded.
const UNRESERVED: [bool; 256] = {
    let mut unreserved = [false; 256];
    let mut byte = 0;
    while byte < 128u8 {
        unreserved[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'*' | b'/');
        byte += 1;
    }
    unreserved
};

const HEX_UPPER: &[u8; 16] = b"0123456789ABCDEF";

/// A document under construction.
#[derive(Debug)]
pub(crate) struct Xml {
    out: Vec<u8>,
}

impl Xml {
    /// Opens a result document whose root element is `root`.
    pub(crate) fn result(root: &str, capacity_bytes: usize) -> Self {
        let mut out = Vec::with_capacity(capacity_bytes);
        out.extend_from_slice(DECLARATION);
        out.push(b'<');
        out.extend_from_slice(root.as_bytes());
        out.extend_from_slice(NAMESPACE);
        out.push(b'>');
        Self { out }
    }

    /// Opens an error document.
    pub(crate) fn error() -> Self {
        let mut out = Vec::with_capacity(512);
        out.extend_from_slice(DECLARATION);
        out.extend_from_slice(b"<Error>");
        Self { out }
    }

    /// Starts a part of a document, without a declaration and a root element.
    pub(crate) fn fragment(capacity_bytes: usize) -> Self {
        Self {
            out: Vec::with_capacity(capacity_bytes),
        }
    }

    /// Returns the bytes of a fragment.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// Closes the root element and returns the bytes.
    pub(crate) fn finish(mut self, root: &str) -> Vec<u8> {
        self.close(root);
        self.out
    }

    #[inline]
    pub(crate) fn open(&mut self, name: &str) {
        self.out.push(b'<');
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b'>');
    }

    #[inline]
    pub(crate) fn close(&mut self, name: &str) {
        self.out.extend_from_slice(b"</");
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b'>');
    }

    /// Writes `<name>escaped text</name>`.
    pub(crate) fn text(&mut self, name: &str, value: &str) {
        self.open(name);
        self.escape(value.as_bytes());
        self.close(name);
    }

    pub(crate) fn number(&mut self, name: &str, value: u64) {
        self.open(name);
        self.out
            .extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
        self.close(name);
    }

    pub(crate) fn boolean(&mut self, name: &str, value: bool) {
        self.text(name, if value { "true" } else { "false" });
    }

    /// Writes a key, a prefix or a delimiter, escaped or URL-encoded.
    #[inline]
    pub(crate) fn key(&mut self, name: &str, key: &[u8], encoding: KeyEncoding) {
        self.open(name);
        match encoding {
            KeyEncoding::Xml => self.escape(key),
            KeyEncoding::Url => self.url_encode(key),
        }
        self.close(name);
    }

    /// Writes bytes that are well-formed XML already.
    #[inline]
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Returns the buffer, for writers that produce well-formed text.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    #[inline]
    pub(crate) fn escape(&mut self, text: &[u8]) {
        let mut rest = text;
        while let Some(at) = rest.iter().position(|byte| !PLAIN[usize::from(*byte)]) {
            self.out.extend_from_slice(&rest[..at]);
            match rest[at] {
                b'&' => self.raw(b"&amp;"),
                b'<' => self.raw(b"&lt;"),
                b'>' => self.raw(b"&gt;"),
                b'"' => self.raw(b"&quot;"),
                control => {
                    // S3 writes references to characters that XML 1.0 cannot hold. Therefore
                    // careful clients ask for encoding-type=url.
                    self.raw(b"&#x");
                    if control >= 0x10 {
                        self.out.push(HEX_UPPER[usize::from(control >> 4)]);
                    }
                    self.out.push(HEX_UPPER[usize::from(control & 15)]);
                    self.out.push(b';');
                }
            }
            rest = &rest[at + 1..];
        }
        self.out.extend_from_slice(rest);
    }

    fn url_encode(&mut self, text: &[u8]) {
        for &byte in text {
            if UNRESERVED[usize::from(byte)] {
                self.out.push(byte);
            } else if byte == b' ' {
                self.out.push(b'+');
            } else {
                self.out.extend_from_slice(&[
                    b'%',
                    HEX_UPPER[usize::from(byte >> 4)],
                    HEX_UPPER[usize::from(byte & 15)],
                ]);
            }
        }
    }
}

/// How listings write keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyEncoding {
    /// XML escapes only.
    Xml,
    /// `encoding-type=url`: percent-encoded, a space becomes `+`, a slash stays.
    Url,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(encoding: KeyEncoding, key: &str) -> String {
        let mut xml = Xml { out: Vec::new() };
        xml.key("Key", key.as_bytes(), encoding);
        String::from_utf8(xml.out).expect("keys are UTF-8")
    }

    #[test]
    fn keys_are_escaped_or_url_encoded_as_s3_does() {
        assert_eq!(
            written(KeyEncoding::Xml, "a&b<c>\"d\u{1}é"),
            "<Key>a&amp;b&lt;c&gt;&quot;d&#x1;é</Key>"
        );
        assert_eq!(
            written(KeyEncoding::Url, "a b+c/100%.é"),
            "<Key>a+b%2Bc/100%25.%C3%A9</Key>"
        );
    }
}
