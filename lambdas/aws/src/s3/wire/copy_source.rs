//! The `x-amz-copy-source` header, the only place where the caller and not the SDK encodes a key.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use shardlift_core::{port::ObjectRef, value::bucket::BucketName};

/// Everything but the unreserved characters of RFC 3986 and the slash. Above all the plus sign, which S3 would decode
/// to a space.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// The value of the header: `bucket/key`, with the key encoded, and `?versionId=` where a version is meant
/// (docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html, x-amz-copy-source).
pub(crate) fn copy_source<'a>(bucket: &BucketName, object: impl Into<ObjectRef<'a>>) -> String {
    let ObjectRef { key, version_id } = object.into();
    let mut header = format!("{bucket}/{}", utf8_percent_encode(key.as_str(), ENCODED));
    if let Some(version_id) = version_id {
        header.push_str("?versionId=");
        header.extend(utf8_percent_encode(version_id.as_str(), ENCODED));
    }
    header
}

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use shardlift_core::value::{id::VersionId, key::ObjectKey};

    use super::*;

    #[test]
    fn every_key_survives_the_header() {
        let bucket = BucketName::new("source").unwrap();
        for key in [
            "a",
            "a b",
            "a+b",
            "%2F",
            "a//b",
            "/lead",
            "..",
            ".",
            "a/./b",
            "x/",
            "?v=1",
            "#",
            "é\u{301}",
            "\u{1f680}",
            "\n\u{1}\u{7f}",
            "a?versionId=b",
            "\\",
            "\"'<>&",
        ] {
            let key = ObjectKey::new(key).unwrap();
            let header = copy_source(&bucket, &key);
            assert!(
                header.bytes().all(|byte| byte.is_ascii_graphic()),
                "{header}"
            );
            assert!(!header.contains(['+', '?', '#']), "{header}");
            let encoded = header.strip_prefix("source/").unwrap();
            let decoded = percent_decode_str(encoded).decode_utf8().unwrap();
            assert_eq!(decoded, key.as_str());
        }
    }

    #[test]
    fn a_version_is_named_behind_the_key_and_no_key_looks_like_one() {
        let bucket = BucketName::new("source").unwrap();
        let key = ObjectKey::new("a?versionId=b").unwrap();
        let id = VersionId::new("3/L4kqtJ+lcpXro").unwrap();
        let object = ObjectRef {
            key: &key,
            version_id: Some(&id),
        };
        let header = copy_source(&bucket, object);
        assert_eq!(
            header,
            "source/a%3FversionId%3Db?versionId=3/L4kqtJ%2BlcpXro"
        );
    }
}
