//! Which tags a request can state in its header.
//!
//! S3 takes 8 KB of headers in all (docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html), and answers more
//! with `RequestHeaderSectionTooLarge`. Ten tags of 128 and 256 characters, which it allows, are longer by themselves.

use crate::port::TagSet;

/// How long the value of `x-amz-tagging` may be. Of the 8 KB, user metadata may take 2 KB, the credentials of a session
/// with a policy some 2 KB, and the other headers of the object the rest.
const HEADER_BYTES_MAX: usize = 2_048;

/// The tags of an object that is created by a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatedTags {
    /// Those that its header states.
    pub in_header: TagSet,
    /// Whether these are all. Otherwise the object gets its tags by a request of their own, once it is there; stating
    /// some before shows whether any may be written.
    pub are_all: bool,
}

impl StatedTags {
    /// As many of these as fit.
    #[must_use]
    pub fn of(tags: TagSet) -> Self {
        let mut bytes = 0;
        let all = tags.len();
        let fits = |(key, value): &(String, String)| {
            bytes += tag_bytes(key, value);
            bytes <= HEADER_BYTES_MAX
        };
        let in_header: TagSet = tags.into_iter().take_while(fits).collect();
        Self {
            are_all: in_header.len() == all,
            in_header,
        }
    }
}

/// How long the value of `x-amz-tagging` is at most.
#[must_use]
pub fn header_bytes(tags: &TagSet) -> usize {
    tags.iter().map(|(key, value)| tag_bytes(key, value)).sum()
}

/// A tag as a parameter of a URL, with the characters around it.
fn tag_bytes(key: &str, value: &str) -> usize {
    let escaped = |text: &str| -> usize {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        text.bytes()
            .map(|byte| if plain(byte) { 1 } else { 3 })
            .sum()
    };
    escaped(key) + escaped(value) + "=&".len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten tags of the largest size, all of whose characters are escaped.
    fn largest() -> TagSet {
        let tag = |number| (format!("{number}{}", "+".repeat(127)), "@".repeat(256));
        (0..10).map(tag).collect()
    }

    #[test]
    fn ordinary_tags_are_all_stated() {
        let tags = TagSet::from([("a b".to_owned(), "c".to_owned())]);
        assert_eq!(header_bytes(&tags), "a%20b=c&".len());
        let stated = StatedTags::of(tags.clone());
        assert_eq!((stated.in_header, stated.are_all), (tags, true));
        assert!(StatedTags::of(TagSet::new()).are_all);
    }

    #[test]
    fn the_largest_tag_sets_are_stated_in_part_and_within_the_limit() {
        let tags = largest();
        assert!(header_bytes(&tags) > 8_192);
        let stated = StatedTags::of(tags);
        assert!(!stated.are_all && !stated.in_header.is_empty());
        assert!(header_bytes(&stated.in_header) <= HEADER_BYTES_MAX);
        let wide = TagSet::from([("\u{1f680}".repeat(128), "\u{1f680}".repeat(256))]);
        let none = StatedTags::of(wide);
        assert!(!none.are_all && none.in_header.is_empty());
    }
}
