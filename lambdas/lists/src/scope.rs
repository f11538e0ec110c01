//! Which objects a list may name.

use shardlift_core::value::{
    bucket::BucketName,
    key::{KEY_BYTES_MAX, KeyPrefix, ObjectKey},
};

use crate::bad_line::{LineProblem, excerpt, excerpt_of_bytes};

/// The source of the run: a list names objects of it and of nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListScope {
    /// The source bucket.
    pub bucket: BucketName,
    /// The source prefix.
    pub prefix: KeyPrefix,
}

impl ListScope {
    /// Whether a line of this bucket is about the source.
    pub(crate) fn check_bucket(&self, bucket: &[u8]) -> Result<(), LineProblem> {
        if bucket == self.bucket.as_str().as_bytes() {
            return Ok(());
        }
        Err(LineProblem::OtherBucket {
            found: excerpt_of_bytes(bucket),
        })
    }

    /// The text of these bytes, if it is a key and lies under the source prefix.
    pub(crate) fn key_text<'b>(&self, bytes: &'b [u8]) -> Result<&'b str, LineProblem> {
        let text = std::str::from_utf8(bytes).map_err(|_| LineProblem::NotUtf8("the key"))?;
        self.checked(text)
    }

    /// The text, if it is a key and lies under the source prefix.
    pub(crate) fn checked<'b>(&self, text: &'b str) -> Result<&'b str, LineProblem> {
        if text.is_empty() {
            return Err(LineProblem::NoKey);
        }
        // S3 takes no such key, and whoever writes one has written something else.
        let mut has_nul = false;
        for byte in text.as_bytes() {
            has_nul |= *byte == 0;
        }
        if has_nul {
            return Err(LineProblem::Nul("key"));
        }
        if text.len() > KEY_BYTES_MAX {
            return Err(LineProblem::KeyTooLong(excerpt(text)));
        }
        let prefix = self.prefix.as_str();
        // Comparing with an empty text can take longer than all of this (see `ObjectKey::relative_to`).
        if !prefix.is_empty() && !text.starts_with(prefix) {
            return Err(LineProblem::OutsidePrefix(excerpt(text)));
        }
        Ok(text)
    }

    /// The key of these bytes, if it is one and lies under the source prefix.
    pub(crate) fn key(&self, bytes: &[u8]) -> Result<ObjectKey, LineProblem> {
        key_of(self.key_text(bytes)?)
    }

    /// The key of what stands below the source prefix.
    pub(crate) fn key_below(&self, relative: &str) -> Result<ObjectKey, LineProblem> {
        let key = format!("{}{relative}", self.prefix.as_str());
        self.key(key.as_bytes())
    }
}

/// The key with this text, which was checked.
pub(crate) fn key_of(text: &str) -> Result<ObjectKey, LineProblem> {
    ObjectKey::new(text).map_err(|_| LineProblem::KeyTooLong(excerpt(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> ListScope {
        ListScope {
            bucket: BucketName::new("source").unwrap(),
            prefix: KeyPrefix::new("data/").unwrap(),
        }
    }

    #[test]
    fn only_keys_of_the_source_are_taken() {
        assert_eq!(scope().key(b"data/a").unwrap().as_str(), "data/a");
        assert_eq!(scope().key(b""), Err(LineProblem::NoKey));
        assert_eq!(scope().key(b"data/\0"), Err(LineProblem::Nul("key")));
        assert_eq!(
            scope().key(b"data/\xff"),
            Err(LineProblem::NotUtf8("the key"))
        );
        assert!(matches!(
            scope().key(b"other/a"),
            Err(LineProblem::OutsidePrefix(_))
        ));
        let long = format!("data/{}", "k".repeat(1020));
        assert!(matches!(
            scope().key(long.as_bytes()),
            Err(LineProblem::KeyTooLong(_))
        ));
    }

    #[test]
    fn another_bucket_is_named() {
        assert_eq!(scope().check_bucket(b"source"), Ok(()));
        let problem = scope().check_bucket(b"Source").unwrap_err();
        assert!(problem.to_string().contains("\"Source\""), "{problem}");
    }
}
