//! What the target shows after a write whose response was lost.
//!
//! An object that stood there before the write proves nothing, however equal it is: its tags, its encryption, its metadata
//! may be others. So only what was written since counts, and only S3's clock shows that: both instants that are compared
//! come from it, and what passed in between is a length of time, which needs no common clock. Where anything is in doubt,
//! nothing is proven and the write is retried, which is always right.

use std::time::Duration;

use super::proof::{Checksums, compare_checksums};
use crate::{
    port::{CopyOptions, CopySource, ObjectAttributes, TagSet},
    run::option::SseChoice,
    value::{
        arn::KmsKeyArn,
        object::{ETag, Encryption},
        storage::StorageClass,
        time::Timestamp,
    },
};

/// By how much the instants of two responses of S3 may contradict each other: a `Date` is rounded down to seconds, and the
/// clocks of two of its servers differ by a little.
const CLOCKS_DIFFER_MAX: Duration = Duration::from_secs(2);

/// Whether a look at the target can show anything about a copy whose first attempt began so long ago. Sooner, what was
/// written since cannot be distinguished from what was there before.
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
    target.response_date.is_some_and(|response_date| {
        response_date
            .plus(CLOCKS_DIFFER_MAX)
            .since(target.modified_at)
            <= since_attempt
    })
}

/// Only the source's count is always known, and a number says nothing about the tags themselves.
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

/// An upload that is gone, and may have been completed.
#[derive(Debug, Clone, Copy)]
pub struct LostUpload<'a> {
    /// What was to be copied.
    pub planned: &'a CopySource,
    /// The source as it is now.
    pub source: &'a ObjectAttributes,
    /// The storage class that the upload was created with.
    pub storage_class: Option<StorageClass>,
    /// The key that the upload was created with.
    pub kms_key_arn: Option<&'a KmsKeyArn>,
    /// Whether it was created to be encrypted with S3's own keys.
    pub sse: Option<SseChoice>,
    /// When it was created, by S3's clock: what it made is dated by this.
    pub created_at: Option<Timestamp>,
    /// The ETag that follows from its parts, if that is known.
    pub parts_etag: Option<&'a ETag>,
}

/// What the target shows of such an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trace {
    /// The upload made the object that is there.
    Completed,
    /// Somebody else wrote another object since the upload was created.
    Foreign,
    /// Neither: the object must be copied again.
    Nothing,
}

impl LostUpload<'_> {
    /// What the target shows.
    #[must_use]
    pub fn trace(&self, target: &ObjectAttributes) -> Trace {
        let is_written_since = self
            .created_at
            .is_some_and(|created_at| target.modified_at >= created_at);
        if !is_written_since || self.source.etag != self.planned.etag {
            return Trace::Nothing;
        }
        match self.bytes(target) {
            Checksums::Different => Trace::Foreign,
            Checksums::Equal if self.is_as_created(target) => Trace::Completed,
            Checksums::Equal | Checksums::Incomparable => Trace::Nothing,
        }
    }

    /// Whether the target has the planned bytes. An ETag is computed over the parts' ETags, under a KMS key too, so it is
    /// equal for equal parts and for nothing else. Under a key a different one proves nothing: a part that was copied twice
    /// has two ETags.
    fn bytes(&self, target: &ObjectAttributes) -> Checksums {
        if target.size_bytes != self.planned.size_bytes {
            return Checksums::Different;
        }
        match self.parts_etag {
            Some(etag) if *etag == target.etag => Checksums::Equal,
            Some(_) if target.encryption == Encryption::S3Managed => Checksums::Different,
            _ => compare_checksums(
                (&self.source.checksums, self.source.checksum_type),
                (&target.checksums, target.checksum_type),
            ),
        }
    }

    fn is_as_created(&self, target: &ObjectAttributes) -> bool {
        let class = self.storage_class.map_or("STANDARD", StorageClass::name);
        let is_under_the_key = self
            .kms_key_arn
            .is_none_or(|key| target.kms_key_arn.as_deref() == Some(key.as_str()));
        let is_under_s3s_own = self.sse.is_none() || target.encryption == Encryption::S3Managed;
        target.headers == self.source.headers
            && target.metadata == self.source.metadata
            && target.storage_class == class
            && is_under_the_key
            && is_under_s3s_own
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        copy::example::{self, planned},
        port::ChecksumType,
    };

    const SINCE_ATTEMPT: Duration = Duration::from_secs(60);

    fn at_second(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1000)
    }

    /// Written 30 seconds after the first attempt, with a response 60 seconds after it.
    fn attributes() -> ObjectAttributes {
        ObjectAttributes {
            modified_at: at_second(1_030),
            response_date: Some(at_second(1_060)),
            ..example::attributes()
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
        undated.response_date = None;
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

    const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/target";

    /// Of an upload that was created 30 seconds after second 1,000, and made the object of `attributes`.
    fn trace(
        target: &ObjectAttributes,
        parts_etag: Option<&str>,
        source_checksum: Option<&str>,
    ) -> Trace {
        let mut source = attributes();
        if let Some(value) = source_checksum {
            source.checksums = [("CRC64NVME".to_owned(), value.to_owned())].into();
            source.checksum_type = Some(ChecksumType::FullObject);
        }
        let parts_etag = parts_etag.map(|etag| ETag::new(etag).unwrap());
        LostUpload {
            planned: &planned(),
            source: &source,
            storage_class: None,
            kms_key_arn: None,
            sse: None,
            created_at: Some(at_second(1_030)),
            parts_etag: parts_etag.as_ref(),
        }
        .trace(target)
    }

    fn assembled(encryption: Encryption) -> ObjectAttributes {
        ObjectAttributes {
            etag: ETag::new("parts-2").unwrap(),
            checksums: [("CRC64NVME".to_owned(), "A".to_owned())].into(),
            checksum_type: Some(ChecksumType::FullObject),
            encryption,
            ..attributes()
        }
    }

    #[test]
    fn an_upload_that_is_gone_was_completed_if_etag_or_checksum_show_it() {
        let plain = assembled(Encryption::S3Managed);
        let under_key = assembled(Encryption::Kms);
        for (target, etag, checksum, expected) in [
            (&plain, Some("parts-2"), None, Trace::Completed),
            (&plain, Some("other-2"), Some("A"), Trace::Foreign),
            (&plain, None, Some("A"), Trace::Completed),
            (&plain, None, Some("B"), Trace::Foreign),
            (&plain, None, None, Trace::Nothing),
            (&under_key, Some("other-2"), Some("A"), Trace::Completed),
            (&under_key, Some("other-2"), Some("B"), Trace::Foreign),
            (&under_key, Some("other-2"), None, Trace::Nothing),
        ] {
            let found = trace(target, etag, checksum);
            assert_eq!(found, expected, "{target:?} {etag:?} {checksum:?}");
        }
    }

    #[test]
    fn what_stood_there_before_the_upload_is_no_trace_of_it() {
        let mut earlier = assembled(Encryption::S3Managed);
        earlier.modified_at = at_second(1_029);
        assert_eq!(trace(&earlier, Some("parts-2"), Some("A")), Trace::Nothing);
        earlier.size_bytes += 1;
        assert_eq!(trace(&earlier, Some("parts-2"), Some("A")), Trace::Nothing);
    }

    #[test]
    fn equal_bytes_that_are_otherwise_not_as_created_are_copied_again() {
        let spoilt: [fn(&mut ObjectAttributes); 3] = [
            |target| target.storage_class = "GLACIER_IR".into(),
            |target| target.headers = [("expires".into(), "0".into())].into(),
            |target| target.metadata = [("old".into(), "yes".into())].into(),
        ];
        for spoil in spoilt {
            let mut target = assembled(Encryption::S3Managed);
            spoil(&mut target);
            assert_eq!(
                trace(&target, Some("parts-2"), None),
                Trace::Nothing,
                "{target:?}"
            );
        }
    }

    #[test]
    fn an_object_under_a_key_is_copied_again_where_s3s_own_were_asked_for() {
        let etag = ETag::new("parts-2").unwrap();
        let upload = LostUpload {
            planned: &planned(),
            source: &attributes(),
            storage_class: None,
            kms_key_arn: None,
            sse: Some(SseChoice::Aes256),
            created_at: Some(at_second(1_030)),
            parts_etag: Some(&etag),
        };
        let trace = |encryption| upload.trace(&assembled(encryption));
        assert_eq!(trace(Encryption::S3Managed), Trace::Completed);
        assert_eq!(trace(Encryption::Kms), Trace::Nothing);
    }

    #[test]
    fn an_object_under_another_key_is_copied_again() {
        let key = KmsKeyArn::new(KEY).unwrap();
        let etag = ETag::new("parts-2").unwrap();
        for (found, expected) in [
            (Some(KEY), Trace::Completed),
            (Some("another"), Trace::Nothing),
            (None, Trace::Nothing),
        ] {
            let mut target = assembled(Encryption::Kms);
            target.kms_key_arn = found.map(str::to_owned);
            let upload = LostUpload {
                planned: &planned(),
                source: &attributes(),
                storage_class: None,
                kms_key_arn: Some(&key),
                sse: None,
                created_at: Some(at_second(1_030)),
                parts_etag: Some(&etag),
            };
            assert_eq!(upload.trace(&target), expected, "{found:?}");
        }
    }
}
