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

fn is_shown(options: &CopyOptions, source: &ObjectAttributes, target: &ObjectAttributes) -> bool {
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

#[test]
fn a_copy_has_the_redirect_that_it_stated_and_no_other() {
    let with = |redirect: Option<&str>| {
        let stated =
            redirect.map(|value| ("x-amz-website-redirect-location".to_owned(), value.into()));
        ObjectAttributes {
            headers: stated.into_iter().collect(),
            ..attributes()
        }
    };
    // Stated by the copy, at the source, at the target.
    for (stated, at_source, at_target, expected) in [
        (Some("/a"), Some("/a"), Some("/a"), true),
        (Some("/a"), Some("/a"), None, false),
        (Some("/a"), Some("/a"), Some("/b"), false),
        (None, Some("/a"), None, true),
        (None, Some("/a"), Some("/a"), false),
        (None, None, Some("/a"), false),
    ] {
        let options = CopyOptions {
            redirect: stated.map(str::to_owned),
            ..CopyOptions::default()
        };
        let shown = is_shown(&options, &with(at_source), &with(at_target));
        assert_eq!(shown, expected, "{stated:?} {at_source:?} {at_target:?}");
    }
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
