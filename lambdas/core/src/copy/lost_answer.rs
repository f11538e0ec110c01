//! What the target shows after a write whose answer was lost.
//!
//! An object that stood there before the write proves nothing, however equal it is: its tags, its encryption, its metadata
//! may be others. So only what was written since counts, and only S3's clock tells that: both instants that are compared
//! come from it, and what passed in between is a length of time, which needs no common clock. Where anything is in doubt
//! the answer is no, and the write is made again: repeating it is always right.

use std::time::Duration;

use crate::{
    object::Encryption,
    port::{CopyOptions, CopySource, ObjectAttributes, TagSet},
};

/// By how much the instants of two answers of S3 may contradict each other: a `Date` is rounded down to seconds, and the
/// clocks of two of its servers differ by a little.
const CLOCKS_DIFFER_MAX: Duration = Duration::from_secs(2);

/// Whether a look at the target can show anything about a copy whose first attempt began so long ago. Sooner, what was
/// written since cannot be told from what stood there.
#[must_use]
pub fn can_be_shown(since_attempt: Duration) -> bool {
    since_attempt >= CLOCKS_DIFFER_MAX
}

/// Whether the target object is a copy of the planned version of the source, and the one that was made since the first
/// attempt, which began `since_attempt` before the target was asked.
///
/// `source` is read after the call, so it may already be another version: then nothing is proven. ETags of copies that S3
/// does not make equal (KMS, sources made of parts) prove nothing either.
#[must_use]
pub fn is_copied(
    planned: &CopySource,
    options: &CopyOptions,
    source: &ObjectAttributes,
    target: &ObjectAttributes,
    since_attempt: Duration,
) -> bool {
    let class = options
        .storage_class
        .map_or("STANDARD", |class| class.name());
    is_written_within(target, since_attempt)
        && source.etag == planned.etag
        && target.etag == planned.etag
        && planned.etag.part_count().is_none()
        && target.size_bytes == planned.size_bytes
        && target.headers == source.headers
        && target.metadata == source.metadata
        && target.storage_class == class
        && options.kms_key_arn.is_none()
        && target.encryption == Encryption::S3Managed
        && has_no_tags(options, source, target)
}

fn is_written_within(target: &ObjectAttributes, since_attempt: Duration) -> bool {
    target.told_at.is_some_and(|told_at| {
        told_at.plus(CLOCKS_DIFFER_MAX).since(target.modified_at) <= since_attempt
    })
}

/// Only the source's count is surely told, and a number says nothing of the tags themselves.
fn has_no_tags(
    options: &CopyOptions,
    source: &ObjectAttributes,
    target: &ObjectAttributes,
) -> bool {
    let none_to_carry = options
        .tags
        .as_ref()
        .map_or(source.tag_count == 0, TagSet::is_empty);
    none_to_carry && target.tag_count == 0
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{arn::KmsKeyArn, key::ObjectKey, object::ETag, time::Timestamp};

    const SINCE_ATTEMPT: Duration = Duration::from_secs(60);

    fn at_second(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1000)
    }

    fn planned() -> CopySource {
        CopySource {
            key: ObjectKey::new("k").unwrap(),
            etag: ETag::new("d41d8cd98f00b204e9800998ecf8427e").unwrap(),
            size_bytes: 3,
        }
    }

    /// Written 30 seconds after the first attempt, told 60 seconds after it.
    fn attributes() -> ObjectAttributes {
        ObjectAttributes {
            size_bytes: 3,
            etag: planned().etag,
            headers: BTreeMap::new(),
            metadata: BTreeMap::new(),
            storage_class: "STANDARD".into(),
            tag_count: 0,
            checksums: BTreeMap::new(),
            checksum_type: None,
            encryption: Encryption::default(),
            kms_key_arn: None,
            modified_at: at_second(1_030),
            told_at: Some(at_second(1_060)),
        }
    }

    fn is_shown(
        options: &CopyOptions,
        source: &ObjectAttributes,
        target: &ObjectAttributes,
    ) -> bool {
        is_copied(&planned(), options, source, target, SINCE_ATTEMPT)
    }

    #[test]
    fn an_equal_object_that_was_written_since_proves_the_copy() {
        assert!(is_shown(
            &CopyOptions::default(),
            &attributes(),
            &attributes()
        ));
    }

    #[test]
    fn an_equal_object_that_may_have_stood_there_before_proves_nothing() {
        for (second, expected) in [(999, false), (1_000, false), (1_001, false), (1_002, true)] {
            let mut target = attributes();
            target.modified_at = at_second(second);
            let shown = is_shown(&CopyOptions::default(), &attributes(), &target);
            assert_eq!(shown, expected, "{second}");
        }
        let mut undated = attributes();
        undated.told_at = None;
        assert!(!is_shown(&CopyOptions::default(), &attributes(), &undated));
    }

    #[test]
    fn so_soon_after_the_attempt_nothing_can_be_shown() {
        let mut target = attributes();
        target.modified_at = at_second(1_060);
        let soon = Duration::from_millis(1_999);
        assert!(!can_be_shown(soon) && can_be_shown(SINCE_ATTEMPT));
        assert!(!is_copied(
            &planned(),
            &CopyOptions::default(),
            &attributes(),
            &target,
            soon
        ));
    }

    #[test]
    fn anything_that_differs_or_cannot_be_seen_proves_nothing() {
        let spoilt: [fn(&mut ObjectAttributes); 6] = [
            |target| target.size_bytes = 4,
            |target| target.etag = ETag::new("other").unwrap(),
            |target| target.storage_class = "GLACIER".into(),
            |target| target.tag_count = 1,
            |target| target.encryption = Encryption::Kms,
            |target| {
                target.metadata.insert("a".into(), "b".into());
            },
        ];
        let options = CopyOptions::default();
        for spoil in spoilt {
            let mut target = attributes();
            spoil(&mut target);
            assert!(!is_shown(&options, &attributes(), &target), "{target:?}");
        }
        let mut tagged = attributes();
        tagged.tag_count = 1;
        assert!(!is_shown(&options, &tagged, &tagged));
        let mut changed = attributes();
        changed.etag = ETag::new("newer").unwrap();
        assert!(!is_shown(&options, &changed, &attributes()));
    }

    #[test]
    fn a_plain_object_is_no_copy_under_the_key_that_was_asked_for() {
        let key = KmsKeyArn::new("arn:aws:kms:eu-west-1:222222222222:key/target").unwrap();
        let options = CopyOptions {
            kms_key_arn: Some(key),
            ..CopyOptions::default()
        };
        assert!(!is_shown(&options, &attributes(), &attributes()));
    }

    #[test]
    fn tags_that_are_not_copied_need_not_agree() {
        let options = CopyOptions {
            tags: Some(TagSet::new()),
            ..CopyOptions::default()
        };
        let mut tagged = attributes();
        tagged.tag_count = 2;
        assert!(is_shown(&options, &tagged, &attributes()));
    }
}
