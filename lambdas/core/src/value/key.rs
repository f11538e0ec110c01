//! Object keys and key prefixes, byte for byte as S3 holds them (P6).

use crate::value::text::{InvalidText, checked_text};

/// The longest key that S3 takes, in bytes of UTF-8
/// (docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html).
pub const KEY_BYTES_MAX: usize = 1024;

checked_text! {
    /// The key of an object: any UTF-8 of 1 to 1,024 bytes, never normalised.
    ///
    /// `Ord` is the order of UTF-8 bytes, which is the order in which S3 lists.
    ObjectKey, "object key", check_key
}

checked_text! {
    /// What keys begin with: any UTF-8 of 0 to 1,024 bytes; the empty prefix is the whole bucket.
    #[derive(Default)]
    KeyPrefix, "key prefix", check_prefix
}

checked_text! {
    /// The part of a key below a prefix of the pair: the same at the source and at the target, 0 to 1,024 bytes.
    #[derive(Default)]
    RelativeKey, "relative key", check_prefix
}

fn check_key(key: &str) -> Result<(), &'static str> {
    match key.len() {
        0 => Err("a key has at least one byte"),
        1..=KEY_BYTES_MAX => Ok(()),
        _ => Err("a key has at most 1,024 bytes of UTF-8"),
    }
}

fn check_prefix(prefix: &str) -> Result<(), &'static str> {
    if prefix.len() <= KEY_BYTES_MAX {
        Ok(())
    } else {
        Err("a prefix has at most 1,024 bytes of UTF-8")
    }
}

impl ObjectKey {
    /// What follows `prefix` in this key, or nothing when the key lies outside the prefix.
    #[must_use]
    pub fn relative_to(&self, prefix: &KeyPrefix) -> Option<&str> {
        // An empty text has no memory behind its address. Where `memcmp` is a masked load (AVX-512), comparing with it
        // takes some 50 ns, and a planner does so several times a key.
        if prefix.as_str().is_empty() {
            return Some(self.as_str());
        }
        self.as_str().strip_prefix(prefix.as_str())
    }

    /// A key that comes before this one with hardly any key between the two, so that a listing after it begins close to
    /// this key: the last character is lowered by one, and the greatest character follows. Nothing when there is no such
    /// key.
    #[must_use]
    pub fn just_before(&self) -> Option<Self> {
        let (last, character) = self.0.char_indices().next_back()?;
        let lower = ('\0'..character).next_back()?;
        Self::new(format!("{}{lower}{}", &self.0[..last], char::MAX)).ok()
    }
}

impl RelativeKey {
    /// Becomes `tail_of_key` within the same allocation. The tail of a key is never too long.
    pub(crate) fn replace(&mut self, tail_of_key: &str) {
        self.0.clear();
        self.0.push_str(tail_of_key);
    }
}

impl KeyPrefix {
    /// The key made of this prefix and `relative`.
    ///
    /// # Errors
    /// [`InvalidText`] when the two together are empty or longer than 1,024 bytes.
    pub fn join(&self, relative: &str) -> Result<ObjectKey, InvalidText> {
        ObjectKey::new(format!("{}{relative}", self.as_str()))
    }

    /// Whether every key under `other` also lies under this prefix.
    #[must_use]
    pub fn contains(&self, other: &KeyPrefix) -> bool {
        other.as_str().starts_with(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> ObjectKey {
        ObjectKey::new(text).unwrap()
    }

    #[test]
    fn awkward_keys_are_kept_byte_for_byte() {
        let prefix = KeyPrefix::new("data/").unwrap();
        for relative in [
            "a//b",
            "/lead",
            "..",
            "%2F",
            "+",
            " ",
            "x/",
            "\u{1f680}",
            "e\u{301}",
            "\n\u{1}",
        ] {
            let joined = prefix.join(relative).unwrap();
            assert_eq!(joined.relative_to(&prefix), Some(relative));
        }
    }

    #[test]
    fn a_key_has_one_to_1024_bytes() {
        assert!(ObjectKey::new("").is_err());
        assert!(ObjectKey::new("é".repeat(512)).is_ok());
        assert!(ObjectKey::new("é".repeat(513)).is_err());
    }

    #[test]
    fn keys_order_as_bytes_not_as_letters() {
        assert!(key("Z") < key("a"));
        assert!(key("a") < key("\u{e9}"));
        assert!(
            key("\u{ffff}") < key("\u{10000}"),
            "UTF-16 order would say otherwise"
        );
    }

    #[test]
    fn a_listing_from_just_before_a_key_begins_close_to_it() {
        for (wanted, between) in [
            ("b", "a\u{1F600}~"),
            ("x/y0", "x/y/zz"),
            ("\u{e000}", "\u{d7ff}~"),
        ] {
            let before = key(wanted).just_before().unwrap();
            assert!(before.as_str() < wanted, "{wanted}");
            assert!(before.as_str() > between, "{wanted}");
        }
        assert_eq!(key("a\0").just_before(), None);
        assert_eq!(
            key(&"é".repeat(512)).just_before(),
            None,
            "it would be too long"
        );
    }

    #[test]
    fn a_key_outside_the_prefix_has_no_relative_part() {
        assert_eq!(
            key("other/x").relative_to(&KeyPrefix::new("data/").unwrap()),
            None
        );
    }
}
