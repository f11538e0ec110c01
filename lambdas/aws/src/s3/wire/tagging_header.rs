//! The `x-amz-tagging` header, which holds tags as URL query parameters.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use shardlift_core::port::TagSet;

const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The value of the header; `None` if there are no tags.
pub(crate) fn tagging_header(tags: &TagSet) -> Option<String> {
    let encoded = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
    let pairs: Vec<String> = tags
        .iter()
        .map(|(key, value)| format!("{}={}", encoded(key), encoded(value)))
        .collect();
    (!pairs.is_empty()).then(|| pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_within_tags_are_encoded() {
        let tags = TagSet::from([
            ("a&b".to_owned(), "c=d e+f".to_owned()),
            ("z".to_owned(), String::new()),
        ]);
        assert_eq!(tagging_header(&tags).unwrap(), "a%26b=c%3Dd%20e%2Bf&z=");
        assert_eq!(tagging_header(&TagSet::new()), None);
    }
}
