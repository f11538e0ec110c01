//! Keys in listings that were requested with `encoding-type=url`: percent-encoded, with `+` for a space.

use std::string::FromUtf8Error;

use percent_encoding::percent_decode;
use shardlift_core::value::{key::ObjectKey, text::InvalidText};

/// Why a text is not a URL-encoded key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UrlEncodedKeyProblem {
    /// A percent sign stands for itself, which no encoder produces.
    #[error("the key {0:?} is not URL-encoded")]
    LonePercentSign(String),
    /// It decodes to bytes that are not UTF-8.
    #[error("the decoded key is not UTF-8: {0}")]
    NotUtf8(#[source] FromUtf8Error),
    /// It decodes to something that S3 does not allow as a key.
    #[error(transparent)]
    NotAKey(#[from] InvalidText),
}

/// Decodes a key.
pub(crate) fn decode_key(encoded: &str) -> Result<ObjectKey, UrlEncodedKeyProblem> {
    Ok(ObjectKey::new(decode(encoded)?)?)
}

fn decode(encoded: &str) -> Result<String, UrlEncodedKeyProblem> {
    if memchr::memchr2(b'%', b'+', encoded.as_bytes()).is_none() {
        return Ok(encoded.to_owned());
    }
    if has_lone_percent_sign(encoded.as_bytes()) {
        return Err(UrlEncodedKeyProblem::LonePercentSign(encoded.to_owned()));
    }
    let mut bytes = Vec::with_capacity(encoded.len());
    for (index, part) in encoded.as_bytes().split(|&byte| byte == b'+').enumerate() {
        if index > 0 {
            bytes.push(b' ');
        }
        bytes.extend(percent_decode(part));
    }
    String::from_utf8(bytes).map_err(UrlEncodedKeyProblem::NotUtf8)
}

fn has_lone_percent_sign(encoded: &[u8]) -> bool {
    memchr::memchr_iter(b'%', encoded).any(|at| {
        let digits = encoded.get(at + 1..at + 3);
        !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoded_key_decodes_byte_for_byte() {
        for (encoded, key) in [
            ("a+b", "a b"),
            ("a%20b", "a b"),
            ("a%2Bb", "a+b"),
            ("%252F", "%2F"),
            ("a%2F%2Fb", "a//b"),
            ("%C3%A9%01", "é\u{1}"),
        ] {
            assert_eq!(decode_key(encoded).unwrap().as_str(), key);
        }
        assert!(decode_key("%FF").is_err(), "not UTF-8");
    }
}
