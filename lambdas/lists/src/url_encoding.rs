//! Keys as AWS writes them into CSV.
//!
//! The manifest of S3 Batch Operations and the CSV of S3 Inventory hold URL-encoded keys
//! (docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-create-job.html and …/storage-inventory.html). S3 Inventory writes a
//! space as `+` and a plus sign as `%2B` (github.com/cloud-custodian/cloud-custodian/issues/1997), as S3 does in events, so a `+`
//! is a space here too. Every other byte may stand for itself, except for control characters: an encoder would have encoded
//! them, so the file has been cut into lines in another way than it was written.

use std::borrow::Cow;

/// The bytes of a URL-encoded text; nothing where a `%` has no two hexadecimal digits behind it, or a control character stands
/// for itself.
pub(crate) fn decoded(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    // Looking at every byte takes less time than to stop at the first one.
    let (mut has_control, mut is_encoded) = (false, false);
    for byte in text {
        has_control |= byte.is_ascii_control();
        is_encoded |= matches!(byte, b'%' | b'+');
    }
    if has_control {
        return None;
    }
    if !is_encoded {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, behind @ ..] = rest {
        rest = behind;
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let [high, low, behind @ ..] = rest else {
                    return None;
                };
                bytes.push(digit(*high)? * 16 + digit(*low)?);
                rest = behind;
            }
            other => bytes.push(*other),
        }
    }
    Some(Cow::Owned(bytes))
}

/// The value of a hexadecimal digit.
fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        b'A'..=b'F' => Some(character - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_is_a_space_and_an_encoded_one_is_a_plus() {
        assert_eq!(decoded(b"a+b%2Bc%20d%2f").unwrap().as_ref(), b"a b+c d/");
        assert_eq!(decoded(b"plain/key").unwrap().as_ref(), b"plain/key");
        assert_eq!(
            decoded("ü%C3%BC".as_bytes()).unwrap().as_ref(),
            "üü".as_bytes()
        );
    }

    #[test]
    fn a_percent_sign_needs_two_digits_and_controls_need_encoding() {
        for text in ["%", "a%4", "%4g", "%%41", "%+1", "a\r", "a\nb", "\0"] {
            assert_eq!(decoded(text.as_bytes()), None, "{text}");
        }
    }
}
