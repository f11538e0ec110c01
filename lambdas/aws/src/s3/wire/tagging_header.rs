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
    use shardlift_core::copy::stated_tags;

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

    #[test]
    fn the_core_knows_how_long_it_is() {
        let all: String = (0_u8..=255).map(char::from).collect();
        let tags = TagSet::from([
            (all.clone(), all),
            ("\u{1f680}~".to_owned(), "-._ *'()".to_owned()),
        ]);
        let header = tagging_header(&tags).unwrap();
        // The core counts an ampersand after the last tag too.
        assert_eq!(stated_tags::header_bytes(&tags), header.len() + 1);
    }
}
