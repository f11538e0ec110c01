//! RFC 2047 encoded words, which S3 uses for user metadata beyond ASCII.
//!
//! A value that looks encoded is decoded when it is stored (fact 74), and a value beyond ASCII is
//! answered encoded, never raw (fact 73).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// An encoded word has at most 75 characters (RFC 2047, section 2): 63 for the text, which are 45
/// bytes in base64.
const WORD_BYTES_MAX: usize = 45;

/// Returns a value as S3 answers it.
pub(crate) fn encoded(value: &str) -> String {
    if value.is_ascii() {
        return value.to_owned();
    }
    let mut words: Vec<String> = Vec::new();
    let mut rest = value;
    while !rest.is_empty() {
        let end = rest.floor_char_boundary(WORD_BYTES_MAX);
        let (word, after) = rest.split_at(end);
        words.push(format!("=?UTF-8?B?{}?=", STANDARD.encode(word)));
        rest = after;
    }
    words.join(" ")
}

/// Returns a value as S3 stores it: with its encoded words decoded, and without the space between
/// two of them.
pub(crate) fn decoded(value: &str) -> String {
    let mut out = String::new();
    let mut rest = value;
    let mut follows_word = false;
    while let Some(at) = rest.find("=?") {
        let Some((text, length)) = word(&rest[at..]) else {
            out.push_str(&rest[..at + 2]);
            rest = &rest[at + 2..];
            follows_word = false;
            continue;
        };
        let between = &rest[..at];
        if !(follows_word && between.trim().is_empty()) {
            out.push_str(between);
        }
        out.push_str(&text);
        rest = &rest[at + length..];
        follows_word = true;
    }
    out.push_str(rest);
    out
}

/// Decodes the encoded word at the start of a text, and returns its length. What cannot be decoded
/// becomes a replacement character: S3 does not refuse it (fact 75).
fn word(text: &str) -> Option<(String, usize)> {
    let mut fields = text.strip_prefix("=?")?.splitn(3, '?');
    let (charset, encoding) = (fields.next()?, fields.next()?);
    let (content, _) = fields.next()?.split_once("?=")?;
    let is_token = |field: &str| !field.is_empty() && field.bytes().all(|b| b.is_ascii_graphic());
    if !is_token(charset) || content.contains(' ') {
        return None;
    }
    let bytes = match encoding {
        "B" | "b" => STANDARD.decode(content).unwrap_or_else(|_| vec![0xff]),
        "Q" | "q" => unquoted(content),
        _ => return None,
    };
    let is_latin_1 = charset.eq_ignore_ascii_case("iso-8859-1");
    let decoded = if is_latin_1 {
        bytes.iter().map(|byte| char::from(*byte)).collect()
    } else {
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let length = 2 + charset.len() + 1 + encoding.len() + 1 + content.len() + 2;
    Some((decoded, length))
}

/// Decodes the Q encoding: `=` and two digits for a byte, `_` for a space.
fn unquoted(content: &str) -> Vec<u8> {
    let percent = content.replace('%', "%25").replace('=', "%");
    percent_encoding::percent_decode_str(&percent.replace('_', " ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_answered_encoded_is_stored_decoded() {
        for value in ["plain", "é", "日本語", &"ü".repeat(200), "a b é", "100% é"] {
            let answered = encoded(value);
            assert!(answered.is_ascii(), "{answered}");
            assert!(answered.split(' ').all(|word| word.len() <= 75) || value.is_ascii());
            assert_eq!(decoded(&answered), *value);
        }
    }

    #[test]
    fn both_encodings_are_decoded_and_broken_ones_become_something_else() {
        for (sent, stored) in [
            ("=?UTF-8?Q?f=C3=BCr_100%?=", "für 100%"),
            ("=?utf-8?b?cGxhaW4=?=", "plain"),
            ("=?ISO-8859-1?Q?f=FCr?=", "für"),
            ("a =?UTF-8?Q?b?= =?UTF-8?Q?c?= d", "a bc d"),
            ("=?UTF-8?B?%%%?=", "\u{fffd}"),
            ("=?not a word", "=?not a word"),
            ("1 =? 2", "1 =? 2"),
        ] {
            assert_eq!(decoded(sent), stored, "{sent}");
        }
    }
}
